"""Which codes a patient's Observations have, on both shelves; and which codes wait for somebody to map them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, F, FloatField, Max, Min, Q
from django.db.models.functions import Cast

from recovery.models import DocumentIndex, Episode, Owed, Sample, Series, UnmappedCode
from recovery.twin.metrics import METRICS

EXAMPLES = 5
Coding = tuple[str, str, str]  # system, code, unit


@dataclass(frozen=True, slots=True)
class QueuedCode:
    """A code that the door has no metric for. `series`: how many it is held in, `documents`: how many of these were
    drawn from documents (components, notes); `mapped_to`: a metric's key or ""."""

    row_id: int
    system: str
    code: str
    unit: str
    display: str
    reason: str
    readings: int
    last_seen: datetime
    series: int
    documents: int
    mapped_to: str

    @property
    def coding(self) -> Coding:
        return self.system, self.code, self.unit


def observation_codes(patient_fhir_id: str, limit: int) -> list[tuple[str, str]]:
    """(system, code) of everything observed in a patient, in alphabetical order."""
    series = Series.objects.filter(patient__fhir_id=patient_fhir_id, patient__deleted_at__isnull=True)
    streamed = series.exclude(shape=Series.Shape.PROJECTED).values_list("system", "code").distinct()
    indexed = DocumentIndex.objects.filter(
        document__patient__fhir_id=patient_fhir_id, type="Observation", param="code", kind="token"
    )
    return sorted({*streamed, *indexed.values_list("system", "value").distinct()})[:limit]


def queued_codes(limit: int = 200) -> list[QueuedCode]:
    """The codes without a metric of the door's own, the most frequent first."""
    return [_queued(row) for row in UnmappedCode.objects.order_by("-readings", "-last_seen", "pk")[:limit]]


def queued_code(row_id: int) -> QueuedCode | None:
    row = UnmappedCode.objects.filter(pk=row_id).first()
    return _queued(row) if row is not None else None


def _queued(row: UnmappedCode) -> QueuedCode:
    system = row.system[: Series._meta.get_field("system").max_length]
    held = Series.objects.filter(system=system, code=row.code, unit=row.unit).values_list("metric", "shape")
    return QueuedCode(
        row.pk,
        system,
        row.code,
        row.unit,
        row.display,
        row.reason,
        row.readings,
        row.last_seen,
        len(held),
        sum(shape == Series.Shape.PROJECTED for _, shape in held),
        max((metric for metric, _ in held), default=""),
    )


@dataclass(frozen=True, slots=True)
class Example:
    """One reading as sent, and as it would be read."""

    at: datetime
    sent: float
    read: float
    plausible: bool


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """What would come of reading a code as a metric: how much goes to how many twins, and what it would look like.

    `from_documents`: of the readings, those drawn from documents. `implausible`: outside the metric's plausible range,
    which the twin would not use. `low`, `high`: the extremes as they would be read.
    """

    readings: int
    from_documents: int
    patients: int
    twins: int
    implausible: int
    first_at: datetime | None
    last_at: datetime | None
    low: float | None
    high: float | None
    examples: tuple[Example, ...]


def preview_mapping(coding: Coding, metric: str, scale: float, shift: float) -> MappingPreview:
    """Nothing is changed. Counts the readings that no metric reads now."""
    system, code, unit = coding
    series = Series.objects.filter(system=system, code=code, unit=unit, metric="")
    patients = set(series.values_list("patient_id", flat=True))
    samples = Sample.objects.known_at(None).filter(series__in=series)
    low, high = METRICS[metric].plausible
    read = samples.annotate(read=Cast(F("value") * scale + shift, FloatField()))
    said = read.aggregate(
        readings=Count("at_ms"),
        from_documents=Count("at_ms", filter=Q(series__shape=Series.Shape.PROJECTED)),
        implausible=Count("at_ms", filter=Q(read__lt=low) | Q(read__gt=high)),
        first=Min("at_ms"),
        last=Max("at_ms"),
        low=Min("read"),
        high=Max("read"),
    )
    newest = samples.order_by("-at_ms", "series_id", "value").values_list("at_ms", "value")[:EXAMPLES]
    examples = (_example(at_ms, value, value * scale + shift, low, high) for at_ms, value in newest)
    return MappingPreview(
        readings=said["readings"],
        from_documents=said["from_documents"],
        patients=len(patients),
        twins=Episode.objects.filter(patient_id__in=patients, surgery_end__isnull=False).count(),
        implausible=said["implausible"],
        first_at=_moment(said["first"]),
        last_at=_moment(said["last"]),
        low=said["low"],
        high=said["high"],
        examples=tuple(examples),
    )


def _example(at_ms: int, sent: float, read: float, low: float, high: float) -> Example:
    return Example(datetime.fromtimestamp(at_ms / 1000, UTC), sent, read, low <= read <= high)


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the twins that a mapping touched are: `waiting` of `twins` are still to be brought up to date."""

    twins: int
    waiting: int

    @property
    def done(self) -> int:
        return self.twins - self.waiting


def mapping_progress(codings: Iterable[Coding]) -> dict[Coding, Progress]:
    """For each mapped code: its patients' twins, and how many of them are owed work."""
    found = {}
    for system, code, unit in codings:
        patients = Series.objects.filter(system=system, code=code, unit=unit).values("patient_id")
        episodes = Episode.objects.filter(patient_id__in=patients, surgery_end__isnull=False)
        waiting = Owed.objects.filter(kind="twin", key__in=episodes.values("pk"), done_seq__lt=F("seq"))
        found[system, code, unit] = Progress(episodes.count(), waiting.count())
    return found
