"""A streamed reading that somebody changes or deletes becomes a document: from then on it has a history.

The reading stops speaking (`ended_batch`), so "what was known then" still answers truly. The very same reading sent
again after it was voided is the document's next version (`Delivery.retell`); a retry does not undo a correction.
"""

from django.db.models import Q

from recovery.models import Batch, Document, Packet, Sample, Series
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.reading_ids import ReadingId, decode, value_mark
from recovery.services.changes import Changes
from recovery.services.intake import DocumentWrite


def promote(write: DocumentWrite, batch: Batch, changes: Changes) -> None:
    """Make the reading at `write.fhir_id` version 1 of a document, as it read, and end the reading."""
    if write.replaces is None or write.fhir_id is None:
        return
    ended = _end(write.fhir_id, batch)
    if ended is None:
        return
    series, at_ms = ended
    Document.objects.get_or_create(
        type=write.type,
        fhir_id=write.fhir_id,
        defaults={
            "version": 1,
            "content": write.replaces.content,
            "updated_at": write.replaces.at,
            "patient_id": series.patient_id,
        },
    )
    changes.touched.add(series.patient_id)
    if series.metric:
        changes.reading(series.patient_id, at_ms)


def stands(type_name: str, fhir_id: str) -> bool:
    """Whether that is a standing streamed reading."""
    if type_name != "Observation":
        return False
    derived = decode(fhir_id)
    return _standing_packet(fhir_id, derived) is not None or _standing_number(fhir_id, derived) is not None


def _end(fhir_id: str, batch: Batch) -> tuple[Series, int] | None:
    """End the standing number or packet of that id; its series and time, or None when there is none."""
    derived = decode(fhir_id)
    packet = _standing_packet(fhir_id, derived)
    if packet is not None:
        _end_packet(packet, batch)
        return packet.series, packet.at_ms
    sample = _standing_number(fhir_id, derived)
    if sample is None:
        return None
    key = {"series_id": sample.series_id, "at_ms": sample.at_ms, "value": sample.value, "digits": sample.digits}
    Sample.objects.filter(**key, ended_batch__isnull=True).update(ended_batch=batch)
    return sample.series, sample.at_ms


def _standing_packet(fhir_id: str, derived: ReadingId | None) -> Packet | None:
    rows = Packet.objects.filter(ended_batch__isnull=True).select_related("series")
    if derived is None:
        return rows.filter(fhir_id=fhir_id).first()
    if derived.kind != "k":
        return None
    return rows.filter(series_id=derived.series_id, at_ms=derived.at_ms, digest=derived.rest).first()


def _standing_number(fhir_id: str, derived: ReadingId | None) -> Sample | None:
    """Also one that the care team has marked as wrong: it reads back, as entered in error (`services.marking`)."""
    told = Q(ended_batch__isnull=True) | Q(ended_batch__channel=MARK_CHANNEL)
    rows = Sample.objects.filter(told, series__shape=Series.Shape.NUMBER).select_related("series")
    if derived is None:
        return rows.filter(fhir_id=fhir_id).first()
    at_that_time = rows.filter(series_id=derived.series_id, at_ms=derived.at_ms) if derived.kind == "r" else ()
    return next((row for row in at_that_time if value_mark(row.value, row.digits) == derived.rest), None)


def _end_packet(packet: Packet, batch: Batch) -> None:
    """End a packet and its samples, but none that another packet of the series still stands for."""
    mine = {"series_id": packet.series_id, "ended_batch__isnull": True}
    Packet.objects.filter(series_id=packet.series_id, at_ms=packet.at_ms, digest=packet.digest).update(
        ended_batch=batch
    )
    kept = Q()
    for at_ms, end_ms in Packet.objects.filter(**mine, at_ms__lte=packet.end_ms, end_ms__gte=packet.at_ms).values_list(
        "at_ms", "end_ms"
    ):
        kept |= Q(at_ms__gte=at_ms, at_ms__lte=end_ms)
    rows = Sample.objects.filter(**mine, at_ms__gte=packet.at_ms, at_ms__lte=packet.end_ms)
    (rows.exclude(kept) if kept else rows).update(ended_batch=batch)
