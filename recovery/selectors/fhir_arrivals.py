"""Where things came from: one arrival per delivery and patient, with all that it brought of that patient.

The audit row that a delivery leaves for each patient it touched is the list of arrivals: its id is the arrival's, so
that one patient's deliveries are found by index however many readings there are.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from recovery.models import AuditEvent, Batch, Document, DocumentVersion, Packet, Sample, Series
from recovery.reading_ids import ReadingId, decode, encode, value_mark

PREFIX = "Batch/"


@dataclass(frozen=True, slots=True)
class ArrivalSaid:
    """What one delivery brought of one patient. `targets`: Type/id, each once. `sources`: as models.Series has them."""

    row_id: int
    batch_id: int
    channel: str
    received_at: datetime
    sender: str
    sender_kind: str
    patient_id: int
    patient_fhir_id: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(slots=True)
class _Brought:
    targets: dict[str, None]
    sources: set[str]


Pair = tuple[int, int]  # batch, patient


def arrivals_said(
    *, patients: Sequence[str] | None = None, ids: Collection[int] | None = None, after: int = 0, limit: int = 100
) -> list[ArrivalSaid]:
    """By id beyond `after`; of these patients (FHIR ids), or of these ids; without those that brought nothing new."""
    rows = AuditEvent.objects.filter(action="ingest", patient__deleted_at__isnull=True, patient__isnull=False)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if patients is not None:
        rows = rows.filter(patient__fhir_id__in=patients)
    found: list[ArrivalSaid] = []
    while len(found) < limit:
        page = list(rows.filter(pk__gt=after).select_related("patient").order_by("pk")[: limit - len(found)])
        if not page:
            break
        found += _arrived(page)
        after = page[-1].pk
    return found


def _arrived(rows: Sequence[AuditEvent]) -> list[ArrivalSaid]:
    batches = Batch.objects.in_bulk([pk for row in rows if (pk := _batch_of(row.entity))])
    brought = _brought({(batch, row.patient_id) for row in rows if (batch := _batch_of(row.entity)) and row.patient_id})
    return [
        _said(row, batches[batch], brought[batch, row.patient_id])
        for row in rows
        if (batch := _batch_of(row.entity)) in batches and row.patient_id and brought[batch, row.patient_id].targets
    ]


def arrivals_of(references: Iterable[str]) -> list[int]:
    """Ids of the arrivals that brought these resources (Type/id)."""
    by_type: dict[str, set[str]] = {}
    for reference in references:
        name, _, fhir_id = reference.partition("/")
        by_type.setdefault(name, set()).add(fhir_id)
    pairs = {pair for name, ids in by_type.items() for pair in _of_documents(name, ids)}
    pairs |= {pair for fhir_id in by_type.get("Observation", ()) for pair in _of_readings(fhir_id)}
    received = Batch.objects.in_bulk({batch for batch, _ in pairs})
    rows = AuditEvent.objects.filter(
        action="ingest",
        patient_id__in={patient for _, patient in pairs},
        at__in={batch.received_at for batch in received.values()},
    )
    return sorted(
        row_id
        for row_id, entity, patient in rows.values_list("pk", "entity", "patient_id")
        if (_batch_of(entity), patient) in pairs
    )


def _batch_of(entity: str) -> int:
    number = entity.removeprefix(PREFIX)
    return int(number) if entity.startswith(PREFIX) and number.isdigit() else 0


def _brought(pairs: Collection[Pair]) -> dict[Pair, _Brought]:
    found = {pair: _Brought({}, set()) for pair in pairs}
    batches, patients = {batch for batch, _ in pairs}, {patient for _, patient in pairs}
    for batch, patient, name in _documents(batches, patients):
        if (batch, patient) in found:
            found[batch, patient].targets[name] = None
    for batch, patient, name, source in _readings(batches, patients):
        if (batch, patient) in found:
            found[batch, patient].targets[name] = None
            found[batch, patient].sources.add(source)
    return found


def _documents(batches: Collection[int], patients: Collection[int]) -> Iterable[tuple[int, int, str]]:
    """(batch, patient, Type/id) of every document version."""
    now = Document.objects.filter(batch_id__in=batches, patient_id__in=patients)
    then = DocumentVersion.objects.filter(batch_id__in=batches, document__patient_id__in=patients)
    rows = [*now.values_list("batch_id", "patient_id", "type", "fhir_id").order_by("pk")]
    rows += then.values_list("batch_id", "document__patient_id", "document__type", "document__fhir_id").order_by("pk")
    for batch, patient, name, fhir_id in rows:
        yield batch, patient, f"{name}/{fhir_id}"


def _readings(batches: Collection[int], patients: Collection[int]) -> Iterable[tuple[int, int, str, str]]:
    """(batch, patient, Observation/id, source) of every streamed reading: asked by series, as samples are kept."""
    rows = Series.objects.filter(patient_id__in=patients).exclude(shape=Series.Shape.PROJECTED)
    series = {pk: (patient, source) for pk, patient, source in rows.values_list("pk", "patient_id", "source")}
    mine = {"series_id__in": list(series), "batch_id__in": batches}
    numbers = Sample.objects.filter(**mine, series__shape=Series.Shape.NUMBER)
    for batch, pk, at_ms, value, digits, name in numbers.values_list(
        "batch_id", "series_id", "at_ms", "value", "digits", "fhir_id"
    ).order_by("series_id", "at_ms"):
        name = name or encode(ReadingId("r", pk, at_ms, value_mark(value, digits)))
        yield batch, series[pk][0], f"Observation/{name}", series[pk][1]
    packets = Packet.objects.filter(**mine).order_by("series_id", "at_ms")
    for batch, pk, at_ms, digest, name in packets.values_list("batch_id", "series_id", "at_ms", "digest", "fhir_id"):
        yield batch, series[pk][0], f"Observation/{name or encode(ReadingId('k', pk, at_ms, digest))}", series[pk][1]


def _of_documents(name: str, ids: Collection[str]) -> set[Pair]:
    mine = Document.objects.filter(type=name, fhir_id__in=ids, patient__isnull=False)
    older = DocumentVersion.objects.filter(document__in=mine)
    rows = [*mine.values_list("batch_id", "patient_id"), *older.values_list("batch_id", "document__patient_id")]
    return {(batch, patient) for batch, patient in rows if batch is not None}


def _of_readings(fhir_id: str) -> set[Pair]:
    derived = decode(fhir_id)
    if derived is None:
        named = Q(fhir_id=fhir_id)
        numbers = Sample.objects.filter(named, series__shape=Series.Shape.NUMBER)
        rows = [*numbers.values_list("batch_id", "series__patient_id")]
        return {*rows, *Packet.objects.filter(named).values_list("batch_id", "series__patient_id")}
    place = {"series_id": derived.series_id, "at_ms": derived.at_ms}
    if derived.kind == "k":
        return set(Packet.objects.filter(**place, digest=derived.rest).values_list("batch_id", "series__patient_id"))
    there = Sample.objects.filter(**place).values_list("value", "digits", "batch_id", "series__patient_id")
    return {(batch, patient) for value, digits, batch, patient in there if value_mark(value, digits) == derived.rest}


def _said(row: AuditEvent, batch: Batch, brought: _Brought) -> ArrivalSaid:
    assert row.patient is not None and row.patient_id is not None  # noqa: S101 - the rows were asked for so
    return ArrivalSaid(
        row_id=row.pk,
        batch_id=batch.pk,
        channel=batch.channel,
        received_at=batch.received_at,
        sender=row.actor_name,
        sender_kind=row.actor_kind,
        patient_id=row.patient_id,
        patient_fhir_id=row.patient.fhir_id,
        targets=tuple(brought.targets),
        sources=tuple(sorted(brought.sources)),
    )
