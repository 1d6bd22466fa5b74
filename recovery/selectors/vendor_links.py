"""What a patient sees of their accounts at makers of wearables."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recovery.consent_rules import CARE, type_of_metric
from recovery.models import ConsentDecision, VendorLink


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """`source`: as models.Series.source. `asked_at`: the last contact that went well. `failing`: turns in a row."""

    key: UUID
    provider: str
    status: str
    source: str
    connected_at: datetime
    ended_at: datetime | None
    asked_at: datetime | None
    failing: int


def links_of(patient_id: int) -> tuple[LinkSeen, ...]:
    rows = VendorLink.objects.filter(patient_id=patient_id).order_by("provider")
    return tuple(
        LinkSeen(
            key=row.key,
            provider=row.provider,
            status=row.status,
            source=f"Device/{row.device}",
            connected_at=row.connected_at,
            ended_at=row.ended_at,
            asked_at=row.asked_at,
            failing=row.attempts if row.last_error else 0,
        )
        for row in rows
    )


def withdrawn_of(patient_id: int, metrics: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `metrics` whose type of data the patient does not allow for care."""
    said_no = set(
        ConsentDecision.objects.filter(
            patient_id=patient_id, purpose=CARE, allowed=False, until__isnull=True
        ).values_list("data_type", flat=True)
    )
    return tuple(metric for metric in metrics if type_of_metric(metric) in said_no)
