"""Celery task of connected wearables: the rows are the truth."""

from celery import shared_task
from django.utils import timezone

from recovery.services import vendor_links


@shared_task(name="recovery.ask_makers")
def ask_makers() -> int:
    """Ask the makers of wearables for what is new; returns how many accounts were asked."""
    return vendor_links.ask_due(clock=timezone.now)
