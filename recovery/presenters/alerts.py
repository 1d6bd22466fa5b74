"""Alerts in words: who waits since when, what was seen, what one might do, and what happened so far."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.selectors.alerts import AlertSeen, Step
from recovery.twin.metrics import METRICS
from recovery.wake import Wake

SEVERITIES = {"high": "High", "medium": "Medium", "low": "Low"}
KINDS = {
    "physiological": "Readings",
    "behavioural": "Behaviour",
    "data_stopped": "Data stopped",
    "device_fault": "Device fault",
    "model_uncertain": "Model uncertain",
}
STATUSES = {
    "open": "Raised",
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
}
ACTIONS = {
    "raised": "Raised",
    "hit": "Told again",
    "set": "Changed",
    "acknowledge": "Taken: “I have it”",
    "assign": "Given",
    "snooze": "Snoozed",
    "wake": "Opened again",
    "escalate": "Escalated",
    "resolve": "Resolved",
    "clear": "Closed by the product",
    "reopen": "Opened again",
    "undo": "Undone",
}
# At most 4 h for a high alert and 24 h for the others (services.alerting holds the rule).
SNOOZE_HOURS = {"high": (1, 2, 4), "medium": (2, 4, 8, 12, 24), "low": (4, 8, 12, 24)}
OUTCOMES = {
    "true_problem": "A true problem",
    "expected_course": "The expected course",
    "false_alarm": "A false alarm",
    "device_problem": "A device problem",
    "other": "Something else",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    when: str
    what: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertCard:
    key: UUID
    version: int
    severity: str  # colour of the card: quiet once somebody has it
    severity_key: str
    severity_word: str
    kind_word: str
    status: str
    status_line: str
    headline: str
    because: tuple[str, ...]
    suggestions: tuple[str, ...]
    since: str
    age: str
    hits: str
    is_open: bool
    can_acknowledge: bool
    can_reopen: bool
    outcome: str
    steps: tuple[StepLine, ...]
    snooze_hours: tuple[int, ...]
    owner: str
    due: str
    is_overdue: bool


def alert_card(alert: AlertSeen, now: datetime, zone: ZoneInfo) -> AlertCard:
    return AlertCard(
        key=alert.key,
        version=alert.version,
        severity=alert.severity if alert.status == "open" else "quiet",
        severity_key=alert.severity,
        severity_word=SEVERITIES.get(alert.severity, alert.severity),
        kind_word=KINDS.get(alert.kind, alert.kind),
        status=alert.status,
        status_line=status_line(alert, now, zone),
        headline=alert.headline,
        because=alert.because,
        suggestions=alert.suggestions,
        since=wording.clock(alert.raised_at, zone),
        age=wording.age_of(alert.raised_at, now),
        hits=f"seen {alert.hits} times, last {wording.age_of(alert.last_hit_at, now)}" if alert.hits > 1 else "",
        is_open=alert.status != "resolved",
        can_acknowledge=alert.status in ("open", "snoozed"),
        can_reopen=alert.status != "open",
        outcome=OUTCOMES.get(alert.outcome, alert.outcome),
        steps=tuple(_step(step, zone) for step in alert.steps),
        snooze_hours=SNOOZE_HOURS.get(alert.severity, (1,)),
        owner=alert.owner,
        due=due_line(alert.due_at, now),
        is_overdue=alert.due_at is not None and alert.due_at <= now,
    )


def status_line(alert: AlertSeen, now: datetime, zone: ZoneInfo) -> str:
    if alert.status == "open":
        given = f"Given to {alert.owner}, not taken yet" if alert.owner else "Nobody has answered yet"
        return f"{given}; waiting {wording.lasting(_hours(alert.raised_at, now))}"
    if alert.status == "acknowledged":
        return f"{alert.owner or 'Somebody'} has it"
    if alert.status == "snoozed":
        return (
            f"Snoozed until {wording.clock(alert.snoozed_until, zone)}; opens again sooner if {wake_words(alert.wake)}"
        )
    return f"Resolved {wording.clock(alert.resolved_at, zone)}"


def due_line(due_at: datetime | None, now: datetime) -> str:
    """The clock of one that is open; blank for others."""
    if due_at is None:
        return ""
    hours = _hours(now, due_at)
    return f"due in {wording.lasting(hours)}" if hours > 0 else f"overdue by {wording.lasting(-hours)}"


def wake_words(wake: Wake | None) -> str:
    """ "it gets graver, heart rate is 131 /min or more, or no data for 12 h"."""
    conditions = ["it gets graver"]
    for metric, side, limit in wake.limits if wake else ():
        found = METRICS.get(metric)
        label = found.label.lower() if found else metric
        value = wording.quantity(limit, metric, found.unit) if found else f"{limit:g}"
        conditions.append(f"{label} is {value} or {'more' if side == 'at_least' else 'less'}")
    if wake is not None and wake.silent_h is not None:
        conditions.append(f"no data for {wake.silent_h:g} h")
    return conditions[0] if len(conditions) == 1 else f"{', '.join(conditions[:-1])} or {conditions[-1]}"


def _step(step: Step, zone: ZoneInfo) -> StepLine:
    what = ACTIONS.get(step.action) or STATUSES.get(step.to_status, step.to_status)
    return StepLine(wording.clock(step.at, zone), what, step.actor, step.reason)


def _hours(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds() / 3600.0
