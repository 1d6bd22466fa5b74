"""Searching streamed readings: what is constant in the templates of their series, what varies in the rows.

Series that read alike (same length in time, same bounds of value, same place in the order) are one group and one query.
What rows alone cannot decide (packets, identifiers, ends that vary) is asked roughly and checked on what is found.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from integrations.fhir import shelves
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import to_ms
from integrations.fhir.search import templates, windows
from integrations.fhir.search.conclusions import extreme
from integrations.fhir.search.entries import entries_of, references
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.page import Placed
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.request import SearchRequest
from integrations.fhir.search.templates import OF_THE_READING, Seen
from recovery.selectors import fhir_search, fhir_store, fhir_streams
from recovery.selectors.consents import sealed_among
from recovery.selectors.fhir_criteria import Criterion, Match, micros
from recovery.selectors.fhir_order import Key, Order, Place, Step, Value
from recovery.selectors.fhir_store import StoredReading
from recovery.selectors.fhir_streams import SeriesQuery, StreamQuery, Window, Windows

MOST_GROUPS = 300
LARGEST_STEP = 1000
# Beyond so many series a search by time goes through time in slices.
FEW_SERIES, FIRST_SLICE_MS, SLICES_GROW = 16, 3_600_000, 6


@dataclass(frozen=True, slots=True)
class Group:
    """Series that read alike. `constants`: what they have for the steps of the order; `is_rough`: rows need a check."""

    query: StreamQuery
    constants: tuple[Value, ...]
    is_rough: bool


def walkers(request: SearchRequest) -> list[Iterator[Placed]]:
    """One sorted walk for each group of series, after the request's place."""
    if request.ids is not None:
        return [_by_id(request)]
    found = groups(request)
    if len(found) > MOST_GROUPS:
        sentence = "This order sorts more kinds of readings than one page can merge: name a patient, or sort by date."
        raise refused(400, "too-costly", sentence, "_sort")
    return [_walk(request, group) for group in found]


def count(request: SearchRequest) -> int:
    if request.ids is not None:
        return sum(1 for _ in _by_id(replace(request, place=None)))
    everything = replace(request, place=None, order=Order(), count=LARGEST_STEP)
    return sum(
        sum(1 for _ in _walk(everything, group)) if group.is_rough else fhir_streams.count_readings(group.query)
        for group in groups(everything)
    )


def referred(request: SearchRequest, param: str, most: int) -> set[str]:
    """What the matches refer to by `param`, which is the same for all readings of a series."""
    if request.ids is not None:
        return {name for one in _by_id(request) for name in references(one.entry, param)}
    found: set[str] = set()
    kept = {one.row.row_id: one for one in _series(request)}
    for group in groups(replace(request, order=Order())):
        if group.is_rough:
            ids = {one.series_id for one in _rough(request, group) if _passes(one, request)}
        else:
            ids = fhir_streams.series_with_readings(group.query)
        found |= {entry.value for pk in ids for entry in kept[pk].entries if entry.param == param}
        if len(found) > most:
            break
    return found


def _rough(request: SearchRequest, group: Group) -> Iterator[StoredReading]:
    plain = replace(request, place=None, order=Order(), count=LARGEST_STEP)
    for found in _rows(plain, group):
        yield found.reading


# ---- groups ---


def groups(request: SearchRequest) -> list[Group]:
    """The series that satisfy what is constant in them, by how their rows are asked."""
    found: dict[tuple[object, ...], list[int]] = {}
    queries: dict[tuple[object, ...], Group] = {}
    for seen in _series(request):
        group = _group(request, seen)
        if group is None:
            continue
        key = (replace(group.query, series_ids=()), group.constants, group.is_rough)
        found.setdefault(key, []).append(seen.row.row_id)
        queries[key] = group
    return [
        replace(queries[key], query=replace(queries[key].query, series_ids=tuple(ids))) for key, ids in found.items()
    ]


def _series(request: SearchRequest) -> Iterable[Seen]:
    """The series whose template satisfies every criterion that it can decide."""
    patients = patient_names(request.criteria)
    constant = [one for one in request.criteria if not _is_of_the_reading(one) and one.kind != "has"]
    if patients == []:
        return
    for row in fhir_streams.series_seen(SeriesQuery(patients, templates.rough_texts(constant))):
        seen = templates.see(row)
        if all(holds(one, seen.entries) for one in constant) and _may_hold(request, seen):
            yield seen


def _is_of_the_reading(one: Criterion) -> bool:
    """Whether rows have a say in it. Presence is decided by the template alone."""
    if one.kind == "composite":
        return any(param in OF_THE_READING for param, _ in one.components)
    if one.kind in ("any", "all"):
        return any(_is_of_the_reading(each) for each in one.any_of)
    return one.param in OF_THE_READING and one.missing is None


def _may_hold(request: SearchRequest, seen: Seen) -> bool:
    """Whether a reading of the series could satisfy what rows decide, as far as its template tells."""
    return all(
        any(entry.param == one.param for entry in seen.entries)
        for one in request.criteria
        if one.param in OF_THE_READING and one.missing is None and not one.negated and one.kind != "has"
    )


