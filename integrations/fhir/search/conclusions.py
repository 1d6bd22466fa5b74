"""Searching what this server concludes: rendered chunk by chunk, then held against the criteria."""

from collections.abc import Iterator, Sequence
from heapq import nsmallest

from integrations.fhir import shelves
from integrations.fhir.conclusions.concluded import Concluded
from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.primitives import to_ms
from integrations.fhir.search import derived
from integrations.fhir.search.entries import entries_of
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.page import Placed
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.request import SearchRequest
from recovery.selectors import fhir_search
from recovery.selectors.fhir_criteria import micros
from recovery.selectors.fhir_order import Order, Place, Step, Value
from recovery.services.intake import IndexEntry


def may_hold(request: SearchRequest) -> bool:
    return request.route.type in CONCLUSIONS and derived.may_hold(request)


def walk(request: SearchRequest) -> Iterator[Placed]:
    """In order, after the request's place. Sorted ones are all looked at; in the order of rows only what is needed."""
    if not request.order.steps and not request.order.backwards:
        yield from _fitting(request, _first_row(request.place))
        return
    key = request.order.sort_key(lambda one: one.place)
    after = request.place
    while True:
        rest = (one for one in _fitting(request, 0) if _is_beyond(one, request.order, after))
        found = nsmallest(request.count + 1, rest, key=key)
        yield from found
        if len(found) <= request.count:
            return
        after = found[-1].place


def count(request: SearchRequest) -> int:
    return sum(1 for _ in _fitting(request, 0))


def _first_row(place: Place | None) -> int:
    """Rows up to this one are of earlier pages: in the order of rows a place is (shelf, row)."""
    on_this_shelf = place is not None and place[0] == fhir_search.CONCLUSIONS
    return int(place[1] or 0) if place is not None and on_this_shelf else 0


def _is_beyond(one: Placed, order: Order, after: Place | None) -> bool:
    return after is None or order.compare(after, one.place) < 0


def _fitting(request: SearchRequest, after: int) -> Iterator[Placed]:
    for one in _rendered(request, after):
        entry = shelves.of_conclusion(one)
        entries = entries_of(entry)
        if _fits(one, f"{entry.type}/{entry.fhir_id}", entries, request):
            yield Placed(entry, _place(one, entries, request.order))


def _rendered(request: SearchRequest, after: int) -> Iterator[Concluded]:
    source = CONCLUSIONS[request.route.type]
    if request.ids is not None:
        found = (source.one(name) for name in dict.fromkeys(request.ids))
        yield from sorted((one for one in found if one is not None and one.row_id > after), key=lambda one: one.row_id)
        return
    named, patients = source.named(request.criteria), patient_names(request.criteria)
    if named is not None:
        yield from (one for one in named if one.row_id > after)
        return
    while True:
        chunk = source.many(patients, after, source.chunk)
        yield from chunk
        if len(chunk) < source.chunk:
            return
        after = chunk[-1].row_id


def _fits(one: Concluded, name: str, entries: Sequence[IndexEntry], request: SearchRequest) -> bool:
    at = to_ms(one.updated_at)
    return all(any(in_time(match, at, at + 1) for match in group) for group in request.updated) and all(
        holds(criterion, entries, name) for criterion in request.criteria
    )


def _place(one: Concluded, entries: Sequence[IndexEntry], order: Order) -> Place:
    keys = (_key(one, step, entries) for step in order.steps)
    return (*keys, fhir_search.CONCLUSIONS, one.row_id)


def _key(one: Concluded, step: Step, entries: Sequence[IndexEntry]) -> Value:
    """As the database sorts documents: of several values the least, or the greatest where the order falls."""
    if step.name == "_lastUpdated":
        return micros(one.updated_at)
    if step.name == "_id":
        return str(one.resource["id"])
    return extreme(step, entries)


def extreme(step: Step, entries: Sequence[IndexEntry]) -> Value:
    """The value of one key of the order among index entries; None where there is none."""
    mine = [entry for entry in entries if entry.param == step.name]
    if step.kind == "number":
        mine = [entry for entry in mine if entry.system.startswith("~")] or mine
    field = {"text": "value", "date": "low_ms", "number": "number"}[step.kind]
    values = [value for entry in mine if (value := getattr(entry, field)) is not None]
    return (max(values) if step.descending else min(values)) if values else None
