"""Patients who were merged away: what is sent about them is refused, with the name of who has their record now.

Refused and not redirected: a reference would then say another patient than its sender wrote, and an unmerge could not
give it back. HL7 v2 messages name people by numbers, which follow a merge, so these go to the survivor.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef

from recovery.exceptions import Conflict
from recovery.models import PatientMerge


def is_merged() -> Exists:
    """Of rows of Patient."""
    return Exists(PatientMerge.objects.filter(gone=OuterRef("pk"), undone_at__isnull=True))


def survivors_of(fhir_ids: Collection[str]) -> dict[str, str]:
    """FHIR id -> that of who has the record now; those who were not merged away are left out."""
    rows = PatientMerge.objects.filter(undone_at__isnull=True)
    found: dict[str, str] = {}
    wanted: set[str] = set(fhir_ids)
    while wanted:
        step: dict[str, Any] = dict(
            rows.filter(gone__fhir_id__in=wanted).values_list("gone__fhir_id", "survivor__fhir_id")
        )
        wanted = {one for one in step.values() if one not in found}
        found |= step
    return {one: _last(one, found) for one in fhir_ids if one in found}


def _last(fhir_id: str, into: dict[str, str]) -> str:
    for _ in range(len(into)):
        fhir_id = into.get(fhir_id, fhir_id)
    return fhir_id


def refusal(fhir_id: str, field: str) -> Conflict:
    survivor = survivors_of([fhir_id]).get(fhir_id, "another")
    return Conflict(
        f"Patient/{fhir_id} was merged into Patient/{survivor}: send what is about them there.", field=field
    )
