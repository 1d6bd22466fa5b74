"""Alerts in words: who waits since when, what was seen, what one might do, and what happened so far."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.wording import origin_label
from recovery.selectors.alerts import AlertOfPatient, AlertSeen, Step

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
VIEWS = {
    "unanswered": "Unanswered",
    "mine": "Mine",
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
    "all": "All",
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
    patient_name: str = ""
    patient_label: str = ""
    patient_line: str = ""
    patient_key: UUID | None = None


def alert_card(alert: AlertSeen, now: datetime, zone: ZoneInfo, of: AlertOfPatient | None = None) -> AlertCard:
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
        patient_label=_label(of),
        patient_name=of.person.name if of else "",
        patient_line=_patient_line(of, now) if of else "",
        patient_key=of.operation.key if of else None,
    )


def status_line(alert: AlertSeen, now: datetime, zone: ZoneInfo) -> str:
    if alert.status == "open":
        return f"Nobody has answered yet; waiting {wording.lasting(_hours(alert.raised_at, now))}"
    if alert.status == "acknowledged":
        return f"{alert.owner or 'Somebody'} has it"
    if alert.status == "snoozed":
        return f"Snoozed until {wording.clock(alert.snoozed_until, zone)}; opens again sooner if it gets graver"
    return f"Resolved {wording.clock(alert.resolved_at, zone)}"


def _label(of: AlertOfPatient | None) -> str:
    return origin_label(of.person) if of else ""


def _patient_line(of: AlertOfPatient, now: datetime) -> str:
    end = of.operation.surgery_end
    day = wording.recovery_day(_hours(end, now) if end else None)
    return f"{of.operation.procedure_text or 'procedure not known'}, {day}"


def _step(step: Step, zone: ZoneInfo) -> StepLine:
    return StepLine(wording.clock(step.at, zone), STATUSES.get(step.to_status, step.to_status), step.actor, step.reason)


def _hours(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds() / 3600.0
