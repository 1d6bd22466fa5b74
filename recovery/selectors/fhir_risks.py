"""What the twin concludes, as the FHIR door reads it: the current snapshot of each episode."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from recovery.models import Snapshot
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot


@dataclass(frozen=True, slots=True)
class EpisodeSaid:
    """The current snapshot of one episode, and who and which operation it is about."""

    row_id: int
    episode_row_id: int
    episode_key: UUID
    procedure_id: str
    patient_id: int
    patient_fhir_id: str
    said: Said


def current_said(
    *, patients: Sequence[str] | None = None, key: UUID | None = None, after: int = 0, limit: int = 100
) -> list[EpisodeSaid]:
    """Current snapshots by episode row id beyond `after`; of these patients (FHIR ids), or of one episode."""
    rows = Snapshot.objects.filter(current=True, episode_id__gt=after, episode__patient__deleted_at__isnull=True)
    if patients is not None:
        rows = rows.filter(episode__patient__fhir_id__in=patients)
    if key is not None:
        rows = rows.filter(episode__key=key)
    page = rows.select_related("episode__patient").order_by("episode_id")[:limit]
    return [_said(row) for row in page]


def earlier_said(key: UUID, limit: int = 1_000) -> list[EpisodeSaid]:
    """Every kept snapshot of an episode, newest first: one per clock hour (ADR 3)."""
    rows = Snapshot.objects.filter(episode__key=key, episode__patient__deleted_at__isnull=True)
    return [_said(row) for row in rows.select_related("episode__patient").order_by("-hour")[:limit]]


def _said(row: Snapshot) -> EpisodeSaid:
    episode = row.episode
    said = read_snapshot(row.content, made_at=row.made_at, data_until=row.data_until, model_version=row.model_version)
    return EpisodeSaid(
        row.pk, episode.pk, episode.key, episode.fhir_id, episode.patient_id, episode.patient.fhir_id, said
    )
