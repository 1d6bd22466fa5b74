"""The jobs behind subscriptions. What is owed lies in rows; the bell and the schedule only wake them."""

from celery import shared_task
from django.utils import timezone

from integrations.subscriptions import delivery
from recovery.services import subscriptions


@shared_task(name="recovery.deliver_events")  # type: ignore[untyped-decorator]
def deliver_events() -> int:
    """Match what happened, and send what is due; returns how many messages arrived."""
    return delivery.deliver_owed(clock=timezone.now)


@shared_task(name="recovery.deliver_thinned")  # type: ignore[untyped-decorator]
def thin_events() -> int:
    return subscriptions.thin(now=timezone.now())
