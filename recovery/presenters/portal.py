"""The patient's own page in plain words (reading age 9 to 11): no risk numbers, no red for an ordinary bad day.

Compared with themself first. The words come from the snapshot: a reading is "usual for you" when it lies within the
90 % band of the person's own course.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.bedside import is_grave
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
from recovery.selectors.portal import OwnPage
from recovery.selectors.snapshot import MetricSaid, Said
from recovery.selectors.timeline import Observed
from recovery.twin.metrics import METRICS

PLAIN = {
    "steps": "Walking (steps in a day)",
    "pain": "Pain (0 to 10)",
    "heart_rate": "Heart beats in a minute",
    "respiratory_rate": "Breaths in a minute",
    "spo2": "Oxygen in your blood",
    "temperature": "Body temperature",
    "walking_speed": "Walking speed",
    "cadence": "Steps in a minute when walking",
    "stride_length": "Length of your stride",
    "qualified_steps": "Steps counted by your implant in a day",
    "knee_rom": "How far your knee bends",
}
ORDER = tuple(PLAIN)
ASKED = ("act", "review")
ASK_ABOUT_PAIN = "That is a lot of pain, even if it can happen at this time. Please tell your care team."
ASK_ABOUT_READING = "Please ask your care team about this reading."


@dataclass(frozen=True, slots=True)
class OwnMetric:
    key: str
    label: str
    latest: str
    when: str
    usual: str
    verdict: str
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class OwnView:
    first_name: str
    operation: str
    day: str
    sentence: str
    team: str
    team_line: str
    data_line: str
    label: str
    metrics: tuple[OwnMetric, ...]


def own_view(page: OwnPage, now: datetime, zone: ZoneInfo) -> OwnView:
    said, end = page.said, page.operation.surgery_end
    hour = (now - end).total_seconds() / 3600.0 if end else None
    return OwnView(
        first_name=page.person.name.split(" ")[0],
        operation=_inside_sentence(
            (said.procedure_label if said else "") or page.operation.procedure_text or "your operation"
        ),
        day=wording.recovery_day(hour),
        sentence=own_sentence(page, hour),
        team=page.operation.team or "your care team",
        team_line=team_line(page),
        data_line=data_line(said, now, zone),
        label=wording.origin_label(page.person),
        metrics=own_metrics(page, hour, zone) if said and hour is not None else (),
    )


def own_sentence(page: OwnPage, hour: float | None) -> str:
    """How am I doing, in one sentence. It reassures only when nothing at all speaks against it."""
    said = page.said
    if said is None or hour is None:
        return "We have nothing to show yet. Your readings will appear here."
    day = wording.recovery_day(hour)
    if said.state in ASKED:
        return "Your readings are on your care team's list to look at."
    fresh = [
        at_its_time(one, last_hour(page.observed.get(one.key)))
        for one in said.metrics.values()
        if band_place(one) and not is_blood(one.key)
    ]
    if not fresh:
        return f"It is {day}. We have no fresh readings from you."
    away = [metric for metric in fresh if _is_away(metric, said)]
    if not away:
        return f"Your readings are as expected for you on {day}."
    names = _listed([metric.label.lower() for metric in away[:3]])
    verb = "are" if len(away) > 1 else "is"
    return f"It is {day}. Your {names} {verb} worth a look: see below."


def team_line(page: OwnPage) -> str:
    """Only what is true: an alert that exists, and whether somebody has taken it."""
    team = page.operation.team or "Your care team"
    if page.team_has_answered:
        return f"{team} has seen this."
    if page.team_has_alert:
        return f"{team} has this on its list; nobody has answered yet."
    return f"{team} can see these readings."


def data_line(said: Said | None, now: datetime, zone: ZoneInfo) -> str:
    if said is None or said.data_until is None:
        return "No readings have arrived yet."
    return (
        f"Your newest reading is from {wording.clock(said.data_until, zone)} ({wording.age_of(said.data_until, now)})."
    )


def own_metrics(page: OwnPage, hour: float, zone: ZoneInfo) -> tuple[OwnMetric, ...]:
    assert page.said is not None  # noqa: S101  (own_view asks only then)
    said = page.said
    keys = [
        key for key in ORDER if key in said.metrics and (said.metrics[key].now is not None or page.observed.get(key))
    ]
    return tuple(own_metric(said.metrics[key], page, hour, zone) for key in keys)


def own_metric(metric: MetricSaid, page: OwnPage, hour: float, zone: ZoneInfo) -> OwnMetric:
    operation, seen = page.operation, page.observed.get(metric.key)
    metric = at_its_time(metric, last_hour(seen))
    usual = wording.span(metric.low90, metric.high90, metric.key)
    day = wording.recovery_day(_hour_of_latest(metric, seen, hour))
    unit = wording.unit(metric.unit, metric.key)
    return OwnMetric(
        key=metric.key,
        label=PLAIN.get(metric.key, metric.label),
        latest=wording.quantity(metric.now, metric.key, metric.unit),
        when=_when(metric, day, zone),
        usual=f"Usual for you on {day}: {usual}\N{NO-BREAK SPACE}{unit}" if usual else "",
        verdict=_verdict(metric, page.said),
        chart=draw(metric, seen, now_hour=hour, surgery_end=operation.surgery_end, zone=zone)
        if operation.surgery_end
        else None,
    )


def _hour_of_latest(metric: MetricSaid, seen: Observed | None, hour: float) -> float:
    """A daily total is of its own day; other readings are compared with now."""
    latest = last_hour(seen)
    return latest if is_daily(metric.key) and latest is not None else hour


def _when(metric: MetricSaid, day: str, zone: ZoneInfo) -> str:
    if metric.now_at is None or metric.now is None:
        return ""
    return f"on {day}, the last whole day" if is_daily(metric.key) else wording.clock(metric.now_at, zone)


def _verdict(metric: MetricSaid, said: Said | None) -> str:
    if metric.now is None or is_stale(metric):
        return "No reading lately."
    place = band_place(metric)
    if said is not None and is_grave(metric, said):
        return ASK_ABOUT_PAIN if metric.key == "pain" else ASK_ABOUT_READING
    if place in (ABOVE, BELOW):
        side = "higher" if place == ABOVE else "lower"
        better = METRICS[metric.key].better if metric.key in METRICS else "baseline"
        return f"{side.capitalize()} than we expected" + (": a good sign." if better == side else ".")
    return "As expected for you." if place else ""


def _is_away(metric: MetricSaid, said: Said) -> bool:
    return band_place(metric) in (ABOVE, BELOW) or is_grave(metric, said)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _inside_sentence(name: str) -> str:
    """ "Total knee replacement" begins small inside a sentence, an abbreviation does not."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
