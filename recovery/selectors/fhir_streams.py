"""Walking streamed readings in an order: narrow rows by keyset, in groups of series that read alike.

The FHIR door says which series, which stretches of time and which bounds; this module knows rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from recovery.consent_rules import CARE
from recovery.models import Packet, Sample, Series
from recovery.selectors.fhir_criteria import Match, any_q, changed, micros, moment_of, number_matches
from recovery.selectors.fhir_order import Key, Order, Place, Value, beyond
from recovery.selectors.fhir_store import StoredReading, reading_of_packet, reading_of_sample

Window = tuple[int | None, int | None]
Windows = tuple[Window, ...]
# Identifiers are found by an index on the text of a reading's own strings (migration 0006), which leaves out readings
# whose first string is a time: those that have no identifier, or an end before it.
_INDEXED = "slots IS NOT NULL AND NOT (slots LIKE '[\"____-__-__T%%')"
LAST_CHARACTER = "\uffff"


@dataclass(frozen=True, slots=True)
class SeriesSeen:
    """What a search needs to know of a series. `shape`: number or packet."""

    row_id: int
    patient: str
    shape: str
    source: str
    span_ms: int
    template: str


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """`patients`: FHIR ids, None for all. `texts`: for each group, the template must hold one of its texts."""

    patients: Sequence[str] | None = None
    texts: Sequence[Sequence[str]] = ()
    ids: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Readings of one shape in series that read alike.

    `windows`: in each of these one stretch [from, to) of time must hold the reading's start (a packet: any part of
    it). `values`: in each of these one alternative, in the unit as sent. `updated`: as for documents. `own`: in each of
    these one text that the reading's own strings begin with (`own_indexed`) or hold.
    """

    shape: str
    series_ids: Sequence[int]
    windows: tuple[Windows, ...] = ()
    values: tuple[tuple[Match, ...], ...] = ()
    updated: tuple[tuple[Match, ...], ...] = ()
    own: tuple[tuple[str, ...], ...] = ()
    own_indexed: bool = False


@dataclass(frozen=True, slots=True)
class FoundReading:
    reading: StoredReading
    place: Place


def series_seen(query: SeriesQuery) -> Iterable[SeriesSeen]:
    rows = Series.objects.usable_for(CARE).exclude(shape=Series.Shape.PROJECTED)
    rows = rows.filter(patient__deleted_at__isnull=True)
    if query.ids is not None:
        rows = rows.filter(pk__in=query.ids)
    if query.patients is not None:
        rows = rows.filter(patient__fhir_id__in=query.patients)
    for group in query.texts:
        rows = rows.filter(any_q(Q(template__contains=text) for text in group))
    said = rows.values_list("pk", "patient__fhir_id", "shape", "source", "span_ms", "template")
    # A cursor kept open in the server costs four messages; the series of the patients asked for are few.
    is_small = query.patients is not None or query.ids is not None
    return (SeriesSeen(*row) for row in (said if is_small else said.iterator()))


def readings(query: StreamQuery, order: Order, keys: Sequence[Key], after: Place | None, limit: int) -> Any:
    """Up to `limit` FoundReadings after a place. `keys`: of the order's steps and the shelf; ties follow."""
    keys = [*keys, *_ties(query.shape, {key.field for key in keys})]
    rows = _matching(query)
    if after is not None:
        rest = beyond(order, keys, _as_columns(keys, after))
        if rest is None:
            return []
        rows = rows.filter(rest)
    columns = [
        F(key.field).desc() if order.goes_down(number) else F(key.field).asc()
        for number, key in enumerate(keys)
        if key.field
    ]
    page = rows.order_by(*columns).select_related("series", "batch")[:limit]
    read: Any = reading_of_packet if query.shape == Series.Shape.PACKET else reading_of_sample
    return [FoundReading(read(row), _place_of(row, keys)) for row in page]


def count_readings(query: StreamQuery) -> int:
    return _matching(query).count()


def series_with_readings(query: StreamQuery) -> set[int]:
    """Those of the query's series that hold at least one such reading."""
    mine = _rows_of(query).filter(series_id=OuterRef("pk"))
    return set(Series.objects.filter(Exists(mine), pk__in=query.series_ids).values_list("pk", flat=True))


def extent(query: StreamQuery) -> tuple[int, int] | None:
    """(first, last) start of a number in the query's series: two looks into the index a series. None without any."""
    mine = Sample.objects.filter(series_id=OuterRef("pk")).values("at_ms")
    ends = Series.objects.filter(pk__in=query.series_ids).aggregate(
        first=Min(Subquery(mine.order_by("at_ms")[:1])), last=Max(Subquery(mine.order_by("-at_ms")[:1]))
    )
    return None if ends["first"] is None else (ends["first"], ends["last"])


def _ties(shape: str, known: set[str]) -> list[Key]:
    fields = ["at_ms", "series_id", *(["digest"] if shape == Series.Shape.PACKET else ["value", "digits"])]
    return [Key(field) for field in fields if field not in known]


def _matching(query: StreamQuery) -> QuerySet[Any]:
    return _rows_of(query).filter(series_id__in=query.series_ids)


def _rows_of(query: StreamQuery) -> QuerySet[Any]:
    """The rows that satisfy all but the choice of series."""
    is_packet = query.shape == Series.Shape.PACKET
    model: Any = Packet if is_packet else Sample
    rows: QuerySet[Any] = model.objects.filter(ended_batch__isnull=True)
    for windows in query.windows:
        if (None, None) not in windows:
            rows = rows.filter(_one_of(_within(window, "end_ms" if is_packet else "at_ms") for window in windows))
    for alternatives in query.values:
        rows = rows.filter(_one_of(number_matches(match, "value", "value") for match in alternatives))
    for group in query.updated:
        rows = rows.filter(_one_of(changed(match, "batch__received_at") for match in group))
    for texts in query.own:
        if query.own_indexed:
            rows = rows.extra(where=[_INDEXED])  # noqa: S610 - a constant, in the words of the index
            rows = rows.filter(_one_of(_begins(text) for text in texts))
        else:
            rows = rows.filter(_one_of(Q(slots__contains=text) for text in texts))
    return rows


def _one_of(conditions: Iterable[Q]) -> Q:
    """Exactly what one condition says, so that its range reaches the partitions and the index."""
    said = list(conditions)
    if not said:
        return Q(pk__in=[])
    found = said[0]
    for condition in said[1:]:
        found |= condition
    return found


def _begins(text: str) -> Q:
    """In the words that each engine answers from its index."""
    if connection.vendor == "postgresql":
        return Q(slots__startswith=text)
    return Q(slots__gte=text, slots__lt=text + LAST_CHARACTER)


def _within(window: Window, end: str) -> Q:
    low, high = window
    found = Q() if low is None else Q(**{f"{end}__gte": low})
    return found if high is None else found & Q(at_ms__lt=high)


def _as_columns(keys: Sequence[Key], place: Place) -> tuple[Any, ...]:
    return tuple(
        moment_of(value) if key.field == "batch__received_at" else value
        for key, value in zip(keys, place, strict=False)
    )


def _place_of(row: Any, keys: Sequence[Key]) -> Place:
    found: list[Value] = []
    for key in keys:
        if key.field == "batch__received_at":
            found.append(micros(row.batch.received_at))
        else:
            found.append(getattr(row, key.field) if key.field else key.constant)
    return tuple(found)
