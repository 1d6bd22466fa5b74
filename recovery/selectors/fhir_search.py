"""Finding documents by their index, page by page; and what stands at an Observation's id.

Criteria are plain values made by the FHIR door; this module knows rows, not FHIR's search grammar.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from recovery.models import Document, DocumentIndex, Packet, Sample, Series
from recovery.reading_ids import decode
from recovery.selectors.fhir_store import (
    StoredDocument,
    StoredReading,
    get_reading,
    reading_of_packet,
    reading_of_sample,
    stored,
)

IDS_A_QUERY = 400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Comparison = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]


@dataclass(frozen=True, slots=True)
class Match:
    """One alternative of a criterion.

    token: `system` None is any system, `value` None any code. string: `how` prefix, contains (folded in `value`) or
    exact (as written in `value`). reference, uri: `value`. date: `how` compares with [low_ms, high_ms).
    """

    how: str = "eq"
    system: str | None = None
    value: str | None = None
    low_ms: int = 0
    high_ms: int = 0


@dataclass(frozen=True, slots=True)
class Criterion:
    """A search parameter: any of `matches` (none of them when `negated`); `missing` asks for presence alone."""

    param: str
    kind: str
    matches: tuple[Match, ...] = ()
    negated: bool = False
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which current documents of a type are wanted. `criteria` must all hold.

    `order`: a date parameter to sort by, "_lastUpdated", or "" for the order of arrival. `after`: the
    (sort key, row id) of the last document already seen.
    """

    type: str
    criteria: tuple[Criterion, ...] = ()
    ids: Sequence[str] | None = None
    updated: tuple[Match, ...] = ()
    order: str = ""
    descending: bool = False
    after: tuple[int, int] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document and its place in the order asked for."""

    document: StoredDocument
    place: tuple[int, int]


def search_documents(query: DocumentQuery) -> list[FoundDocument]:
    """Up to `limit` documents by keyset: nothing repeats or is lost while others write."""
    rows = _matching(query)
    if query.order == "_lastUpdated":
        return _by_time_of_change(rows, query)
    if query.order:
        return _by_date_param(rows, query)
    down = query.descending
    if query.after is not None:
        rows = rows.filter(pk__lt=query.after[1]) if down else rows.filter(pk__gt=query.after[1])
    page = rows.order_by("-pk" if down else "pk")[: query.limit]
    return [FoundDocument(stored(row), (0, row.pk)) for row in page]


def count_documents(query: DocumentQuery) -> int:
    return _matching(query).count()


def _matching(query: DocumentQuery) -> QuerySet[Document]:
    rows = Document.objects.filter(type=query.type, deleted=False)
    if query.ids is not None:
        rows = rows.filter(fhir_id__in=query.ids)
    for match in query.updated:
        rows = rows.filter(_changed(match))
    for criterion in query.criteria:
        rows = rows.filter(_holds(query.type, criterion))
    return rows


def _by_time_of_change(rows: QuerySet[Document], query: DocumentQuery) -> list[FoundDocument]:
    """By `updated_at` to the microsecond (the place's first number), then row."""
    down = "-" if query.descending else ""
    if query.after is not None:
        step, at = ("lt" if query.descending else "gt"), EPOCH + timedelta(microseconds=query.after[0])
        rows = rows.filter(Q(**{f"updated_at__{step}": at}) | Q(updated_at=at, **{f"pk__{step}": query.after[1]}))
    page = rows.order_by(f"{down}updated_at", f"{down}pk")[: query.limit]
    return [FoundDocument(stored(row), ((row.updated_at - EPOCH) // MICROSECOND, row.pk)) for row in page]


def _by_date_param(rows: QuerySet[Document], query: DocumentQuery) -> list[FoundDocument]:
    """By the earliest value of a date parameter; documents without one come last (in both directions)."""
    last = -(2**62) if query.descending else 2**62
    mine = Q(index__param=query.order, index__kind="date")
    rows = rows.annotate(first_ms=Min("index__low_ms", filter=mine))
    if query.after is not None:
        rows = rows.filter(_beyond(query.after, last, query.descending))
    order = F("first_ms").desc(nulls_last=True) if query.descending else F("first_ms").asc(nulls_last=True)
    page = rows.order_by(order, "-pk" if query.descending else "pk")[: query.limit]
    return [FoundDocument(stored(row), (last if row.first_ms is None else row.first_ms, row.pk)) for row in page]


def _beyond(after: tuple[int, int], last: int, descending: bool) -> Q:
    ms, pk = after
    step = "lt" if descending else "gt"
    if ms == last:
        return Q(first_ms__isnull=True, **{f"pk__{step}": pk})
    beyond = Q(**{f"first_ms__{step}": ms}) | Q(first_ms=ms, **{f"pk__{step}": pk})
    return beyond | Q(first_ms__isnull=True)


def _holds(type_name: str, criterion: Criterion) -> Q:
    entries = DocumentIndex.objects.filter(document=OuterRef("pk"), type=type_name, param=criterion.param)
    if criterion.missing is not None:
        there = Q(Exists(entries))
        return ~there if criterion.missing else there
    any_of = Q()
    for match in criterion.matches:
        any_of |= _matches(criterion.kind, match)
    found = Q(Exists(entries.filter(any_of)))
    return ~found if criterion.negated else found


def _matches(kind: str, match: Match) -> Q:
    if kind == "date":
        return date_matches(match)
    if kind == "string":
        return _string_matches(match)
    q = Q(pk__isnull=False)  # any entry; an empty Q would vanish from an "or"
    if match.system is not None:
        q &= Q(system=match.system)
    if match.value is not None:
        q &= Q(value=match.value)
    return q


def _string_matches(match: Match) -> Q:
    value = match.value or ""
    if match.how == "exact":
        return Q(system=value)
    if match.how == "contains":
        return Q(value__contains=value)
    return Q(value__startswith=value)


def date_matches(match: Match, low: str = "low_ms", high: str = "high_ms") -> Q:
    """FHIR R4 search prefixes between [low_ms, high_ms) and the entry's range; an open end reaches for ever."""
    starts_in, ends_in = Q(**{f"{low}__gte": match.low_ms}), Q(**{f"{high}__lte": match.high_ms})
    ends_after = Q(**{f"{high}__gt": match.high_ms}) | Q(**{f"{high}__isnull": True})
    starts_before = Q(**{f"{low}__lt": match.low_ms}) | Q(**{f"{low}__isnull": True})
    tests = {
        "eq": starts_in & ends_in,
        "ne": ~(starts_in & ends_in),
        "gt": ends_after,
        "lt": starts_before,
        "ge": starts_in | ends_after,
        "le": ends_in | starts_before,
        "sa": Q(**{f"{low}__gte": match.high_ms}),
        "eb": Q(**{f"{high}__lte": match.low_ms}),
        "overlap": Q(**{f"{low}__lt": match.high_ms}) & Q(**{f"{high}__gt": match.low_ms}),
    }
    return tests[match.how]


def _changed(match: Match) -> Q:
    """A comparison with the time of the last change, which is an instant."""
    low, high = _moment(match.low_ms), _moment(match.high_ms)
    inside = Q(updated_at__gte=low, updated_at__lt=high)
    tests = {
        "eq": inside,
        "overlap": inside,
        "ne": ~inside,
        "gt": Q(updated_at__gte=high),
        "sa": Q(updated_at__gte=high),
        "lt": Q(updated_at__lt=low),
        "eb": Q(updated_at__lt=low),
        "ge": Q(updated_at__gte=low),
        "le": Q(updated_at__lt=high),
    }
    return tests[match.how]


def _moment(ms: int) -> datetime:
    """Times beyond the calendar (the end of the year 9999) are its ends."""
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if ms < 0 else datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HeldObservation:
    """What stands at an Observation's id: a document (deleted ones too), or a streamed reading."""

    reading: StoredReading | None = None

    @property
    def is_document(self) -> bool:
        return self.reading is None


HeldById = Mapping[str, HeldObservation]


def held_observations(fhir_ids: Iterable[str]) -> HeldById:
    """What stands at each of these ids; ids that name nothing here are left out."""
    wanted = sorted(set(fhir_ids))
    found: dict[str, HeldObservation] = {}
    for start in range(0, len(wanted), IDS_A_QUERY):
        found |= _held_part(wanted[start : start + IDS_A_QUERY])
    return found


def _held_part(wanted: list[str]) -> dict[str, HeldObservation]:
    found: dict[str, HeldObservation] = {}
    for name in wanted:
        reading = get_reading(name) if decode(name) is not None else None
        if reading is not None:
            found[name] = HeldObservation(reading)
    mine = {"fhir_id__in": wanted, "ended_batch__isnull": True}
    numbers = Sample.objects.filter(**mine, series__shape=Series.Shape.NUMBER).select_related("series", "batch")
    packets = Packet.objects.filter(**mine).select_related("series", "batch")
    found |= {str(row.fhir_id): HeldObservation(reading_of_sample(row)) for row in numbers}
    found |= {str(row.fhir_id): HeldObservation(reading_of_packet(row)) for row in packets}
    documents = Document.objects.filter(type="Observation", fhir_id__in=wanted).values_list("fhir_id", flat=True)
    return found | {name: HeldObservation() for name in documents}
