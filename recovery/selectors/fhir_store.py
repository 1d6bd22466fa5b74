"""What the FHIR door reads: documents and streamed readings, as plain values.

The door renders them; this module knows rows, not FHIR.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from recovery.models import Device, Document, DocumentVersion, Packet, Patient, Sample, Series
from recovery.reading_ids import ReadingId, decode, value_mark


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One version of a document. `content` is its JSON text with id and meta; empty when deleted."""

    row_id: int
    type: str
    fhir_id: str
    version: int
    updated_at: datetime
    content: str
    deleted: bool
    patient_id: int | None


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A streamed number or packet with what is needed to write it out as it was sent.

    `data` is the SampledData text of a packet and None for a number.
    """

    series_id: int
    template: str
    patient_id: int
    at_ms: int
    end_ms: int | None
    value: float | None
    digits: int
    data: str | None
    digest: int | None
    slots: str | None
    fhir_id: str | None
    received_at: datetime


def get_document(type_name: str, fhir_id: str) -> StoredDocument | None:
    row = Document.objects.filter(type=type_name, fhir_id=fhir_id).first()
    return stored(row) if row else None


def get_document_version(type_name: str, fhir_id: str, version: int) -> StoredDocument | None:
    row = Document.objects.filter(type=type_name, fhir_id=fhir_id).first()
    if row is None or row.version == version:
        return stored(row) if row else None
    old = DocumentVersion.objects.filter(document=row, version=version).first()
    return old_version(row, old) if old else None


def history(type_name: str, fhir_id: str) -> list[StoredDocument]:
    """All versions, newest first, deletions included."""
    row = Document.objects.filter(type=type_name, fhir_id=fhir_id).first()
    if row is None:
        return []
    older = DocumentVersion.objects.filter(document=row).order_by("-version")
    return [stored(row), *(old_version(row, old) for old in older)]


def stored(row: Document) -> StoredDocument:
    return StoredDocument(
        row.pk, row.type, row.fhir_id, row.version, row.updated_at, row.content, row.deleted, row.patient_id
    )


def old_version(row: Document, old: DocumentVersion) -> StoredDocument:
    return StoredDocument(
        row.pk, row.type, row.fhir_id, old.version, old.updated_at, old.content, old.deleted, row.patient_id
    )


def get_reading(fhir_id: str) -> StoredReading | None:
    """The streamed reading of that id, whether derived or chosen by the sender; None when there is none."""
    derived = decode(fhir_id)
    if derived is not None:
        return _number_by(derived) if derived.kind == "r" else _packet_by(derived)
    packet = Packet.objects.filter(fhir_id=fhir_id, ended_batch__isnull=True).select_related("series", "batch").first()
    if packet is not None:
        return reading_of_packet(packet)
    sample = (
        Sample.objects.filter(fhir_id=fhir_id, ended_batch__isnull=True, series__shape=Series.Shape.NUMBER)
        .select_related("series", "batch")
        .first()
    )
    return reading_of_sample(sample) if sample else None


def _number_by(derived: ReadingId) -> StoredReading | None:
    rows = Sample.objects.filter(series_id=derived.series_id, at_ms=derived.at_ms, ended_batch__isnull=True)
    for row in rows.filter(series__shape=Series.Shape.NUMBER).select_related("series", "batch"):
        if value_mark(row.value, row.digits) == derived.rest:
            return reading_of_sample(row)
    return None


def _packet_by(derived: ReadingId) -> StoredReading | None:
    row = (
        Packet.objects.filter(
            series_id=derived.series_id, at_ms=derived.at_ms, digest=derived.rest, ended_batch__isnull=True
        )
        .select_related("series", "batch")
        .first()
    )
    return reading_of_packet(row) if row else None


def reading_of_sample(row: Sample) -> StoredReading:
    return StoredReading(
        series_id=row.series_id,
        template=row.series.template,
        patient_id=row.series.patient_id,
        at_ms=row.at_ms,
        end_ms=None,
        value=row.value,
        digits=row.digits,
        data=None,
        digest=None,
        slots=row.slots,
        fhir_id=row.fhir_id,
        received_at=row.batch.received_at,
    )


def reading_of_packet(row: Packet) -> StoredReading:
    return StoredReading(
        series_id=row.series_id,
        template=row.series.template,
        patient_id=row.series.patient_id,
        at_ms=row.at_ms,
        end_ms=row.end_ms,
        value=None,
        digits=0,
        data=row.data,
        digest=row.digest,
        slots=row.slots,
        fhir_id=row.fhir_id,
        received_at=row.batch.received_at,
    )


def patient_row_id(fhir_id: str) -> int | None:
    found = Patient.objects.filter(fhir_id=fhir_id, deleted_at__isnull=True).values_list("pk", flat=True)
    return found.first()


def known_patients(fhir_ids: Iterable[str]) -> set[str]:
    """Which of these patients exist (and are not deleted)."""
    rows = Patient.objects.filter(fhir_id__in=set(fhir_ids), deleted_at__isnull=True)
    return set(rows.values_list("fhir_id", flat=True))


def known_devices(fhir_ids: Iterable[str]) -> set[str]:
    return set(Device.objects.filter(fhir_id__in=set(fhir_ids)).values_list("fhir_id", flat=True))


# Where a streamed reading stands in a sorted, keyset-paged list: time, series, then what tells two at one time apart.
Place = tuple[int, int, float, int]


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Which streamed Observations are wanted; empty fields do not restrict.

    `codes`: (system or None for any, code), of which any may match. Measured in [from_ms, to_ms); a packet counts when
    any part of it does. `after`: the place of the last reading already seen. `series_ids`: only these series.
    `slot_texts`: the reading's own strings must hold one of these (an identifier's value).
    """

    patient_ids: Sequence[int] | None = None
    codes: Sequence[tuple[str | None, str]] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    descending: bool = True
    after: Place | None = None
    limit: int = 100
    series_ids: Sequence[int] | None = None
    slot_texts: Sequence[str] = ()


