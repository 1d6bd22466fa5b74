"""Finding Provenance: of what stands now (first, by episode), then of every delivery (by its audit row)."""

from collections.abc import Sequence
from uuid import UUID

from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.provenance import ARRIVAL, CONCLUSION, arrival, conclusion
from integrations.fhir.primitives import LOCAL_REFERENCE, to_ms
from recovery.selectors.fhir_arrivals import ArrivalSaid, arrivals_of, arrivals_said
from recovery.selectors.fhir_plans import PlanSaid, plans_said
from recovery.selectors.fhir_search import Criterion

# Deliveries come after every episode.
_DELIVERIES = 2**40
_CONCLUDED = ("RiskAssessment", "CarePlan", "Goal")
_KEY_LENGTH = 36


def one(fhir_id: str) -> Concluded | None:
    if fhir_id.startswith(ARRIVAL):
        number = _row_id(fhir_id.removeprefix(ARRIVAL))
        return next((_arrival(found) for found in arrivals_said(ids=[number])), None) if number else None
    if fhir_id.startswith(CONCLUSION):
        return next(iter(_of_episode(fhir_id.removeprefix(CONCLUSION))), None)
    return None


def many(patients: Sequence[str] | None, after: int, limit: int) -> list[Concluded]:
    found: list[Concluded] = []
    if after < _DELIVERIES:
        found = _concluded(plans_said(patients=patients, after=after, limit=limit))
    if len(found) < limit:
        beyond = max(0, after - _DELIVERIES)
        found += [_arrival(row) for row in arrivals_said(patients=patients, after=beyond, limit=limit - len(found))]
    return found


def named(criteria: Sequence[Criterion]) -> list[Concluded] | None:
    """Those that brought, or concluded, the targets that a search names."""
    for criterion in criteria:
        if criterion.param == "target" and criterion.missing is None and not criterion.negated:
            return _of_targets([match.value or "" for match in criterion.matches])
    return None


def _of_targets(references: Sequence[str]) -> list[Concluded]:
    """A bare id in a search stands for that id of any type: only those that exist are found."""
    found: dict[int, Concluded] = {}
    local = [text for text in references if LOCAL_REFERENCE.fullmatch(text)]
    for text in local:
        name, fhir_id = text.split("/")[:2]
        if name in _CONCLUDED:
            found |= {row.row_id: row for row in _of_episode(fhir_id[:_KEY_LENGTH])}
    arrived = arrivals_said(ids=arrivals_of(local), limit=len(local) * 10) if local else []
    found |= {row.row_id: row for row in map(_arrival, arrived)}
    return [found[place] for place in sorted(found)]


def _row_id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 19 else 0


def _of_episode(key: str) -> list[Concluded]:
    try:
        known = UUID(key)
    except ValueError:
        return []
    return _concluded(plans_said(key=known, limit=1)) if str(known) == key else []


def _arrival(found: ArrivalSaid) -> Concluded:
    return Concluded(_DELIVERIES + found.row_id, 1, found.received_at, found.patient_id, arrival(found))


def _concluded(plans: Sequence[PlanSaid]) -> list[Concluded]:
    return [
        Concluded(
            plan.row_id, to_ms(plan.said.made_at), plan.said.made_at, plan.patient_id, conclusion(plan, plan.said)
        )
        for plan in plans
        if plan.said is not None
    ]
