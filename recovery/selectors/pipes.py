"""Ways in and out that an administrator has stopped for now."""

from dataclasses import dataclass
from datetime import datetime

from recovery.models import PausedPipe


@dataclass(frozen=True, slots=True)
class PauseSeen:
    name: str
    paused_at: datetime
    paused_by: str
    reason: str


def is_paused(name: str) -> bool:
    return PausedPipe.objects.filter(name=name).exists()


def pauses() -> dict[str, PauseSeen]:
    """By name of the pipe."""
    rows = PausedPipe.objects.all()
    return {row.name: PauseSeen(row.name, row.paused_at, row.paused_by, row.reason) for row in rows}
