"""What a patient's record refers to outside of the patient's own: practitioners, organizations, shared devices."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from recovery.models import Document, Series
from recovery.selectors.fhir_store import StoredDocument, stored

# Types that others than one patient share, in the order in which they are told.
SHARED = ("Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Medication")
_REFERENCE = re.compile(rf'"reference":\s*"({"|".join(SHARED)})/([A-Za-z0-9\-.]{{1,64}})')

Reference = tuple[int, str]  # place of the type in SHARED, id


def referenced(
    patient_fhir_id: str,
    *,
    among: Collection[str],
    wanted: Collection[str],
    since: datetime | None,
    after: Reference,
    limit: int,
) -> list[StoredDocument]:
    """Up to `limit` shared documents beyond `after`, by type and id, that resources of types `among` refer to.

    `wanted`: types to tell. A device that belongs to a patient is told in that patient's compartment, not here.
    """
    names = {name for name in _named(patient_fhir_id, among) if SHARED[name[0]] in wanted and name > after}
    found: list[StoredDocument] = []
    for place, kind in enumerate(SHARED):
        ids = [fhir_id for of, fhir_id in names if of == place]
        shared = Document.objects.filter(patient__isnull=True, type=kind, deleted=False)
        if since is not None:
            shared = shared.filter(updated_at__gte=since)
        rows = shared.filter(fhir_id__in=ids) if ids else ()
        found += sorted((stored(row) for row in rows), key=lambda one: one.fhir_id)
    return found[:limit]


def _named(patient_fhir_id: str, among: Collection[str]) -> set[Reference]:
    return {
        (SHARED.index(match.group(1)), match.group(2))
        for text in _texts(patient_fhir_id, among)
        for match in _REFERENCE.finditer(text)
    }


def _texts(patient_fhir_id: str, among: Collection[str]) -> Iterator[str]:
    """The documents, and what every reading of a series has in common."""
    mine = Document.objects.filter(patient__fhir_id=patient_fhir_id, type__in=among, deleted=False)
    yield from mine.values_list("content", flat=True).iterator(chunk_size=500)
    if "Observation" in among:
        series = Series.objects.filter(patient__fhir_id=patient_fhir_id).exclude(shape=Series.Shape.PROJECTED)
        for template, source in series.values_list("template", "source"):
            yield template.replace('\\"', '"')
            yield f'"reference": "{source}"'
