"""What happened, newest first, page by page: every version and deletion of documents, and every standing reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recovery.consent_rules import CARE
from recovery.models import Batch, ConsentDecision, Document, DocumentVersion, Packet, Sample, Series
from recovery.selectors.fhir_criteria import sealed_documents
from recovery.selectors.fhir_store import (
    StoredDocument,
    StoredReading,
    old_version,
    reading_of_packet,
    reading_of_sample,
    stored,
)

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# Where a version stands: time of change in microseconds, document, version.
Place = tuple[int, int, int]
# Where a reading stands: delivery, series, time, value or digest, decimals.
ReadingPlace = tuple[int, int, int, float, int]
BATCHES_A_QUERY = 500
MOST_QUERIES = 40


@dataclass(frozen=True, slots=True)
class Patients:
    """Whose rows to look at (FHIR ids). `others`: types to which that does not apply. `of_readings`: whether it does to
    streamed readings."""

    ids: tuple[str, ...]
    others: tuple[str, ...]
    of_readings: bool


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """`since`: changed then or later. `at`: current at some moment of [low, high)."""

    types: Sequence[str]
    since: datetime | None = None
    at: tuple[datetime, datetime] | None = None
    before: Place | None = None
    limit: int = 100
    patients: Patients | None = None


def document_history(query: HistoryQuery) -> list[tuple[Place, StoredDocument]]:
    """Up to `limit` versions before `before`. Nothing repeats while others write: new versions come in front."""
    order = ("-updated_at", "-document_id", "-version")
    current = _current(query).filter(_before(query, "pk"))
    older = _older(query).filter(_before(query, "document_id"))
    found = [stored(row) for row in current.order_by("-updated_at", "-pk", "-version")[: query.limit]]
    found += [
        old_version(row.document, row) for row in older.select_related("document").order_by(*order)[: query.limit]
    ]
    placed = sorted(((_place(one), one) for one in found), key=lambda item: item[0], reverse=True)
    return placed[: query.limit]


def count_document_history(query: HistoryQuery) -> int:
    return _current(query).count() + _older(query).count()


def deletions_of(names: Iterable[tuple[str, str]]) -> set[tuple[str, str, int]]:
    """The superseded versions of these (type, FHIR id) that are deletions: what comes after one was made anew."""
    wanted = set(names)
    rows = DocumentVersion.objects.filter(
        deleted=True,
        document__type__in={type_name for type_name, _ in wanted},
        document__fhir_id__in={fhir_id for _, fhir_id in wanted},
    )
    found = set(rows.values_list("document__type", "document__fhir_id", "version"))
    return {one for one in found if one[:2] in wanted}


def _current(query: HistoryQuery) -> QuerySet[Document]:
    rows = Document.objects.filter(_since(query), _whose(query, ""), type__in=query.types)
    rows = rows.exclude(pk__in=sealed_documents().values("pk"))
    return rows if query.at is None else rows.filter(updated_at__lt=query.at[1])


def _older(query: HistoryQuery) -> QuerySet[Any]:
    rows = DocumentVersion.objects.filter(_since(query), _whose(query, "document__"), document__type__in=query.types)
    rows = rows.exclude(document_id__in=sealed_documents().values("pk"))
    if query.at is None:
        return rows
    next_one = DocumentVersion.objects.filter(document=OuterRef("document"), version=OuterRef("version") + 1)
    until = Coalesce(
        Subquery(next_one.values("updated_at")[:1]), F("document__updated_at"), output_field=DateTimeField()
    )
    return rows.filter(updated_at__lt=query.at[1]).annotate(until=until).filter(until__gt=query.at[0])


def _whose(query: HistoryQuery, document: str) -> Q:
    if query.patients is None:
        return Q()
    theirs = Q(**{f"{document}patient__fhir_id__in": query.patients.ids})
    return theirs | Q(**{f"{document}type__in": query.patients.others})


def _place(one: StoredDocument) -> Place:
    return (one.updated_at - _EPOCH) // _MICROSECOND, one.row_id, one.version


def _since(query: HistoryQuery) -> Q:
    return Q() if query.since is None else Q(updated_at__gte=query.since)


def _before(query: HistoryQuery, row: str) -> Q:
    if query.before is None:
        return Q()
    at, row_id, version = query.before
    moment = _EPOCH + at * _MICROSECOND
    before = Q(updated_at__lt=moment) | Q(updated_at=moment, **{f"{row}__lt": row_id})
    return before | Q(updated_at=moment, **{row: row_id}, version__lt=version)


# ---- readings: one version each, from the delivery that brought it ---


def reading_history(
    since: datetime | None,
    until: datetime | None,
    before: ReadingPlace | None,
    limit: int,
    patients: Sequence[str] | None = None,
) -> list[tuple[ReadingPlace, StoredReading]]:
    """Up to `limit` standing readings, the latest delivered first. One that was changed or deleted is a document.

    `patients`: only of these (FHIR ids).
    """
    found: list[tuple[ReadingPlace, StoredReading]] = []
    if patients is not None:
        series = Series.objects.filter(patient__fhir_id__in=patients).exclude(shape=Series.Shape.PROJECTED)
        series = series.usable_for(CARE)
        asked = Q(series_id__in=list(series.values_list("pk", flat=True))) & _received(since, until)
        found = _of_samples(asked, before, limit) + _of_packets(asked, before, limit)
        return sorted(found, key=lambda item: item[0], reverse=True)[:limit]
    readable = ~Q(series_id__in=_sealed_series())
    for deliveries in _deliveries(since, until, before):
        asked = Q(batch_id__in=deliveries) & readable
        found += _of_samples(asked, before, limit) + _of_packets(asked, before, limit)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda item: item[0], reverse=True)[:limit]


def _sealed_series() -> list[int]:
    """Who has withdrawn anything from care is asked first: mostly nobody has."""
    standing = ConsentDecision.objects.filter(purpose=CARE, allowed=False, until__isnull=True)
    patients = list(standing.values_list("patient_id", flat=True).distinct())
    if not patients:
        return []
    return list(Series.objects.filter(patient_id__in=patients).sealed().values_list("pk", flat=True))


def _received(since: datetime | None, until: datetime | None) -> Q:
    asked = Q() if since is None else Q(batch__received_at__gte=since)
    return asked if until is None else asked & Q(batch__received_at__lt=until)


def _deliveries(since: datetime | None, until: datetime | None, before: ReadingPlace | None) -> Iterable[Sequence[int]]:
    """Row ids of deliveries with readings, newest first, in parts."""
    rows = Batch.objects.filter(readings__gt=0)
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    if until is not None:
        rows = rows.filter(received_at__lt=until)
    last = None if before is None else before[0]
    for _ in range(MOST_QUERIES):
        part = rows if last is None else rows.filter(pk__lte=last)
        ids = list(part.order_by("-pk").values_list("pk", flat=True)[:BATCHES_A_QUERY])
        if not ids:
            return
        yield ids
        last = ids[-1] - 1


def _of_samples(asked: Q, before: ReadingPlace | None, limit: int) -> list[tuple[ReadingPlace, StoredReading]]:
    rows = Sample.objects.filter(asked, ended_batch__isnull=True, series__shape=Series.Shape.NUMBER).filter(
        _beyond(before, ("batch_id", "series_id", "at_ms", "value", "digits"))
    )
    page = rows.order_by("-batch_id", "-series_id", "-at_ms", "-value", "-digits").select_related("series", "batch")
    return [
        ((row.batch_id, row.series_id, row.at_ms, row.value, row.digits), reading_of_sample(row))
        for row in page[:limit]
    ]


def _of_packets(asked: Q, before: ReadingPlace | None, limit: int) -> list[tuple[ReadingPlace, StoredReading]]:
    place = None if before is None else (*before[:3], int(before[3]), before[4])
    rows = Packet.objects.filter(asked, ended_batch__isnull=True).filter(
        _beyond(place, ("batch_id", "series_id", "at_ms", "digest"))
    )
    page = rows.order_by("-batch_id", "-series_id", "-at_ms", "-digest").select_related("series", "batch")
    return [
        ((row.batch_id, row.series_id, row.at_ms, float(row.digest), 0), reading_of_packet(row)) for row in page[:limit]
    ]


def _beyond(before: Sequence[float] | None, names: Sequence[str]) -> Q:
    """Strictly before a place in descending order, spelled out so that both engines can use an index."""
    beyond, same = Q(), Q()
    for name, value in zip(names, before or (), strict=False):
        beyond |= same & Q(**{f"{name}__lt": value})
        same &= Q(**{name: value})
    return beyond
