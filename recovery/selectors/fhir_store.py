"""What the FHIR door reads: documents and streamed readings, as plain values.

The door renders them; this module knows rows, not FHIR.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from recovery.models import Device, Document, DocumentVersion, Packet, Patient, ReadingMark, Sample, Series
from recovery.models.reading_mark import MARK_CHANNEL
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

    `data` is the SampledData text of a packet and None for a number. `is_wrong`: a person of the care team has marked
    it so; each mark and each undo is a `version`.
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
    version: int = 1
    is_wrong: bool = False


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
    sample = _numbers().filter(fhir_id=fhir_id).first()
    return reading_of_sample(sample) if sample else None


def _numbers() -> QuerySet[Sample]:
    """Numbers that stand, and those that a person has marked as wrong: they are read back as entered in error."""
    told = Q(ended_batch__isnull=True) | Q(ended_batch__channel=MARK_CHANNEL)
    rows = Sample.objects.filter(told, series__shape=Series.Shape.NUMBER)
    return rows.select_related("series", "batch", "ended_batch")


def _number_by(derived: ReadingId) -> StoredReading | None:
    for row in _numbers().filter(series_id=derived.series_id, at_ms=derived.at_ms):
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
    is_wrong = row.ended_batch_id is not None
    said_again = is_wrong or row.batch.channel == MARK_CHANNEL
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
        received_at=row.ended_batch.received_at if row.ended_batch else row.batch.received_at,
        version=1 + _times_judged(row) if said_again else 1,
        is_wrong=is_wrong,
    )


def _times_judged(row: Sample) -> int:
    """How often the reading was marked as wrong, and how often that was undone."""
    marks = ReadingMark.objects.filter(
        series_id=row.series_id, at_ms=row.at_ms, value=row.value, digits=row.digits
    ).values_list("undone_at", flat=True)
    return sum(1 if undone_at is None else 2 for undone_at in marks)


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
