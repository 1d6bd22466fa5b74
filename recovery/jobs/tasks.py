"""Celery tasks: three lines each. What they do lives in services; what they owe lives in the database."""

from celery import shared_task
from django.utils import timezone

from recovery import audit, queue
from recovery.services import (
    alerting,
    authorizations,
    check_ins,
    delivering,
    escalation,
    housekeeping,
    invites,
    privacy,
    proof,
    refresh,
)

# A rebuild of 30 days takes about 0.1 s, and a task must end within its time limit of 240 s.
TWINS_A_NIGHT = 1_000


@shared_task(name="recovery.refresh_twins")
def refresh_twins() -> int:
    """Bring every twin that is owed a refresh up to date."""
    return refresh.refresh_owed(clock=timezone.now)


@shared_task(name="recovery.sweep")
def sweep() -> int:
    """Ring again for work that nobody took, look at silent patients, wake snoozed alerts."""
    now = timezone.now()
    alerting.wake_snoozed(now=now)
    refresh.owe_silent(now=now)
    return queue.sweep(now=now)


@shared_task(name="recovery.deliver_alerts")
def deliver_alerts() -> int:
    """Climb the ladders whose time has come, and send what is owed; returns how many messages went out."""
    escalation.escalate_due(now=timezone.now())
    privacy.tell_officers(clock=timezone.now)
    return delivering.deliver_owed(clock=timezone.now)


@shared_task(name="recovery.seal_audit")
def seal_audit() -> int:
    return audit.seal_all()


@shared_task(name="recovery.prove_twins")
def prove_twins() -> int:
    """Compare twins with their rebuild, the longest unproved first; returns how many differ."""
    return len(proof.prove_twins(now=timezone.now(), limit=TWINS_A_NIGHT).differ)


@shared_task(name="recovery.make_partitions")
def make_partitions() -> int:
    return housekeeping.make_partitions(now=timezone.now())


@shared_task(name="recovery.thin_history")
def thin_history() -> int:
    """Forget page events, answers begun and never sent, wrong tries at links that count no more, ended sessions, and
    what people were told long ago."""
    now = timezone.now()
    check_ins.drop_old_drafts(now=now)
    invites.forget_tries(now=now)
    housekeeping.forget_sessions(now=now)
    authorizations.forget_expired(now=now)
    housekeeping.thin_notifications(now=now)
    return housekeeping.thin_live_events(now=now)
