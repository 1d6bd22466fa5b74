"""Goal: a milestone of recovery, with the day on which the twin expects it. Pure.

The due date is the median of the twin's distribution of the day; the days by which 10 and 90 % of its probability have
arrived are in the extension `expected-arrival`. Where half of it does not arrive within the pathway there is no date.
"""

from typing import Any

from integrations.fhir.conclusions.codes import MILESTONES, PRODUCT, Json, coded, measure, profile, quantity
from integrations.fhir.conclusions.concluded import with_head
from integrations.fhir.primitives import to_ms
from recovery.selectors.fhir_plans import PlanSaid
from recovery.selectors.snapshot import MilestoneSaid
from recovery.services.documents import instant

ACHIEVEMENT = "http://terminology.hl7.org/CodeSystem/goal-achievement"
EXPECTED = profile("expected-arrival")


def goal_id(found: PlanSaid, milestone: MilestoneSaid) -> str:
    return f"{found.key}-{coded(milestone.key)}"


def goal(found: PlanSaid, milestone: MilestoneSaid) -> dict[str, Any]:
    achieved = _achievement(found, milestone)
    description = {"coding": [{"system": MILESTONES, "code": coded(milestone.key)}], "text": milestone.label}
    start = found.date_of(0)
    body = {
        "lifecycleStatus": _lifecycle(found, achieved),
        "achievementStatus": {"coding": [{"system": ACHIEVEMENT, "code": achieved}]},
        "description": description,
        "subject": {"reference": f"Patient/{found.patient_fhir_id}"},
        "startDate": start.isoformat() if start else "",
        "target": [_target(found, milestone)],
        "statusDate": found.changed_at.date().isoformat(),
        "expressedBy": {"display": PRODUCT},
        "addresses": [{"reference": f"RiskAssessment/{found.key}"}],
        "note": [{"text": one} for one in _notes(found, milestone)],
    }
    at = found.changed_at
    return with_head("Goal", goal_id(found, milestone), to_ms(at), instant(at), body, profile("recovery-goal"))


def _achievement(found: PlanSaid, milestone: MilestoneSaid) -> str:
    """Achieved when the trend is as good as surely there; not achieved when the pathway ended before."""
    if milestone.achieved:
        return "achieved"
    return "not-achieved" if found.status in ("finished", "cancelled") else "in-progress"


def _lifecycle(found: PlanSaid, achieved: str) -> str:
    if achieved == "achieved" or found.status == "finished":
        return "completed"
    return {"cancelled": "cancelled", "planned": "planned"}.get(found.status, "active")


def _target(found: PlanSaid, milestone: MilestoneSaid) -> Json:
    said: Json = {"measure": measure(milestone.metric)}
    if milestone.target is None:
        said["detailString"] = milestone.label
    else:
        comparator = ">=" if milestone.direction == "up" else "<="
        said["detailQuantity"] = quantity(milestone.target, milestone.unit, comparator)
    due = None if milestone.median is None else found.date_of(milestone.median)
    if due:
        said["dueDate"] = due.isoformat()
    expected = {
        name: day.isoformat()
        for name, number in (("start", milestone.early), ("end", milestone.late))
        if number is not None and (day := found.date_of(number)) is not None
    }
    return {"extension": [{"url": EXPECTED, "valuePeriod": expected}], **said} if expected else said


def _notes(found: PlanSaid, milestone: MilestoneSaid) -> list[str]:
    said = []
    if milestone.probability is not None:
        said.append(f"Reached within the pathway with a probability of {milestone.probability:.0%}.")
    if not milestone.personal:
        said.append("The usual course after this operation is used: it has predicted this patient better so far.")
    if milestone.source:
        said.append(f"Source of the level: {milestone.source}.")
    return [*said, f"{PRODUCT} {found.said.model_version}."] if found.said else said
