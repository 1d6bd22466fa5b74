"""One patient's page, ready to print. Everything said here stands in the snapshot; this only puts it in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.alerts import AlertCard, alert_card
from recovery.presenters.allergies import AllergyStrip, allergy_strip, allergy_words
from recovery.presenters.bedside import GRAVE_PAIN, is_grave, news2_points
from recovery.presenters.chart import (
    ABOVE,
    BELOW,
    Chart,
    at_its_time,
    band_place,
    draw,
    is_blood,
    is_daily,
    is_stale,
    last_hour,
)
from recovery.presenters.milestones import MilestonesView, milestones_view
from recovery.presenters.risk import RiskCard, risk_card
from recovery.presenters.scores import ScoreCard, score_card
from recovery.presenters.since import changes_since, last_look_line
from recovery.selectors.allergies import Allergies
from recovery.selectors.befallen import Befell
from recovery.selectors.patient import PatientPage
from recovery.selectors.people import Operation, Person
from recovery.selectors.snapshot import GateNote, MetricSaid, Risk, Said, headline_risk
from recovery.selectors.timeline import Observed
from recovery.twin.metrics import METRICS

# Scores of the present state; the others are of the risk before surgery.
ACUTE = ("NEWS2", "qSOFA")
SIGN_WORDS = {"fall": "fall", "drug": "drug begun, changed or ended", "message": "message from the patient"}


@dataclass(frozen=True, slots=True)
class Banner:
    name: str
    born: str
    record: str
    procedure: str
    surgeon: str
    day: str
    label: str
    died: str
    allergies: AllergyStrip


@dataclass(frozen=True, slots=True)
class MetricCard:
    key: str
    label: str
    value: str
    unit: str
    when: str
    source: str
    is_stale: bool
    expected: str
    place: str
    place_class: str
    norm: str
    before: str
    points: str
    notes: tuple[str, ...]
    gates: str
    gate_notes: tuple[str, ...]
    record: str
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class EventLine:
    kind: str
    day: str
    when: str
    word: str


@dataclass(frozen=True, slots=True)
class PatientView:
    banner: Banner
    state: str
    state_word: str
    headline_alert: str
    sentence: str
    reasons: tuple[str, ...]
    curve_note: str
    computed: str
    is_stale: bool
    readings_until: str
    last_look: str
    changes: tuple[str, ...]
    metrics: tuple[MetricCard, ...]
    laboratory: tuple[MetricCard, ...]
    unmeasured: str
    headline: RiskCard | None
    risks: tuple[tuple[str, tuple[RiskCard, ...]], ...]
    scores: tuple[ScoreCard, ...]
    more_scores: tuple[ScoreCard, ...]
    alerts: tuple[AlertCard, ...]
    model_lines: tuple[str, ...]
    version: str
    allergies: str  # all of them, in a line
    events: tuple[EventLine, ...] = ()
    milestones: MilestonesView | None = None

    @property
    def next_steps(self) -> str:
        """What one might do about the alert that the page begins with; blank where none is open."""
        lead = next((alert for alert in self.alerts if alert.status == "open"), None)
        return ". ".join(one.rstrip(".") for one in lead.suggestions[:2]) if lead else ""

    @property
    def signs(self) -> tuple[tuple[str, str], ...]:
        """Kind and words of the signs that the charts of this page show."""
        shown = {one.kind for one in self.events}
        return tuple((kind, words) for kind, words in SIGN_WORDS.items() if kind in shown)


def patient_view(page: PatientPage, now: datetime, zone: ZoneInfo) -> PatientView:
    said = page.said
    cards = metric_cards(said, page.observed, page.operation, now, zone, page.later, page.events) if said else ()
    lead = headline_risk(said.risks) if said else None
    return PatientView(
        banner=banner(page.person, page.operation, said, now, page.allergies),
        state=said.state if said else "no_data",
        state_word=wording.STATES.get(said.state if said else "no_data", "No data"),
        headline_alert=next((alert.headline for alert in page.alerts if alert.status == "open"), ""),
        sentence=said.sentence if said else "Nothing has been computed for this patient yet.",
        reasons=said.reasons if said else (),
        curve_note=said.curve_note if said else "",
        computed=_computed(said, now, zone),
        is_stale=said is not None and _hours(said.made_at, now) > wording.STALE_SNAPSHOT_HOURS,
        readings_until=wording.clock(said.data_until, zone) if said and said.data_until else "no reading yet",
        last_look=last_look_line(page.last_look, now),
        changes=changes_since(page.last_look, said, zone),
        metrics=tuple(card for card in cards if not is_blood(card.key)),
        laboratory=tuple(card for card in cards if is_blood(card.key)),
        unmeasured=", ".join(_unmeasured(said, cards)),
        headline=risk_card(lead) if lead else None,
        risks=_by_horizon(said.risks, lead) if said else (),
        scores=tuple(score_card(score) for score in said.scores if score.name in ACUTE) if said else (),
        more_scores=tuple(score_card(score) for score in said.scores if score.name not in ACUTE) if said else (),
        alerts=tuple(alert_card(alert, now, zone) for alert in page.alerts),
        model_lines=model_lines(said),
        version=_version(page),
        allergies=allergy_words(page.allergies),
        events=event_lines(page.events, page.operation, now, zone),
        milestones=milestones_view(said, page.usual_days),
    )


def banner(person: Person, operation: Operation, said: Said | None, now: datetime, allergies: Allergies) -> Banner:
    end = operation.surgery_end
    return Banner(
        name=person.name,
        born=wording.birth(person.birth_date, now.date()),
        record=person.record_number or "no record number",
        procedure=(said.procedure_label if said else "") or operation.procedure_text or "procedure not known",
        surgeon=operation.surgeon,
        day=wording.recovery_day(_hours(end, now) if end else None),
        label=wording.origin_label(person),
        died="died" if person.died_at else "",
        allergies=allergy_strip(allergies),
    )


def metric_cards(
    said: Said,
    observed: Mapping[str, Observed],
    operation: Operation,
    now: datetime,
    zone: ZoneInfo,
    later: Mapping[str, Observed] | None = None,
    events: Sequence[Befell] = (),
) -> tuple[MetricCard, ...]:
    """Cards of the metrics with anything measured, in the catalogue's order. `later`: what was known only after."""
    order = {key: place for place, key in enumerate(METRICS)}
    keys = sorted(said.metrics, key=lambda key: order.get(key, len(order)))
    measured = [key for key in keys if said.metrics[key].now is not None or observed.get(key)]
    points = bedside_points(said)
    marks = course_marks(events, operation, now)
    return tuple(
        metric_card(
            said.metrics[key],
            observed.get(key),
            operation,
            now,
            zone,
            points.get(key, ""),
            (later or {}).get(key),
            marks,
        )
        for key in measured
    )


