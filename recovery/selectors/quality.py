"""What arrived that the twin has no metric for: kept, listed, to be mapped by an administrator."""

from dataclasses import dataclass
from datetime import datetime

from recovery.models import UnmappedCode


@dataclass(frozen=True, slots=True)
class Unmapped:
    system: str
    code: str
    unit: str
    display: str
    reason: str
    readings: int
    first_seen: datetime
    last_seen: datetime


def unmapped_codes(limit: int = 500) -> tuple[Unmapped, ...]:
    """The most frequent first; at most `limit`."""
    rows = UnmappedCode.objects.order_by("-readings", "-last_seen")[:limit]
    return tuple(
        Unmapped(
            row.system,
            row.code,
            row.unit,
            row.display,
            row.reason,
            row.readings,
            row.first_seen,
            row.last_seen,
        )
        for row in rows
    )
