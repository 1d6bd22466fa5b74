"""Running a search: one page from the shelves of a route, with the places where the next page begins."""

from collections.abc import Sequence

from integrations.fhir import shelves
from integrations.fhir.search import audit, conclusions, derived, readings
from integrations.fhir.search.grammar import SearchRequest, cursor_text
from integrations.fhir.search.page import Page
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_search, fhir_store
from recovery.selectors.fhir_search import DocumentQuery, FoundDocument
from recovery.selectors.fhir_store import StoredReading

Found = tuple[int, int, StoredReading | FoundDocument | conclusions.Found]  # time, shelf, what was found


def run(request: SearchRequest) -> Page:
    if request.route.shelf == "streams":
        return _run_both(request)
    if request.route.type == "AuditEvent":
        return audit.run(request)
    if request.route.shelf in ("views", "both"):
        return conclusions.run(request, _document_query(request))
    query = _document_query(request)
    total = fhir_search.count_documents(query) if request.wants_total else None
    if request.only_counts:
        return Page((), None, total)
    found = fhir_search.search_documents(query)
    page = found[: request.count]
    more = cursor_text({"d": list(page[-1].place)}) if len(found) > len(page) else None
    if total is None and more is None and not request.cursor:
        total = len(page)
    return Page(tuple(shelves.of_document(one.document) for one in page), more, total)


def _document_query(request: SearchRequest) -> DocumentQuery:
    after = request.cursor.get("d")
    return DocumentQuery(
        type=request.route.type,
        criteria=tuple(request.criteria),
        ids=request.ids,
        updated=tuple(request.updated),
        order=request.order,
        descending=request.descending,
        after=(int(after[0]), int(after[1])) if after and len(after) == 2 else None,
        limit=request.count + 1,
    )


def _run_both(request: SearchRequest) -> Page:
    """Documents and streamed readings of one type, merged by time; each shelf has its own place in the cursor."""
    documents = _document_query(request)
    streams, ours = readings.queries(request), derived.derived(request)
    total = None
    if request.wants_total:
        total = fhir_search.count_documents(documents) + readings.count(request, streams) + len(ours)
    if request.only_counts:
        return Page((), None, total)
    found: list[Found] = [(one.place[0], 1, one) for one in fhir_search.search_documents(documents)]
    found += [(one.at_ms, 0, one) for one in readings.find(request, streams)]
    found += [(one[0][0], 2, one) for one in ours if conclusions.is_beyond(one[0], request)]
    merged = sorted(found, key=_order, reverse=request.descending)
    page = merged[: request.count]
    more = _next(request, page) if len(merged) > len(page) else None
    if total is None and more is None and not request.cursor:
        total = len(page)
    return Page(tuple(_entry(one) for _, _, one in page), more, total)


def _order(found: Found) -> tuple[int, int, int]:
    at, shelf, one = found
    return at, shelf, one[0][1] if isinstance(one, tuple) else 0


def _entry(one: StoredReading | FoundDocument | conclusions.Found) -> Entry:
    if isinstance(one, tuple):
        return one[2]
    return shelves.of_reading(one) if isinstance(one, StoredReading) else shelves.of_document(one.document)


def _next(request: SearchRequest, page: Sequence[Found]) -> str:
    places = dict(request.cursor)
    for _, _, one in page:
        if isinstance(one, StoredReading):
            places["s"] = list(fhir_store.place_of(one))
        elif isinstance(one, tuple):
            places["v"] = list(one[0])
        else:
            places["d"] = list(one.place)
    return cursor_text(places)