def _course(events: Sequence[Befell], operation: Operation, now: datetime) -> list[Befell]:
    """What befell the person and the discharge, as far as they have come, in time order."""
    left = [Befell(operation.discharged_at, "discharged", "discharge")] if operation.discharged_at else []
    return sorted((one for one in (*left, *events) if one.at <= now), key=lambda one: one.at)


def course_marks(events: Sequence[Befell], operation: Operation, now: datetime) -> tuple[tuple[float, str, str], ...]:
    """(hours after surgery, word, kind)."""
    found = _course(events, operation, now)
    return tuple((_hours(operation.surgery_end, one.at), one.word, one.kind) for one in found)


def event_lines(events: Sequence[Befell], operation: Operation, now: datetime, zone: ZoneInfo) -> tuple[EventLine, ...]:
    """The same in words, newest first."""
    found = reversed(_course(events, operation, now))
    return tuple(
        EventLine(
            one.kind,
            wording.recovery_day(_hours(operation.surgery_end, one.at)),
            wording.clock(one.at, zone),
            one.word,
        )
        for one in found
    )


def bedside_points(said: Said) -> dict[str, str]:
    """metric -> "3 points on NEWS2", where it scores any: a reading on its own course can still be dangerous."""
    scored = news2_points(said)
    pain = said.metrics.get("pain")
    severe = {"pain": f"{GRAVE_PAIN:.0f} or more of 10"} if pain is not None and is_grave(pain, said) else {}
    return severe | {key: f"{wording.plural(points, 'point')} on NEWS2" for key, points in scored.items() if points}


def metric_card(
    metric: MetricSaid,
    seen: Observed | None,
    operation: Operation,
    now: datetime,
    zone: ZoneInfo,
    points: str = "",
    later: Observed | None = None,
    events: Sequence[tuple[float, str, str]] = (),
) -> MetricCard:
    metric = at_its_time(metric, last_hour(seen))
    place = band_place(metric)
    return MetricCard(
        key=metric.key,
        label=metric.label,
        value=wording.number(metric.now, wording.decimals(metric.key)),
        unit=wording.unit(metric.unit, metric.key) if metric.now is not None else "",
        when=_when(metric, now, zone),
        source=metric.now_source,
        is_stale=is_stale(metric),
        expected=_expected(metric),
        place=place,
        place_class=_place_class(place),
        norm=_level("usual after this operation", metric.norm, metric),
        before=_level("own level before surgery", metric.baseline, metric),
        points=points,
        notes=_notes(metric),
        gates=_gates(metric),
        gate_notes=tuple(_gate_note(metric, note) for note in metric.gates.recent[-6:]),
        record=scorecard_line(metric),
        chart=_drawn(metric, seen, operation, now, zone, later, events),
    )


def _level(whose: str, value: float | None, metric: MetricSaid) -> str:
    """Blank where it is not known."""
    return f"{whose} {wording.quantity(value, metric.key, metric.unit)}" if value is not None else ""


def _drawn(
    metric: MetricSaid,
    seen: Observed | None,
    operation: Operation,
    now: datetime,
    zone: ZoneInfo,
    later: Observed | None,
    events: Sequence[tuple[float, str, str]],
) -> Chart | None:
    """Nothing before the operation's end is known: the axis begins there."""
    end = operation.surgery_end
    if end is None:
        return None
    return draw(metric, seen, now_hour=_hours(end, now), surgery_end=end, zone=zone, later=later, events=events)


