"""The index entries of a resource on its way out."""

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.routes import ROUTES
from integrations.fhir.shelves import Entry
from recovery.services.intake import IndexEntry


def entries_of(entry: Entry) -> tuple[IndexEntry, ...]:
    return index_entries(ROUTES[entry.type], wire.parse_object(entry.text.encode()))


def references(entry: Entry, param: str) -> set[str]:
    """What it refers to by `param`: Type/id, or as written."""
    return {one.value for one in entries_of(entry) if one.param == param}
