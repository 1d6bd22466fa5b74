"""One reading: what was sent, by what, when it came and in which delivery, and who judged it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F

from recovery.consent_rules import CARE
from recovery.exceptions import NotFound
from recovery.models import Device, Episode, Packet, ReadingMark, Sample, Series
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.reading_ids import ReadingId, decode, encode, value_mark
from recovery.selectors.timeline import MS_PER_HOUR

Key = tuple[int, int, float, int]  # series, at_ms, value, digits


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    name: str
    manufacturer: str
    kind: str
    udi: str
    fhir_id: str


@dataclass(frozen=True, slots=True)
class DeliverySeen:
    """Which delivery brought it: `number` is the Batch's, `connection` blank where none is known (imports)."""

    number: int
    channel: str
    connection: str
    received_at: datetime
    readings: int
    documents: int


@dataclass(frozen=True, slots=True)
class MarkSeen:
    reason: str
    marked_at: datetime
    marked_by: str
    undone_at: datetime | None
    undone_by: str


@dataclass(frozen=True, slots=True)
class ReadingSeen:
    """One reading in full. `value` in the metric's unit, `sent` as it came; `hour`: after surgery end."""

    id: str
    key: Key
    patient_id: int
    metric: str
    at: datetime
    hour: float
    span_h: float
    value: float
    sent: float
    sent_digits: int
    sent_unit: str
    code: str
    shape: str
    source: str
    tier: str
    device: DeviceSeen | None
    delivery: DeliverySeen
    document: str  # id of the Observation that said it, where its sender chose one
    message: str  # id of the Observation that said it, chosen by its sender or by us; blank: it came by none
    marks: tuple[MarkSeen, ...]  # newest first

    @property
    def mark(self) -> MarkSeen | None:
        """The mark that stands, if one does."""
        return next((mark for mark in self.marks if mark.undone_at is None), None)


def reading_seen(episode: Episode, metric: str, reading_id: str) -> ReadingSeen:
    """Raises NotFound for what is no reading of this metric of the episode's patient, was taken back by its sender, or
    is of a type of data that the patient has withdrawn from care."""
    sample = _sample(episode, metric, reading_id)
    own = sample.series
    marks = ReadingMark.objects.filter(
        series_id=sample.series_id, at_ms=sample.at_ms, value=sample.value, digits=sample.digits
    ).select_related("received__connection")
    found = list(marks.order_by("-marked_at", "-id"))
    zero = episode.surgery_end.timestamp() * 1000 if episode.surgery_end else sample.at_ms
    return ReadingSeen(
        id=reading_id,
        key=(sample.series_id, sample.at_ms, sample.value, sample.digits),
        patient_id=own.patient_id,
        metric=metric,
        at=datetime.fromtimestamp(sample.at_ms / 1000, UTC),
        hour=(sample.at_ms + own.span_ms / 2 - zero) / MS_PER_HOUR,
        span_h=own.span_ms / MS_PER_HOUR,
        value=sample.value * own.scale + own.shift,
        sent=sample.value,
        sent_digits=sample.digits,
        sent_unit=own.unit,
        code=own.code,
        shape=own.shape,
        source=own.source,
        tier=own.tier,
        device=_device(own),
        delivery=_delivery(sample, found),
        document=sample.fhir_id or "",
        message=sample.fhir_id or _packet(sample) or (reading_id if own.template else ""),
        marks=tuple(_mark(mark) for mark in found),
    )


def _sample(episode: Episode, metric: str, reading_id: str) -> Sample:
    named = decode(reading_id)
    rows = Sample.objects.none()
    if named is not None and named.kind == "r":
        rows = Sample.objects.filter(series_id=named.series_id, at_ms=named.at_ms).select_related(
            "series", "batch__connection", "ended_batch"
        )
        usable = Series.objects.filter(patient_id=episode.patient_id, metric=metric).usable_for(CARE)
        rows = rows.filter(series__in=usable)
    for row in rows:
        is_told = row.ended_batch is None or row.ended_batch.channel == MARK_CHANNEL
        if is_told and named is not None and value_mark(row.value, row.digits) == named.rest:
            return row
    raise NotFound("There is no such reading, or its sender has taken it back.")


def _packet(sample: Sample) -> str:
    """Id of the packet that the sample came in, blank where it came alone."""
    if sample.series.shape != Series.Shape.PACKET:
        return ""
    rows = Packet.objects.filter(series_id=sample.series_id, at_ms__lte=sample.at_ms, end_ms__gte=sample.at_ms)
    row = rows.order_by((F("batch_id") - sample.batch_id) ** 2, "-at_ms").first()
    return (row.fhir_id or encode(ReadingId("k", row.series_id, row.at_ms, row.digest))) if row else ""


def _device(own: Series) -> DeviceSeen | None:
    name = own.source.rpartition("/")[2]
    row = Device.objects.filter(fhir_id=name).first() if own.source.startswith("Device/") else None
    return DeviceSeen(row.name, row.manufacturer, row.kind, row.udi, row.fhir_id) if row else None


def _delivery(sample: Sample, marks: list[ReadingMark]) -> DeliverySeen:
    """The sender's delivery: where an undo made the reading speak again, the one that had brought it first."""
    batch = sample.batch
    if batch.channel == MARK_CHANNEL and marks:
        batch = marks[-1].received
    connection = batch.connection.name if batch.connection else ""
    return DeliverySeen(batch.pk, batch.channel, connection, batch.received_at, batch.readings, batch.documents)


def _mark(row: ReadingMark) -> MarkSeen:
    return MarkSeen(row.reason, row.marked_at, row.marked_by_name, row.undone_at, row.undone_by_name)
