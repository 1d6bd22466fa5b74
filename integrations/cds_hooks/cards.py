"""Cards from what the current snapshot and the open alerts say, and from nothing else. Pure.

Each says its interval, the age of the data and the model; where the twin abstains, or what it said is old, that is
what the card says. Options, never orders.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from integrations.cds_hooks.services import Service
from recovery.presenters.risk import horizon, risk_card, short_risk
from recovery.presenters.wording import (
    STALE_READING_HOURS,
    STALE_SNAPSHOT_HOURS,
    STATES,
    age_of,
    clock,
    origin_label,
    recovery_day,
)
from recovery.selectors.alerts import AlertSeen
from recovery.selectors.cards import Followed
from recovery.selectors.snapshot import MilestoneSaid, Risk, Said, headline_risk
from recovery.services.cards import NewCard

# CDS Hooks 2.0.1, Card.summary: fewer than 140 characters.
LONGEST_SUMMARY = 139
MOST_ALERTS, MOST_OTHER_RISKS, MOST_MILESTONES = 3, 3, 6
HOUR = timedelta(hours=1)
INDICATOR_OF_STATE = {"act": "critical", "review": "warning"}
INDICATOR_OF_SEVERITY = {"high": "critical", "medium": "warning"}
OVERRIDE_REASONS = "https://twinweb.example/CodeSystem/card-override"
REASONS = (
    ("already-acting", "Already acting on it"),
    ("expected-course", "Expected in this patient"),
    ("false-alarm", "Not true of this patient"),
    ("device-problem", "The device or the data is wrong"),
    ("later", "Not now"),
)
INTENDED = "For clinicians, as one source among others; not for time-critical decisions. Not a cleared medical device."
AHEAD_H = 30 * 24

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where links lead: our own address, and (`launch`) where an EHR that knows us can launch the page as an app."""

    root: str
    launch: str
    zone: ZoneInfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A card as it is sent, and as it is remembered."""

    said: Json
    kept: NewCard


def cards_for(service: Service, found: Followed, keys: list[UUID], place: Place) -> list[Made]:
    """The cards, the gravest first. `keys`: at least 1 + MOST_ALERTS fresh ones, for the cards to be known by."""
    fresh = iter(keys)
    made = [_of_recovery(service, found, next(fresh), place)]
    if service.focus == "now":
        made += [_of_alert(alert, found, next(fresh), place) for alert in _gravest(found.alerts)[:MOST_ALERTS]]
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(made, key=lambda one: order[one.kept.indicator])


def _gravest(alerts: tuple[AlertSeen, ...]) -> list[AlertSeen]:
    order = {"high": 0, "medium": 1, "low": 2}
    return sorted((one for one in alerts if one.status == "open"), key=lambda one: order[one.severity])


def refusal_card(sentence: str, key: UUID) -> Json:
    """An info card that says why nothing is said: about whom the call is, is not sure."""
    return {"uuid": str(key), "summary": shortened(sentence), "indicator": "info", "source": _source("")}


# ---- the card about the recovery ---


def _of_recovery(service: Service, found: Followed, key: UUID, place: Place) -> Made:
    said = found.said
    indicator = "info"
    if said is not None and not _is_old(said, place.now):
        indicator = INDICATOR_OF_STATE.get(said.state, "info")
    summary = _ahead_summary(found, place) if service.focus == "ahead" else _now_summary(found, place)
    detail = [*_state_lines(found, place), *_risk_lines(service, said), *_ahead_lines(service, said)]
    detail += _standing_lines(said, place)
    return _made(key, summary, indicator, detail, found, place)


def _now_summary(found: Followed, place: Place) -> str:
    said = found.said
    if said is None:
        return f"{_when(found, None)}: nothing has been computed yet"
    if _is_old(said, place.now):
        return f"{_when(found, said)}: what the twin last said is old ({age_of(said.made_at, place.now)})"
    return f"{_when(found, said)}: {STATES.get(said.state, said.state)}. {_risk_words(headline_risk(said.risks))}"


def _ahead_summary(found: Followed, place: Place) -> str:
    said = found.said
    if said is None or _is_old(said, place.now):
        return _now_summary(found, place)
    alerts = sum(one.status == "open" for one in found.alerts)
    head = f"{alerts} open alert{'' if alerts == 1 else 's'}. " if alerts else ""
    return f"{_when(found, said)}: {head}{_risk_words(_farthest(said))}"


def _farthest(said: Said) -> Risk | None:
    """Readmission within 30 days where it is estimated; else the headline risk."""
    later = [one for one in said.risks if one.outcome == "readmission" and one.horizon_h <= AHEAD_H]
    return max(later, key=lambda one: one.horizon_h) if later else headline_risk(said.risks)


def _when(found: Followed, said: Said | None) -> str:
    day = recovery_day(said.hour if said is not None else None) if said is not None else "After surgery"
    label = (said.procedure_label if said is not None else "") or found.operation.procedure_text
    return f"{day.capitalize()}, {label[:40].lower()}" if label else day.capitalize()


def _risk_words(risk: Risk | None) -> str:
    first, second = short_risk(risk)
    if risk is None or risk.probability is None:
        return f"No risk is estimated: {second}"
    return f"{second[:1].upper()}{second[1:]}: {first}"


def _state_lines(found: Followed, place: Place) -> list[str]:
    said = found.said
    if said is None:
        return ["The first readings have not been looked at yet."]
    lines = [plain(said.sentence)] if said.sentence else []
    lines += [f"- {plain(reason)}" for reason in said.reasons]
    if _is_old(said, place.now):
        lines.insert(0, f"**What follows was said {age_of(said.made_at, place.now)} and may no longer hold.**")
    return lines


def _risk_lines(service: Service, said: Said | None) -> list[str]:
    """The one that the summary names with its reasons, then the likeliest others of the same time, each in a line."""
    if said is None:
        return []
    lead = _farthest(said) if service.focus == "ahead" else headline_risk(said.risks)
    if lead is None:
        return ["", "No risk is estimated."]
    beside = [one for one in said.risks if one is not lead and one.horizon_h == lead.horizon_h]
    beside.sort(key=lambda one: -(one.probability or 0.0))
    return ["", "**Risks**", _risk_line(lead), *(_short_line(one) for one in beside[:MOST_OTHER_RISKS])]


def _short_line(risk: Risk) -> str:
    first, second = short_risk(risk)
    if risk.probability is None:
        return f"- {plain(risk.label)}: not estimated. {plain(second)}"
    return f"- {plain(second[:1].upper() + second[1:])}: {plain(first)}"


def _risk_line(risk: Risk) -> str:
    card = risk_card(risk)
    if card.withheld:
        return f"- {plain(card.label)} within {horizon(risk.horizon_h)}: not estimated. {plain(card.withheld)}"
    reasons = "; ".join(f"{one.text} ({one.effect})" if one.effect else one.text for one in card.reasons[:3])
    why = f" Because: {plain(reasons)}." if reasons else ""
    return f"- {plain(card.sentence)} {plain(card.interval)}{why}"


def _ahead_lines(service: Service, said: Said | None) -> list[str]:
    if service.focus != "ahead" or said is None:
        return []
    still = [one for one in said.milestones if not one.achieved][:MOST_MILESTONES]
    return ["", "**Still to come**", *(f"- {_milestone(one)}" for one in still)] if still else []


def _milestone(one: MilestoneSaid) -> str:
    if one.median is None:
        return f"{plain(one.label)}: cannot be foreseen"
    span = f" (day {one.early} to {one.late})" if one.early is not None and one.late is not None else ""
    return f"{plain(one.label)}: about day {one.median}{span}"


def _standing_lines(said: Said | None, place: Place) -> list[str]:
    """On what it stands: readings until when, computed when, by which model, judged on what."""
    if said is None:
        return ["", INTENDED]
    lines = [f"Computed {clock(said.made_at, place.zone)} ({age_of(said.made_at, place.now)})."]
    if said.data_until is None:
        lines.insert(0, "No reading has arrived yet.")
    else:
        until = f"Readings until {clock(said.data_until, place.zone)} ({age_of(said.data_until, place.now)})."
        silent = (place.now - said.data_until) / HOUR >= STALE_READING_HOURS
        lines.insert(0, f"**No recent readings.** {until}" if silent else until)
    lines.append(f"Model {plain(said.model_version)}.")
    evidence = sorted({one.evidence for one in said.risks if one.evidence})
    return ["", " ".join(lines), *(plain(one) for one in evidence), INTENDED]


def _is_old(said: Said, now: datetime) -> bool:
    return (now - said.made_at) / HOUR >= STALE_SNAPSHOT_HOURS


# ---- a card about an alert ---


def _of_alert(alert: AlertSeen, found: Followed, key: UUID, place: Place) -> Made:
    detail = [f"- {plain(one)}" for one in alert.because]
    if alert.suggestions:
        detail += ["", "**Options**", *(f"- {plain(one)}" for one in alert.suggestions)]
    raised = f"Raised {clock(alert.raised_at, place.zone)} ({age_of(alert.raised_at, place.now)})."
    detail += ["", f"{raised} Last held {age_of(alert.last_hit_at, place.now)}.", INTENDED]
    indicator = INDICATOR_OF_SEVERITY.get(alert.severity, "info")
    return _made(key, f"Alert: {alert.headline}", indicator, detail, found, place, alert.key)


def _made(
    key: UUID,
    summary: str,
    indicator: str,
    detail: list[str],
    found: Followed,
    place: Place,
    alert: UUID | None = None,
) -> Made:
    origin = origin_label(found.person)
    if origin:
        summary, detail = f"{origin.capitalize()}. {summary}", [f"**{plain(origin.capitalize())}.**", "", *detail]
    said: Json = {
        "uuid": str(key),
        "summary": shortened(summary),
        "detail": "\n".join(detail),
        "indicator": indicator,
        "source": _source(place.root),
        "overrideReasons": [
            {"code": code, "system": OVERRIDE_REASONS, "display": display} for code, display in REASONS
        ],
        "links": _links(found, place),
    }
    return Made(said, NewCard(key, indicator, alert))


def _source(root: str) -> Json:
    return {"label": "Postoperative recovery twin", **({"url": f"{root}/model/"} if root else {})}


def _links(found: Followed, place: Place) -> list[Json]:
    page = f"{place.root}/patients/{found.operation.key}/"
    links = [{"label": "Open the recovery twin", "url": page, "type": "absolute"}]
    if place.launch:
        links.insert(0, {"label": "Open the twin inside the chart", "url": place.launch, "type": "smart"})
    return links


def shortened(text: str) -> str:
    """Fewer than 140 characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= LONGEST_SUMMARY:
        return text
    cut = text[: LONGEST_SUMMARY - 1].rsplit(" ", 1)[0]
    return f"{cut}\N{HORIZONTAL ELLIPSIS}"


_MARKS = re.compile(r"([\\`*_\[\]<>#|])")


def plain(text: str) -> str:
    """Text of others inside markdown: nothing of it is read as markup."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))