def _group(request: SearchRequest, seen: Seen) -> Group | None:
    """How the series is asked; None when it holds nothing that fits."""
    is_packet = seen.row.shape == "packet"
    rough = is_packet or seen.width_ms is None
    asked: list[Windows] = []
    values: list[tuple[Match, ...]] = []
    own: list[tuple[str, ...]] = []
    checked = False
    for one in request.criteria:
        if not _is_of_the_reading(one):
            checked |= one.kind == "has"
        elif one.param == "date" and one.kind == "date":
            asked.append(_windows(one, seen))
            checked |= rough
        elif one.param == "identifier" and not one.negated and all(match.value for match in one.matches):
            own.append(tuple(json.dumps(match.value, ensure_ascii=False) for match in one.matches))
            checked = True
        elif (bounds := templates.bounds(one, seen)) is not None and not is_packet:
            values.append(bounds)
        else:
            checked = True
    if () in values:
        return None
    if not is_packet and not rough and asked:
        together = windows.intersected(asked)
        if not together:
            return None
        asked = [together]
    identified, indexed = templates.identified_by(own, seen)
    query = StreamQuery(seen.row.shape, (), tuple(asked), tuple(values), tuple(request.updated), identified, indexed)
    return Group(query, _constants(request.order, seen), checked)


def _windows(one: Criterion, seen: Seen) -> Windows:
    """Of a number the row has the start alone: where its end is its own, only a latest start can be asked."""
    if seen.row.shape == "packet":
        return windows.rough(one)
    if seen.width_ms is None:
        return tuple((None, high) for _, high in windows.rough(one))
    return windows.exact(one, seen.width_ms)


def _constants(order: Order, seen: Seen) -> tuple[Value, ...]:
    return tuple(None if _column(step) else extreme(step, seen.entries) for step in order.steps)


# ---- rows ---


def _column(step: Step) -> str:
    return {"date": "at_ms", "_lastUpdated": "batch__received_at"}.get(step.name, "")


def _keys(order: Order, group: Group) -> list[Key]:
    steps = [
        Key(_column(step)) if _column(step) else Key(constant=constant)
        for step, constant in zip(order.steps, group.constants, strict=True)
    ]
    return [*steps, Key(constant=_shelf(group.query.shape))]


def _shelf(shape: str) -> int:
    return fhir_search.PACKETS if shape == "packet" else fhir_search.NUMBERS


def _rows(request: SearchRequest, group: Group) -> Iterator[fhir_streams.FoundReading]:
    """The group's rows in order after the place: a page at first, larger steps when many do not fit."""
    if not request.order.steps:
        group = replace(group, constants=())
    is_by_time = bool(request.order.steps) and request.order.steps[0].name == "date"
    if is_by_time and group.query.shape == "number" and len(group.query.series_ids) > FEW_SERIES:
        for window in _slices(request, group.query):
            sliced = replace(group.query, windows=(*group.query.windows, (window,)))
            yield from _all_rows(request, replace(group, query=sliced))
    else:
        yield from _all_rows(request, group)


def _slices(request: SearchRequest, query: StreamQuery) -> Iterator[Window]:
    """The time that many series span, piece by piece in the order asked for: each piece is a short look into the index
    of every series, where all of it at once would be a sort of everything. Pieces grow when a page is not filled."""
    extent = fhir_streams.extent(query)
    if extent is None:
        return
    down, place = request.order.goes_down(0), request.place
    start, end = extent[0], extent[1] + 1
    if place is not None and isinstance(place[0], int):
        start, end = (start, min(end, place[0] + 1)) if down else (max(start, place[0]), end)
    width = FIRST_SLICE_MS
    while start < end:
        window = (max(start, end - width), end) if down else (start, min(end, start + width))
        yield window
        start, end = (start, window[0]) if down else (window[1], end)
        width *= SLICES_GROW


def _all_rows(request: SearchRequest, group: Group) -> Iterator[fhir_streams.FoundReading]:
    order, after, step = request.order, request.place, request.count + 1
    keys = _keys(order, group)
    while True:
        found = fhir_streams.readings(group.query, order, keys, after, step)
        yield from found
        if len(found) < step:
            return
        after, step = found[-1].place, max(step, min(4 * step, LARGEST_STEP))


def _walk(request: SearchRequest, group: Group) -> Iterator[Placed]:
    for found in _rows(request, group):
        if not group.is_rough or _passes(found.reading, request):
            yield Placed(shelves.of_reading(found.reading), found.place)


def _passes(reading: StoredReading, request: SearchRequest) -> bool:
    """The exact check, by what the reading is indexed with once it is written out."""
    entry = shelves.of_reading(reading)
    entries = entries_of(entry)
    at = to_ms(reading.received_at)
    if not all(any(in_time(match, at, at + 1) for match in group) for group in request.updated):
        return False
    return all(holds(one, entries, f"Observation/{entry.fhir_id}") for one in request.criteria)


def _by_id(request: SearchRequest) -> Iterator[Placed]:
    """The readings of these ids that pass, in order, without what their patients sealed."""
    named = {name: one for name in request.ids or () if (one := fhir_store.get_reading(name)) is not None}
    sealed = sealed_among("Observation", {name: one.patient_id for name, one in named.items()})
    found = [one for name, one in named.items() if name not in sealed and _passes(one, request)]
    placed = [Placed(shelves.of_reading(one), _place(one, request.order)) for one in found]
    after = request.place
    kept = {one.entry.fhir_id: one for one in placed if after is None or request.order.compare(after, one.place) < 0}
    yield from sorted(kept.values(), key=request.order.sort_key(lambda one: one.place))


def _place(reading: StoredReading, order: Order) -> Place:
    """As the rows would place it: steps, shelf, ties."""
    entries = entries_of(shelves.of_reading(reading))
    values: list[Value] = []
    for step in order.steps:
        if _column(step):
            values.append(reading.at_ms if step.name == "date" else micros(reading.received_at))
        else:
            values.append(extreme(step, entries))
    ties = () if any(step.name == "date" for step in order.steps) else (reading.at_ms,)
    if reading.digest is not None:
        return (*values, fhir_search.PACKETS, *ties, reading.series_id, reading.digest)
    return (*values, fhir_search.NUMBERS, *ties, reading.series_id, reading.value or 0.0, reading.digits)
