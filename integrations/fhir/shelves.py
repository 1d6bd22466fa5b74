"""The shelves behind the one door: each answers `read` and `versions` with Entries, whatever its rows are.

What is beyond the caller's reach is not there: 404, as for what never was. `find` looks at what stands without asking
for whom, for those who ask themselves.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from integrations.fhir import wire
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.outcomes import refused
from integrations.fhir.reach import EVERYTHING, Reach
from integrations.fhir.routes import Route
from integrations.fhir.streams import template
from integrations.fhir.streams.template import Filling
from recovery.exact_json import dumps, loads
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.selectors import fhir_store
from recovery.selectors.consents import entry_is_sealed
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
    """A streamed Observation, written out as it was sent. It has one version: a changed one is a document. One that the
    care team has marked as wrong says that it was entered in error; each mark and each undo is a version."""
    name = fhir_id or row.fhir_id or reading_id(row)
    filling = Filling(
        name, row.version, instant(row.received_at), row.at_ms, row.end_ms, row.value, row.digits, row.data, row.slots
    )
    text = template.render(row.template, filling)
    text = _in_error(text) if row.is_wrong else text
    return Entry("Observation", name, row.version, row.received_at, text, row.patient_id)


def _in_error(text: str) -> str:
    return dumps({**loads(text), "status": "entered-in-error"})


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


def read(route: Route, fhir_id: str, reach: Reach) -> Entry:
    """The current version. Raises FhirError 404, or 410 for what was deleted."""
    found = find(route, fhir_id)
    if found is None or not is_open(route, found, reach, "read"):
        raise refused(404, "not-found", f"There is no {route.type}/{fhir_id}.")
    if found.deleted:
        raise refused(410, "deleted", f"{route.type}/{fhir_id} was deleted.")
    return shown(found, reach)


def shown(entry: Entry, reach: Reach) -> Entry:
    """An entry as a caller may read it. What somebody searched for may name other patients: who may not see every row
    of the trail is told that there was a search, not its words."""
    if entry.type != "AuditEvent" or reach.is_unlimited("AuditEvent", "search-type"):
        return entry
    resource = wire.parse_object(entry.text.encode())
    for one in resource.get("entity", ()):
        one.pop("query", None)
    return replace(entry, text=dumps(resource))


def is_open(route: Route, entry: Entry, reach: Reach, interaction: str) -> bool:
    """Whether the caller may do that with it; with what was deleted, if so with what it last said.

    Nobody reads what its patient withdrew from care; its sender may correct it.
    """
    reads = (
        interaction in ("read", "vread", "history-instance") and reach is not EVERYTHING
    )  # our own answer to a write
    if reads and entry_is_sealed(route.type, entry.fhir_id, entry.patient_id):
        return False
    if reach.is_unlimited(route.type, interaction):
        return True
    if not entry.deleted:
        return reach.sees(entry, interaction)
    last = _last_said(_documents(route, entry.fhir_id))
    return last is not None and reach.sees(last, interaction)


def _documents(route: Route, fhir_id: str) -> list[Entry]:
    return [of_document(row) for row in fhir_store.history(route.type, fhir_id)]


def _last_said(versions: list[Entry]) -> Entry | None:
    return next((one for one in versions if not one.deleted), None)


def read_version(route: Route, fhir_id: str, version: str, reach: Reach) -> Entry:
    """Raises FhirError 404 for a version that never was, 410 for the deletion itself."""
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 16 else 0
    for one in versions(route, fhir_id, reach):
        if one.version == number:
            if one.deleted:
                raise refused(410, "deleted", f"{route.type}/{fhir_id} was deleted with version {version}.")
            return one
    raise refused(404, "not-found", f"There is no version {version[:20]} of {route.type}/{fhir_id}.")


def versions(route: Route, fhir_id: str, reach: Reach) -> list[Entry]:
    """All versions, newest first, deletions included. Raises FhirError 404.

    Of a resource that is now beyond reach none is told, nor one that was then: what was once filed under the wrong
    patient is neither that patient's nor to be read through them.
    """
    found = _versions(route, fhir_id)
    if reach is not EVERYTHING and any(entry_is_sealed(route.type, fhir_id, one.patient_id) for one in found[:1]):
        raise refused(404, "not-found", f"There is no {route.type}/{fhir_id}.")
    if reach.is_unlimited(route.type, "history-instance"):
        return found
    last = _last_said(found)
    kept = [one for one in found if one.deleted or reach.sees(one, "history-instance")]
    if last is None or last not in kept:
        raise refused(404, "not-found", f"There is no {route.type}/{fhir_id}.")
    return kept


def versions_open(route: Route, fhir_id: str, reach: Reach, interaction: str) -> list[int]:
    """Numbers of a document's versions that the caller may see: none when not what it last said."""
    found = _documents(route, fhir_id)
    last = _last_said(found)
    if last is None or not reach.sees(last, interaction):
        return []
    return [one.version for one in found if one.deleted or reach.sees(one, interaction)]


def _versions(route: Route, fhir_id: str) -> list[Entry]:
    held = _documents(route, fhir_id)
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
