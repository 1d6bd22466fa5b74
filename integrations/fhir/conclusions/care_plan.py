"""CarePlan: the pathway of an episode, from day zero to its last day, with its milestones as Goals. Pure."""

from datetime import datetime, timedelta
from typing import Any

from integrations.fhir.conclusions.codes import BASE, PRODUCT, Json, profile
from integrations.fhir.conclusions.concluded import with_head
from integrations.fhir.conclusions.goal import goal_id
from integrations.fhir.primitives import to_ms
from recovery.selectors.fhir_plans import PlanSaid
from recovery.services.documents import instant

# models.Episode.Status -> R4 request-status, and the status of the activity (R4 care-plan-activity-status)
STATUSES = {
    "planned": ("draft", "scheduled"),
    "active": ("active", "in-progress"),
    "finished": ("completed", "completed"),
    "cancelled": ("revoked", "cancelled"),
}


def care_plan(found: PlanSaid) -> dict[str, Any]:
    status, activity = STATUSES.get(found.status, ("unknown", "unknown"))
    body = {
        "instantiatesUri": [f"{BASE}/pathway/{found.pathway_key}|{found.pathway_version}"] if found.pathway_key else [],
        "status": status,
        "intent": "plan",
        "title": found.pathway or f"Recovery after {found.procedure_text or 'surgery'}",
        "subject": {"reference": f"Patient/{found.patient_fhir_id}"},
        "period": _period(found.day_zero, found.days),
        "author": {"display": PRODUCT},
        "contributor": [{"display": found.team}] if found.team else [],
        "supportingInfo": _supporting(found),
        "goal": [{"reference": f"Goal/{goal_id(found, one)}"} for one in found.milestones],
        "activity": [{"detail": _watching(found, activity)}],
    }
    at = found.changed_at
    return with_head("CarePlan", str(found.key), to_ms(at), instant(at), body, profile("recovery-plan"))


def _period(day_zero: datetime | None, days: int) -> Json:
    if day_zero is None:
        return {}
    return {"start": instant(day_zero), "end": instant(day_zero + timedelta(days=days))}


def _supporting(found: PlanSaid) -> list[Json]:
    """The operation, and what the twin says of its risks once there is a snapshot."""
    risk = [{"reference": f"RiskAssessment/{found.key}"}] if found.said else []
    return [{"reference": f"Procedure/{found.procedure_id}"}, *risk]


def _watching(found: PlanSaid, status: str) -> Json:
    period = _period(found.day_zero, found.days)
    said: Json = {"kind": "ServiceRequest", "status": status}
    if period:
        said["scheduledPeriod"] = period
    return {**said, "description": f"Readings are compared with the own expected course for {found.days} days."}