def model_lines(said: Said | None) -> tuple[str, ...]:
    if said is None:
        return ()
    names = (
        ("population", "Expected course"),
        ("hazard", "Risk"),
        ("hypotheses", "Named causes"),
        ("trained_on", "Trained on"),
    )
    return tuple(f"{label}: {said.model[key]}" for key, label in names if said.model.get(key))


def scorecard_line(metric: MetricSaid) -> str:
    """How often the twin's own 90 % band held what was read next, and its error beside that of the usual course."""
    card = metric.scorecard
    count = card.get("n") or card.get("count") or 0
    coverage = card.get("coverage90", card.get("coverage_90"))
    if not count or not isinstance(coverage, (int, float)):
        return ""
    return (
        f"{round(coverage * 100)} of 100 readings fell inside the 90 % band"
        f" ({wording.plural(int(count), 'prediction')}){_skill_words(card.get('skill'))}"
    )


def _skill_words(skill: object) -> str:
    """Skill is 1 - error of the twin / error of the usual course; said only where there is one."""
    if isinstance(skill, bool) or not isinstance(skill, int | float) or not math.isfinite(skill):
        return ""
    percent = round(abs(skill) * 100)
    if percent == 0:
        return "; error as that of the usual course"
    return f"; error {percent} % {'below' if skill > 0 else 'above'} that of the usual course"


def _version(page: PatientPage) -> str:
    """Changes when anything on the page does, so that an open page knows whether to renew itself."""
    made = page.said.made_at.isoformat() if page.said else ""
    return " ".join([made, *(f"{alert.key}.{alert.version}.{alert.hits}" for alert in page.alerts)])


def _by_horizon(risks: tuple[Risk, ...], lead: Risk | None) -> tuple[tuple[str, tuple[RiskCard, ...]], ...]:
    """The other risks, grouped by how far ahead they look: the headline's horizon first."""
    rest = [risk for risk in risks if risk is not lead]
    first = lead.horizon_h if lead else 0.0
    horizons = sorted({risk.horizon_h for risk in rest}, key=lambda hours: (hours != first, hours))
    return tuple(
        (f"Within {_horizon_word(hours)}", tuple(risk_card(risk) for risk in rest if risk.horizon_h == hours))
        for hours in horizons
    )


def _horizon_word(hours: float) -> str:
    return f"{round(hours)} hours" if hours <= 72 else f"{round(hours / 24)} days"


def _computed(said: Said | None, now: datetime, zone: ZoneInfo) -> str:
    return f"{wording.clock(said.made_at, zone)} ({wording.age_of(said.made_at, now)})" if said else "not yet"


def _when(metric: MetricSaid, now: datetime, zone: ZoneInfo) -> str:
    if is_daily(metric.key) and metric.now is not None:
        return f"last complete day; newest reading {wording.age_of(metric.now_at, now)}"
    if metric.now_at is None:
        return "never measured" if metric.hours_since is None else f"{wording.lasting(metric.hours_since)} ago"
    return f"{wording.clock(metric.now_at, zone)}, {wording.age_of(metric.now_at, now)}"


def _expected(metric: MetricSaid) -> str:
    wide = wording.span(metric.low90, metric.high90, metric.key)
    if metric.expected is None or not wide:
        return ""
    day = " for that day" if is_daily(metric.key) else " then" if is_blood(metric.key) else " now"
    return f"Own course{day} {wording.number(metric.expected, wording.decimals(metric.key))}, 90 % band {wide}"


def _place_class(place: str) -> str:
    return "out" if place in (ABOVE, BELOW) else ""


def _notes(metric: MetricSaid) -> tuple[str, ...]:
    personal = "" if metric.personal else metric.personal_note or "Follows the population curve, not a personal one."
    return tuple(note for note in (metric.aid_note, personal) if note)


def _gates(metric: MetricSaid) -> str:
    gates = metric.gates
    if not (gates.down_weighted or gates.rejected):
        return ""
    parts = [f"{wording.number(gates.accepted)} accepted"]
    if gates.down_weighted:
        parts.append(f"{wording.number(gates.down_weighted)} given less weight")
    if gates.rejected:
        parts.append(f"{wording.number(gates.rejected)} rejected")
    return "Newest readings: " + ", ".join(parts)


def _gate_note(metric: MetricSaid, note: GateNote) -> str:
    value = wording.quantity(note.value, metric.key, metric.unit)
    word = {"rejected": "rejected", "down_weighted": "given less weight"}.get(note.decision, note.decision)
    return f"Hour {wording.number(note.hour)}: {value} {word}" + (f" ({note.reason})" if note.reason else "")


def _unmeasured(said: Said | None, cards: tuple[MetricCard, ...]) -> list[str]:
    shown = {card.key for card in cards}
    return [metric.label for key, metric in said.metrics.items() if key not in shown] if said else []


def _hours(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() / 3600.0 if since else 0.0
