"""Running a search: one page from the shelves of a route, merged in one order, with the places around it.

Each shelf is walked lazily by keyset, so a page costs about what it holds, and nothing repeats or is lost while data
arrives.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from integrations.fhir import shelves
from integrations.fhir.search import audit, conclusions, readings
from integrations.fhir.search.entries import references
from integrations.fhir.search.page import Page, Placed
from integrations.fhir.search.request import SearchRequest, cursor_text
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_search
from recovery.selectors.fhir_order import Place


def run(request: SearchRequest) -> Page:
    """The matches of one page; what they include is added by `including`."""
    total = count(request) if request.wants_total else None
    if request.only_counts:
        return Page((), None, total)
    found = list(islice(walk(request), request.count + 1))
    is_more, page = len(found) > request.count, found[: request.count]
    if request.order.backwards:
        page.reverse()
    first, last = (page[0].place, page[-1].place) if page else (None, None)
    from_here, backwards = request.place is not None, request.order.backwards
    after = last if is_more or backwards else None
    before = first if (is_more if backwards else from_here) else None
    if total is None and not from_here and after is None:
        total = len(page)
    return Page(
        tuple(one.entry for one in page),
        cursor_text(after) if after is not None else None,
        total,
        cursor_text(before, backwards=True) if before is not None else None,
    )


def walk(request: SearchRequest) -> Iterator[Placed]:
    """Every match after the request's place, in order, from all shelves."""
    walkers = [*_documents(request), *_others(request)]
    if len(walkers) == 1:
        return walkers[0]
    return merge(*walkers, key=request.order.sort_key(lambda one: one.place))


def count(request: SearchRequest) -> int:
    total = fhir_search.count_documents(request.documents()) if request.route.shelf != "views" else 0
    if request.route.shelf == "streams":
        total += readings.count(request)
    if request.route.type == "AuditEvent":
        return total + audit.count(request)
    return total + (conclusions.count(request) if conclusions.may_hold(request) else 0)


def other_shelves(request: SearchRequest, most: int) -> list[Entry]:
    """Up to `most` + 1 matches that are not documents."""
    return [one.entry for walker in _others(request) for one in islice(walker, most + 1)]


def others_refer_to(request: SearchRequest, param: str, most: int) -> set[str]:
    """What the matches on the other shelves refer to by `param` (Type/id)."""
    found: set[str] = set()
    if request.route.shelf == "streams":
        found |= readings.referred(request, param, most)
    if conclusions.may_hold(request):
        for one in islice(conclusions.walk(request), most):
            found |= references(one.entry, param)
    return found


def _others(request: SearchRequest) -> list[Iterator[Placed]]:
    walkers = readings.walkers(request) if request.route.shelf == "streams" else []
    if request.route.type == "AuditEvent":
        return [*walkers, audit.walk(request)]
    return [*walkers, conclusions.walk(request)] if conclusions.may_hold(request) else walkers


def _documents(request: SearchRequest) -> list[Iterator[Placed]]:
    return [_walk_documents(request)] if request.route.shelf != "views" else []


def _walk_documents(request: SearchRequest) -> Iterator[Placed]:
    query, limit = request.documents(), request.count + 1
    after: Place | None = request.place
    while True:
        found = fhir_search.search_documents(query, request.order, after, limit)
        for one in found:
            yield Placed(shelves.of_document(one.document), one.place)
        if len(found) < limit:
            return
        after = found[-1].place
