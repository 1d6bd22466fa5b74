"""What the FHIR door tells of a pathway: the episode, its days, and what its twin expects of its milestones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery

from recovery.models import Document, Episode, Snapshot
from recovery.selectors.snapshot import MilestoneSaid, Said
from recovery.selectors.snapshot_json import read_snapshot

DEFAULT_DAYS = 30  # as services.twinning
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PlanSaid:
    """One episode with its pathway. `status` as models.Episode.Status; `day_zero` None while the operation has no end.

    `changed_at`: when the operation, or what the twin says about it, last changed.
    """

    row_id: int
    key: UUID
    procedure_id: str
    procedure_text: str
    patient_id: int
    patient_fhir_id: str
    status: str
    day_zero: datetime | None
    days: int
    pathway: str
    pathway_key: str
    pathway_version: int
    team: str
    time_zone: str
    changed_at: datetime
    said: Said | None

    @property
    def milestones(self) -> tuple[MilestoneSaid, ...]:
        return self.said.milestones if self.said else ()

    def date_of(self, day: int) -> date | None:
        """The calendar date, where the patient is, on which postoperative day `day` begins."""
        if self.day_zero is None:
            return None
        return (self.day_zero + timedelta(days=day)).astimezone(ZoneInfo(self.time_zone)).date()


def plans_said(
    *, patients: Sequence[str] | None = None, key: UUID | None = None, after: int = 0, limit: int = 100
) -> list[PlanSaid]:
    """Episodes by row id beyond `after`; of these patients (FHIR ids), or one by its key."""
    operation = Document.objects.filter(type="Procedure", fhir_id=OuterRef("fhir_id")).values("updated_at")[:1]
    rows = Episode.objects.filter(pk__gt=after, patient__deleted_at__isnull=True)
    if patients is not None:
        rows = rows.filter(patient__fhir_id__in=patients)
    if key is not None:
        rows = rows.filter(key=key)
    page = list(
        rows.select_related("patient", "pathway", "team").annotate(sent_at=Subquery(operation)).order_by("pk")[:limit]
    )
    snapshots = Snapshot.objects.filter(current=True, episode_id__in=[row.pk for row in page])
    said = {row.episode_id: row for row in snapshots}
    return [_plan(row, said.get(row.pk)) for row in page]


def _plan(row: Episode, snapshot: Snapshot | None) -> PlanSaid:
    sent_at: datetime | None = vars(row)["sent_at"]
    said = snapshot and read_snapshot(
        snapshot.content,
        made_at=snapshot.made_at,
        data_until=snapshot.data_until,
        model_version=snapshot.model_version,
    )
    times = [at for at in (sent_at, said.made_at if said else None) if at is not None]
    pathway = row.pathway
    return PlanSaid(
        row_id=row.pk,
        key=row.key,
        procedure_id=row.fhir_id,
        procedure_text=row.procedure_text,
        patient_id=row.patient_id,
        patient_fhir_id=row.patient.fhir_id,
        status=row.status,
        day_zero=row.surgery_end,
        days=pathway.days if pathway else DEFAULT_DAYS,
        pathway=pathway.name if pathway else "",
        pathway_key=pathway.key if pathway else "",
        pathway_version=pathway.version if pathway else 0,
        team=row.team.name if row.team else "",
        time_zone=row.time_zone,
        changed_at=max(times, default=row.surgery_end or _NEVER),
        said=said or None,
    )
