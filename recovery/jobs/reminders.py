"""Celery tasks of reminders: three lines each, the rows are the truth."""

from celery import shared_task
from django.utils import timezone

from recovery.services import caregiver_notices, message_notices, reminders


@shared_task(name="recovery.deliver_reminders")
def deliver_reminders() -> int:
    """Plan and send reminders of check-ins, and notices of messages; returns how many went out."""
    reminders.plan_reminders(now=timezone.now())
    caregiver_notices.plan_reminders(now=timezone.now())
    reminders.mark_answered(now=timezone.now())
    return sum(one.send_owed(clock=timezone.now) for one in (reminders, message_notices, caregiver_notices))
