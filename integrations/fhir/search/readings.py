"""Searching streamed readings: by time in the rows, by all that is constant in the templates of their series."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from integrations.fhir import shelves, wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.primitives import from_ms, to_ms
from integrations.fhir.routes import ROUTES
from integrations.fhir.search.grammar import SearchRequest
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.patients import PATIENT_PARAMS, patient_names
from integrations.fhir.streams import template
from integrations.fhir.streams.template import Filling
from recovery.selectors import fhir_store
from recovery.selectors.fhir_search import Criterion, Match
from recovery.selectors.fhir_store import Place, StoredReading, StreamQuery
from recovery.services.intake import IndexEntry

# What differs from reading to reading; every other parameter is answered by the series' template.
_OF_THE_READING = ("date", "identifier")
FIRST_MS, LAST_MS = -(2**62), 2**62
Window = tuple[int | None, int | None]


def queries(request: SearchRequest) -> list[StreamQuery]:
    """One query per stretch of time asked for; none when no series can hold what is looked for."""
    patients = _patient_ids(request.criteria)
    constant = [one for one in request.criteria if one.param not in (*_OF_THE_READING, *PATIENT_PARAMS)]
    if patients == [] or any(one.missing for one in request.criteria if one.param in (*PATIENT_PARAMS, "date")):
        return []
    base = StreamQuery(
        patient_ids=patients,
        descending=request.descending,
        after=_after(request),
        limit=request.count + 1,
        slot_texts=_identifier_texts(request.criteria),
        received_from=_received(request.updated)[0],
        received_to=_received(request.updated)[1],
    )
    identifiers = [one for one in request.criteria if one.param == "identifier"]
    if constant or identifiers:
        base = replace(base, series_ids=_series(base, constant, identifiers))
        if not base.series_ids:
            return []
    return [replace(base, from_ms=low, to_ms=high) for low, high in windows(_dates(request.criteria))]


def _patient_ids(criteria: Sequence[Criterion]) -> list[int] | None:
    """Row ids of the patients asked for; None when any will do."""
    names = patient_names(criteria)
    return None if names is None else [pk for name in names if (pk := fhir_store.patient_row_id(name)) is not None]


def _series(base: StreamQuery, constant: Sequence[Criterion], identifiers: Sequence[Criterion]) -> list[int]:
    """The series whose template satisfies what is constant in them."""
    everything = fhir_store.matching_series(StreamQuery(patient_ids=base.patient_ids))
    wants_identifier = any(one.missing is not True for one in identifiers)
    kept = []
    for pk, series in everything.items():
        entries = template_entries(series.template)
        has_identifier = any(entry.param == "identifier" for entry in entries)
        if identifiers and has_identifier is not wants_identifier:
            continue
        if all(holds(one, entries) for one in constant):
            kept.append(pk)
    return kept


@lru_cache(maxsize=8192)
def template_entries(text: str) -> tuple[IndexEntry, ...]:
    """The index entries that all readings of a template share (date and identifier are stand-ins)."""
    parsed = template.parse(text)
    slots = "[" + ",".join(['"1970-01-01T00:00:00Z"'] * len(parsed.own)) + "]"
    stand_in = Filling("x", 1, "1970-01-01T00:00:00Z", 0, 0, 0.0, 0, "E", slots)
    return index_entries(ROUTES["Observation"], wire.parse_object(template.render(text, stand_in).encode()))


def _identifier_texts(criteria: Sequence[Criterion]) -> tuple[str, ...]:

    matches = [match for one in criteria if one.param == "identifier" for match in one.matches]
    return tuple(json.dumps(match.value, ensure_ascii=False) for match in matches if match.value is not None)


def _dates(criteria: Sequence[Criterion]) -> list[Criterion]:
    return [one for one in criteria if one.param == "date" and one.missing is None]


def windows(criteria: Sequence[Criterion]) -> list[Window]:
    """The stretches of time in which an instant satisfies all date criteria, oldest first, not overlapping."""
    edges = {FIRST_MS, LAST_MS}
    for one in criteria:
        for match in one.matches:
            edges |= {match.low_ms, match.high_ms}
    found: list[list[int]] = []
    marks = sorted(edges)
    for low, high in zip(marks, marks[1:], strict=False):
        if all(any(in_time(match, low, low + 1) for match in one.matches) for one in criteria):
            if found and found[-1][1] == low:
                found[-1][1] = high
            else:
                found.append([low, high])
    return [(None if low == FIRST_MS else low, None if high == LAST_MS else high) for low, high in found]


def _received(updated: Sequence[Match]) -> tuple[datetime | None, datetime | None]:
    """[from, to) of the time of receipt that satisfies `_lastUpdated`; `ne` restricts nothing here."""
    low, high = None, None
    for match in updated:
        if match.how in ("eq", "overlap", "ge"):
            low = max(match.low_ms, low if low is not None else match.low_ms)
        if match.how in ("gt", "sa"):
            low = max(match.high_ms, low if low is not None else match.high_ms)
        if match.how in ("eq", "overlap", "le"):
            high = min(match.high_ms, high if high is not None else match.high_ms)
        if match.how in ("lt", "eb"):
            high = min(match.low_ms, high if high is not None else match.low_ms)
    return (None if low is None else from_ms(low)), (None if high is None else from_ms(high))


def _after(request: SearchRequest) -> Place | None:
    place = request.cursor.get("s")
    if not place or len(place) != 4:
        return None
    return int(place[0]), int(place[1]), float(place[2]), int(place[3])


def find(request: SearchRequest, queries: Sequence[StreamQuery]) -> list[StoredReading]:
    if request.ids is not None:
        return _readings_by_id(request, queries)
    # A packet can lie in two stretches of time: by place, each is found once.
    placed = {fhir_store.place_of(one): one for query in queries for one in fhir_store.search_readings(query)}
    return _checked(placed.values(), request)[: request.count + 1]


def _readings_by_id(request: SearchRequest, queries: Sequence[StreamQuery]) -> list[StoredReading]:
    found = [one for name in request.ids or () if (one := fhir_store.get_reading(name)) is not None]
    kept = [one for one in found if any(_is_in(one, query) for query in queries)]
    return _checked(kept, request)


def _checked(found: Iterable[StoredReading], request: SearchRequest) -> list[StoredReading]:
    """In order, and without what the rough query let through."""
    kept = [one for one in found if _has_identifiers(one, request.criteria) and _is_updated(one, request.updated)]
    return sorted(kept, key=fhir_store.place_of, reverse=request.descending)


def _is_in(one: StoredReading, query: StreamQuery) -> bool:
    end_ms = one.at_ms if one.end_ms is None else one.end_ms
    place = fhir_store.place_of(one)
    if query.after is not None and not (place < query.after if query.descending else place > query.after):
        return False
    return (
        (query.patient_ids is None or one.patient_id in query.patient_ids)
        and (query.series_ids is None or one.series_id in query.series_ids)
        and (query.from_ms is None or end_ms >= query.from_ms)
        and (query.to_ms is None or one.at_ms < query.to_ms)
    )


def _has_identifiers(one: StoredReading, criteria: Sequence[Criterion]) -> bool:
    """The exact check after the rough one by text: system and value of an identifier."""
    wanted = [criterion for criterion in criteria if criterion.param == "identifier"]
    if not wanted:
        return True
    resource = wire.parse_object(shelves.of_reading(one).text.encode())
    entries = index_entries(ROUTES["Observation"], resource)
    return all(holds(criterion, entries) for criterion in wanted)


def _is_updated(one: StoredReading, updated: Sequence[Match]) -> bool:
    at = to_ms(one.received_at)
    return all(in_time(match, at, at + 1) for match in updated)


def count(request: SearchRequest, queries: Sequence[StreamQuery]) -> int:
    is_rough = any(one.param == "identifier" for one in request.criteria)
    is_rough |= any(match.how == "ne" for match in request.updated)
    if request.ids is not None or is_rough:
        wide = [replace(query, limit=2**31 - 1, after=None) for query in queries]
        return len(find(replace(request, count=2**31 - 2), wide))
    return sum(fhir_store.count_readings(replace(query, after=None)) for query in queries)
