"""The inbox in words: rows that say who, what, since when and by when; and the whole story of one alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.pathway_plan import ESCALATE_TO
from recovery.presenters import wording
from recovery.presenters.alerts import ACTIONS, AlertCard, alert_card, wake_words
from recovery.presenters.sparkline import Sparkline, draw_spark
from recovery.selectors.inbox import AlertDetail, AlertOfPatient, Happening, Inbox
from recovery.selectors.roster import Colleague

VIEWS = {
    "team": "Team",
    "mine": "Mine",
    "unowned": "Unowned",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
    "all": "All",
}
NOTHING = {
    "team": "No open alerts. Nobody is waiting for an answer.",
    "mine": "You have no alerts. What you take, or are given, is listed here.",
    "unowned": "No alert is without an owner.",
    "snoozed": "Nothing is snoozed.",
    "resolved": "Nothing has been resolved yet.",
    "all": "There have been no alerts. They appear here when a rule is met.",
}
CHANNELS = {"email": "e-mail", "push": "push message", "hook": "webhook"}
REASONS = {
    "raised": "new alert",
    "graver": "became graver",
    "again": "open again",
    "assigned": "given to them",
    "escalated": "escalation",
}
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class InboxRow:
    card: AlertCard
    patient_key: UUID
    patient_name: str
    patient_label: str
    patient_line: str
    evidence: str
    spark: Sparkline | None


@dataclass(frozen=True, slots=True)
class Line:
    when: str
    what: str
    detail: str
    mark: str  # step | told | seen | failed | ahead: shape and weight of the line


@dataclass(frozen=True, slots=True)
class DetailView:
    row: InboxRow
    timeline: tuple[Line, ...]
    ahead: tuple[Line, ...]
    people: tuple[Colleague, ...]
    wake: str
    undo_words: str
    can_assign: bool
    can_snooze: bool
    can_escalate: bool


def inbox_rows(found: Inbox, now: datetime, zone: ZoneInfo) -> tuple[InboxRow, ...]:
    return tuple(inbox_row(one, now, zone) for one in found.rows)


def inbox_row(of: AlertOfPatient, now: datetime, zone: ZoneInfo) -> InboxRow:
    end = of.operation.surgery_end
    day = wording.recovery_day((now - end).total_seconds() / 3600.0 if end else None)
    return InboxRow(
        card=alert_card(of.alert, now, zone),
        patient_key=of.operation.key,
        patient_name=of.person.name,
        patient_label=wording.origin_label(of.person),
        patient_line=f"{of.operation.procedure_text or 'procedure not known'}, {day}",
        evidence=of.alert.because[0] if of.alert.because else "",
        spark=draw_spark(of.spark),
    )


def detail_view(found: AlertDetail, now: datetime, zone: ZoneInfo) -> DetailView:
    status = found.of.alert.status
    return DetailView(
        row=inbox_row(found.of, now, zone),
        timeline=tuple(_line(one, zone) for one in found.timeline),
        ahead=tuple(_line(one, zone) for one in found.ahead),
        people=found.people,
        wake=wake_words(found.would_wake),
        undo_words=_undo_words(found, now),
        can_assign=status != "resolved",
        can_snooze=status in ("open", "acknowledged"),
        can_escalate=status in ("open", "acknowledged"),
    )


def _undo_words(found: AlertDetail, now: datetime) -> str:
    if found.may_undo_until is None:
        return ""
    seconds = max(1, round((found.may_undo_until - now).total_seconds()))
    last = found.of.alert.steps[-1]
    return f"{ACTIONS.get(last.action, 'Done')}. You can undo this for {seconds} s."


def _line(one: Happening, zone: ZoneInfo) -> Line:
    when = wording.clock(one.at, zone)
    who = _names(one.who)
    if one.kind == "step":
        return Line(when, f"{ACTIONS.get(one.what, one.what)} by {who}", one.detail, "step")
    if one.kind == "hits":
        return Line(when, f"Last of {one.what} looks at which the rule was met", "", "told")
    if one.kind == "seen":
        return Line(when, f"Seen by {who}", "", "seen")
    if one.kind == "told":
        return Line(when, f"Told in the product: {who}", REASONS.get(one.what, one.what), "told")
    if one.kind == "due":
        return Line(when, f"{ESCALATE_TO.get(one.what, one.what)} will be told", "", "ahead")
    return _outside(one, when, who)


def _outside(one: Happening, when: str, who: str) -> Line:
    channel = CHANNELS.get(one.what, one.what)
    to = f" to {who}" if who else ""
    if one.kind == "failed":
        return Line(when, f"Not delivered by {channel}{to}: given up", one.detail, "failed")
    if one.kind == "waiting":
        return Line(when, f"Waiting to go by {channel}{to}", one.detail, "told")
    return Line(when, f"Delivered by {channel}{to}", "", "told")


def _names(who: Sequence[str]) -> str:
    shown = ", ".join(who[:NAMES_SHOWN])
    more = len(who) - NAMES_SHOWN
    return f"{shown} and {wording.plural(more, 'other')}" if more > 0 else shown
