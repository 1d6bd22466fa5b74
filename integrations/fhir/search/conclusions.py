"""Searching what this server concludes: rendered, then held against the criteria; with documents of the same type.

Both shelves are merged in one order, and each has its own place in the cursor.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from integrations.fhir import shelves, wire
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.primitives import to_ms
from integrations.fhir.search.grammar import SearchRequest, cursor_text
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.page import Page
from integrations.fhir.search.patients import patient_names
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_search
from recovery.selectors.fhir_search import DocumentQuery
from recovery.services.intake import IndexEntry

# Conclusions that one search looks at; beyond it, ask by patient.
MOST_CONCLUSIONS = 5_000
A_LOOK = 100
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_LAST = 2**62

Place = tuple[int, int]  # sort key, row id: as documents have it
Found = tuple[Place, int, Entry]  # place, shelf, what was found


def run(request: SearchRequest, documents: DocumentQuery) -> Page:
    """One page of conclusions and, where the type has a shelf of documents too, of those."""
    everything = fitting(request)
    total = len(everything) + _count(request, documents) if request.wants_total else None
    if request.only_counts:
        return Page((), None, total)
    concluded = [one for one in everything if is_beyond(one[0], request)]
    merged = sorted([*concluded, *_documents(request, documents)], key=_order, reverse=request.descending)
    page = merged[: request.count]
    more = _next(request, page) if len(merged) > len(page) else None
    if total is None and more is None and not request.cursor:
        total = len(page)
    return Page(tuple(entry for _, _, entry in page), more, total)


def _order(found: Found) -> tuple[int, int, int]:
    (key, row_id), shelf, _ = found
    return key, shelf, row_id


def _count(request: SearchRequest, documents: DocumentQuery) -> int:
    return fhir_search.count_documents(documents) if request.route.shelf == "both" else 0


def _documents(request: SearchRequest, query: DocumentQuery) -> list[Found]:
    if request.route.shelf != "both":
        return []
    return [(one.place, 0, shelves.of_document(one.document)) for one in fhir_search.search_documents(query)]


def fitting(request: SearchRequest) -> list[Found]:
    """All that fit, by row; in the order of rows those of earlier pages are left out already."""
    found: list[Found] = []
    for one in _candidates(request):
        if _in_row_order(request) and len(found) > request.count:
            break
        entry = shelves.of_conclusion(one)
        entries = index_entries(request.route, wire.parse_object(entry.text.encode()))
        if _fits(one, entries, request):
            found.append(((_sort_key(one, entries, request), one.row_id), 1, entry))
    return found


def _candidates(request: SearchRequest) -> Iterator[Concluded]:
    """What may fit. In the order of rows they are rendered a few at a time, from the page's first row on."""
    source = CONCLUSIONS[request.route.type]
    if request.ids is not None:
        yield from (one for name in request.ids if (one := source.one(name)) is not None)
        return
    named, patients = source.named(request.criteria), patient_names(request.criteria)
    if named is not None:
        yield from named
    elif not _in_row_order(request):
        yield from source.many(patients, 0, MOST_CONCLUSIONS)
    else:
        place = _place(request)
        part = source.many(patients, place[1] if place is not None else 0, A_LOOK)
        while part:
            yield from part
            part = source.many(patients, part[-1].row_id, A_LOOK) if len(part) == A_LOOK else []


def _in_row_order(request: SearchRequest) -> bool:
    return not request.order and not request.descending and not request.wants_total


def _fits(one: Concluded, entries: Sequence[IndexEntry], request: SearchRequest) -> bool:
    at = to_ms(one.updated_at)
    return all(in_time(match, at, at + 1) for match in request.updated) and all(
        holds(criterion, entries) for criterion in request.criteria
    )


def _sort_key(one: Concluded, entries: Sequence[IndexEntry], request: SearchRequest) -> int:
    """As `selectors.fhir_search` sorts documents: those without the date come last in both directions."""
    if request.order == "_lastUpdated":
        return (one.updated_at - _EPOCH) // _MICROSECOND
    if not request.order:
        return 0
    dates = [entry.low_ms for entry in entries if entry.param == request.order and entry.low_ms is not None]
    return min(dates) if dates else (-_LAST if request.descending else _LAST)


def _place(request: SearchRequest) -> Place | None:
    place = request.cursor.get("v")
    return (int(place[0]), int(place[1])) if place and len(place) == 2 else None


def is_beyond(place: Place, request: SearchRequest) -> bool:
    after = _place(request)
    return after is None or (place < after if request.descending else place > after)


def _next(request: SearchRequest, page: Sequence[Found]) -> str:
    places = dict(request.cursor)
    for place, shelf, _ in page:
        places["v" if shelf else "d"] = list(place)
    return cursor_text(places)
