"""The job that writes bulk exports, a slice at a time. `recovery` asks for it by name; what is owed lies in rows."""

from celery import shared_task
from django.utils import timezone

from integrations.bulk.writing import run_owed
from recovery.services.exports import clear_expired


@shared_task(name="recovery.export")  # type: ignore[untyped-decorator]
def export() -> int:
    """Go on with every open export; returns how many are still open."""
    return run_owed(clock=timezone.now)


@shared_task(name="recovery.export_clear")  # type: ignore[untyped-decorator]
def export_clear() -> int:
    """Remove the files of exports whose time is over."""
    return clear_expired(now=timezone.now())
