"""The shelves behind the one door: each answers `read` and `versions` with Entries, whatever its rows are."""

from dataclasses import dataclass, replace
from datetime import datetime

from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.outcomes import refused
from integrations.fhir.routes import Route
from integrations.fhir.streams import template
from integrations.fhir.streams.template import Filling
from recovery.exact_json import dumps
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.selectors import fhir_store
from recovery.selectors.fhir_store import StoredDocument, StoredReading
from recovery.services.documents import instant
from recovery.services.intake import NumberReading, PacketReading


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one resource, as its JSON text (empty when deleted). `patient_id`: row id, for the audit."""

    type: str
    fhir_id: str
    version: int
    updated_at: datetime
    text: str
    patient_id: int | None
    deleted: bool = False


def of_document(row: StoredDocument) -> Entry:
    return Entry(row.type, row.fhir_id, row.version, row.updated_at, row.content, row.patient_id, row.deleted)


def of_reading(row: StoredReading, fhir_id: str | None = None) -> Entry:
    """A streamed Observation, written out as it was sent. It has one version: a changed one is a document."""
    name = fhir_id or row.fhir_id or reading_id(row)
    filling = Filling(
        name, 1, instant(row.received_at), row.at_ms, row.end_ms, row.value, row.digits, row.data, row.slots
    )
    return Entry("Observation", name, 1, row.received_at, template.render(row.template, filling), row.patient_id)


def of_sent(reading: NumberReading | PacketReading, fhir_id: str, received_at: datetime) -> str:
    """The text of a reading just stored: what `of_reading` will give, without asking the database for it."""
    filling = Filling(fhir_id, 1, instant(received_at), reading.at_ms, slots=reading.slots)
    if isinstance(reading, NumberReading):
        filling = replace(filling, value=reading.value, digits=reading.digits)
    else:
        filling = replace(filling, data=reading.data, end_ms=reading.end_ms)
    return template.render(reading.series.template, filling)


def reading_id(row: StoredReading) -> str:
    if row.digest is not None:
        return encode(ReadingId("k", row.series_id, row.at_ms, row.digest))
    return encode(ReadingId("r", row.series_id, row.at_ms, value_mark(row.value or 0.0, row.digits)))


def of_conclusion(found: Concluded) -> Entry:
    resource = found.resource
    name, fhir_id = resource["resourceType"], resource["id"]
    return Entry(name, fhir_id, found.version, found.updated_at, dumps(resource), found.patient_id)


def concluded(route: Route, fhir_id: str) -> Entry | None:
    """The conclusion of that id. It is this server's to change: nobody writes it from outside."""
    source = CONCLUSIONS.get(route.type)
    found = source.one(fhir_id) if source is not None else None
    return of_conclusion(found) if found is not None else None


def find(route: Route, fhir_id: str) -> Entry | None:
    """The current version, deleted or not; None when the id is not known. A document goes before a reading or
    a conclusion."""
    held = None if route.shelf == "views" else fhir_store.get_document(route.type, fhir_id)
    if held is not None:
        return of_document(held)
    conclusion = concluded(route, fhir_id)
    if conclusion is not None:
        return conclusion
    reading = fhir_store.get_reading(fhir_id) if route.shelf == "streams" else None
    return of_reading(reading, fhir_id) if reading else None


def read(route: Route, fhir_id: str) -> Entry:
    """The current version. Raises FhirError 404, or 410 for what was deleted."""
    found = find(route, fhir_id)
    if found is None:
        raise refused(404, "not-found", f"There is no {route.type}/{fhir_id}.")
    if found.deleted:
        raise refused(410, "deleted", f"{route.type}/{fhir_id} was deleted.")
    return found


def read_version(route: Route, fhir_id: str, version: str) -> Entry:
    """Raises FhirError 404 for a version that never was, 410 for the deletion itself."""
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 16 else 0
    for one in versions(route, fhir_id):
        if one.version == number:
            if one.deleted:
                raise refused(410, "deleted", f"{route.type}/{fhir_id} was deleted with version {version}.")
            return one
    raise refused(404, "not-found", f"There is no version {version[:20]} of {route.type}/{fhir_id}.")


def versions(route: Route, fhir_id: str) -> list[Entry]:
    """All versions, newest first, deletions included. Raises FhirError 404."""
    held = [of_document(row) for row in fhir_store.history(route.type, fhir_id)]
    if held:
        return held
    source = CONCLUSIONS.get(route.type)
    if source is not None and source.versions is not None:
        kept = [of_conclusion(one) for one in source.versions(fhir_id)]
        if kept:
            return kept
    current = find(route, fhir_id)
    if current is None:
        raise refused(404, "not-found", f"There is no {route.type}/{fhir_id}.")
    return [current]
