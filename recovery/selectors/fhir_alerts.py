"""Alerts as the FHIR door reads them: what was raised about whom, and everything that was done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch

from recovery.models import Alert, AlertTransition
from recovery.selectors.alerts import AlertSeen, alert_seen

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AlertSaid:
    """One alert with its steps, oldest first. `number` grows with every change of what is said about it.

    `day`: the postoperative day on which it was last held up by readings; None while there is no day zero.
    """

    row_id: int
    number: int
    changed_at: datetime
    episode_key: UUID
    procedure_id: str
    patient_id: int
    patient_fhir_id: str
    alert: AlertSeen
    day: int | None = None


def alerts_said(
    *, patients: Sequence[str] | None = None, key: UUID | None = None, after: int = 0, limit: int = 100
) -> list[AlertSaid]:
    """Alerts by row id beyond `after`, closed ones too; of these patients (FHIR ids), or one of them by its key."""
    rows = Alert.objects.filter(pk__gt=after, episode__patient__deleted_at__isnull=True)
    if patients is not None:
        rows = rows.filter(episode__patient__fhir_id__in=patients)
    if key is not None:
        rows = rows.filter(key=key)
    steps = Prefetch("transitions", AlertTransition.objects.order_by("at", "id"))
    page = rows.select_related("episode__patient", "owner").prefetch_related(steps).order_by("pk")[:limit]
    return [_said(row) for row in page]


def _said(row: Alert) -> AlertSaid:
    seen, episode = alert_seen(row), row.episode
    return AlertSaid(
        row_id=row.pk,
        number=row.version + row.hits - 1,  # a further hit renews the facts without a new version
        changed_at=max([row.raised_at, row.last_hit_at, *(step.at for step in seen.steps)]),
        episode_key=episode.key,
        procedure_id=episode.fhir_id,
        patient_id=episode.patient_id,
        patient_fhir_id=episode.patient.fhir_id,
        alert=seen,
        day=None if episode.surgery_end is None else (row.last_hit_at - episode.surgery_end) // DAY,
    )
