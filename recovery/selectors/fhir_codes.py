"""Which codes a patient's Observations have, on both shelves; and which codes wait for somebody to map them."""

from dataclasses import dataclass
from datetime import datetime

from recovery.models import DocumentIndex, Series, UnmappedCode


@dataclass(frozen=True, slots=True)
class QueuedCode:
    """A code that the door has no metric for. `series`: how many it is held in; `mapped_to`: a metric's key or ""."""

    row_id: int
    system: str
    code: str
    unit: str
    display: str
    reason: str
    readings: int
    last_seen: datetime
    series: int
    mapped_to: str

    @property
    def coding(self) -> tuple[str, str, str]:
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
    held = Series.objects.filter(system=system, code=row.code, unit=row.unit).values_list("metric", flat=True)
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
        max(held, default=""),
    )
