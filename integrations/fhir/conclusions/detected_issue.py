"""DetectedIssue: an alert with its evidence and what people did about it. Pure.

Preliminary while somebody may still change it, final once it is resolved; each change of status is a mitigation.
"""

from typing import Any

from integrations.fhir.conclusions.alert_codes import identifier, kind, subject
from integrations.fhir.conclusions.codes import PRODUCT, profile
from integrations.fhir.conclusions.concluded import with_head
from recovery.selectors.alerts import Step
from recovery.selectors.fhir_alerts import AlertSaid
from recovery.services.documents import instant

# R4 DetectedIssue.severity
SEVERITIES = {"high": "high", "medium": "moderate", "low": "low"}
ACTIONS = {"acknowledged": "Acknowledged", "snoozed": "Snoozed", "resolved": "Resolved", "open": "Reopened"}


def detected_issue(found: AlertSaid) -> dict[str, Any]:
    alert = found.alert
    body = {
        "identifier": identifier(found),
        "status": "final" if alert.status == "resolved" else "preliminary",
        "code": kind(found),
        "severity": SEVERITIES[alert.severity],
        "patient": subject(found),
        "identifiedDateTime": instant(alert.raised_at),
        "author": {"display": PRODUCT},
        "implicated": [{"reference": f"Procedure/{found.procedure_id}"}],
        "evidence": _evidence(found),
        "detail": alert.headline,
        "mitigation": [_mitigation(step, alert.outcome) for step in _answers(alert.steps)],
    }
    return with_head(
        "DetectedIssue", str(alert.key), found.number, instant(found.changed_at), body, profile("recovery-alert")
    )


def _evidence(found: AlertSaid) -> list[dict[str, Any]]:
    """The sentences under the alert; with the index of the day on which they held and the risks of the episode, which
    stand on the same readings."""
    said = [{"text": sentence} for sentence in found.alert.because if sentence]
    detail = [{"reference": f"RiskAssessment/{found.episode_key}"}]
    if found.day is not None:
        detail.insert(0, {"reference": f"Observation/{found.episode_key}-day{found.day}"})
    return [{"code": said, "detail": detail}] if said else []


def _answers(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """What changed its status: without the step that raised it, and those by which it was only told again."""
    before = ("open", *(step.to_status for step in steps))
    return tuple(step for step, status in zip(steps, before, strict=False) if step.to_status != status)


def _mitigation(step: Step, outcome: str) -> dict[str, Any]:
    words = [ACTIONS.get(step.to_status, step.to_status)]
    if step.to_status == "resolved" and outcome:
        words.append(f"({outcome.replace('_', ' ')})")
    text = " ".join(words) + (f": {step.reason}" if step.reason else "")
    return {"action": {"text": text}, "date": instant(step.at), "author": {"display": step.actor or "unknown"}}