def place_of(reading: StoredReading) -> Place:
    if reading.digest is not None:
        return (reading.at_ms, reading.series_id, float(reading.digest), 0)
    return (reading.at_ms, reading.series_id, reading.value or 0.0, reading.digits)


def search_readings(query: StreamQuery) -> list[StoredReading]:
    """Up to `query.limit` readings by time (then series), from both shapes, after `query.after`. Never by offset."""
    series = matching_series(query)
    numbers = [pk for pk, one in series.items() if one.shape == Series.Shape.NUMBER]
    packets = [pk for pk, one in series.items() if one.shape == Series.Shape.PACKET]
    samples: Iterable[Sample] = _page(Sample, "value", numbers, query)
    found = [reading_of_sample(row) for row in samples]
    sampled: Iterable[Packet] = _page(Packet, "digest", packets, query)
    found += [reading_of_packet(row) for row in sampled]
    found.sort(key=place_of, reverse=query.descending)
    return found[: query.limit]


def count_readings(query: StreamQuery) -> int:
    series = matching_series(query)
    numbers = [pk for pk, one in series.items() if one.shape == Series.Shape.NUMBER]
    packets = [pk for pk, one in series.items() if one.shape == Series.Shape.PACKET]
    return _window(Sample, numbers, query).count() + _window(Packet, packets, query).count()


def matching_series(query: StreamQuery) -> dict[int, Series]:
    """The series that can hold what `query` asks for (number and packet shapes), by row id."""
    rows = Series.objects.exclude(shape=Series.Shape.PROJECTED)
    if query.patient_ids is not None:
        rows = rows.filter(patient_id__in=query.patient_ids)
    if query.series_ids is not None:
        rows = rows.filter(pk__in=query.series_ids)
    if query.codes:
        rows = rows.filter(code__in={code for _, code in query.codes})
    wanted = set(query.codes)
    return {row.pk: row for row in rows if not wanted or (row.system, row.code) in wanted or (None, row.code) in wanted}


def _window(model: type[Sample] | type[Packet], series_ids: Sequence[int], query: StreamQuery) -> QuerySet[Any]:
    rows = model.objects.filter(series_id__in=series_ids, ended_batch__isnull=True)
    if query.from_ms is not None:
        rows = rows.filter(**{"end_ms__gte" if model is Packet else "at_ms__gte": query.from_ms})
    if query.to_ms is not None:
        rows = rows.filter(at_ms__lt=query.to_ms)
    if query.received_from is not None:
        rows = rows.filter(batch__received_at__gte=query.received_from)
    if query.received_to is not None:
        rows = rows.filter(batch__received_at__lt=query.received_to)
    if query.slot_texts:
        held = Q()
        for text in query.slot_texts:
            held |= Q(slots__contains=text)
        rows = rows.filter(held)
    return rows


def _page(model: type[Sample] | type[Packet], tie: str, series_ids: Sequence[int], query: StreamQuery) -> Iterable[Any]:
    """One keyset page; rows at the very time of `after` are told apart by series and tie in Python-side order."""
    if not series_ids:
        return []
    rows = _window(model, series_ids, query)
    if query.after is not None:
        rows = rows.filter(_beyond(tie, query.after, query.descending))
    down = "-" if query.descending else ""
    ties = (f"{down}{tie}", f"{down}digits") if model is Sample else (f"{down}{tie}",)
    return rows.order_by(f"{down}at_ms", f"{down}series_id", *ties).select_related("series", "batch")[: query.limit]


def _beyond(tie: str, after: Place, descending: bool) -> Q:
    """(at, series, tie[, digits]) strictly beyond `after`, spelled out so that both engines use the index."""
    step = "lt" if descending else "gt"
    at_ms, series_id, value, digits = after
    key: float | int = int(value) if tie == "digest" else value
    beyond = Q(**{f"at_ms__{step}": at_ms}) | Q(at_ms=at_ms, **{f"series_id__{step}": series_id})
    beyond |= Q(at_ms=at_ms, series_id=series_id, **{f"{tie}__{step}": key})
    if tie == "value":
        beyond |= Q(at_ms=at_ms, series_id=series_id, value=value, **{f"digits__{step}": digits})
    return beyond
