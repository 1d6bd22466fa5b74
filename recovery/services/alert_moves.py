"""One step of an alert: the status, the row that says so, the ladder that starts or stops, the pages that hear of it.

The caller holds the transaction and the alert's lock, and has asked the table (recovery.alert_states).
"""

from datetime import datetime
from typing import Any

from recovery.alert_states import AS_IT_WAS, OPEN, SNOOZED, TRANSITIONS
from recovery.audit import Actor
from recovery.models import Alert, AlertTransition, LiveEvent
from recovery.services import escalation, outbox

PRODUCT = Actor.system("twinweb")
# What an undo puts back, beside the status.
KEPT = ("owner_id", "useful", "outcome", "wake")
KEPT_TIMES = ("snoozed_until", "resolved_at", "acknowledged_at", "due_at")


def move(
    alert: Alert,
    action: str,
    actor: Actor,
    now: datetime,
    *,
    was: dict[str, Any],
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> AlertTransition:
    """Apply `action`. `was`: `as_it_is` of the alert before the caller changed anything."""
    before, after = str(was["status"]), TRANSITIONS[action][1]
    if after is not None and after != AS_IT_WAS:
        alert.status = after
    if alert.status != SNOOZED:
        alert.snoozed_until, alert.wake = None, None
    alert.version += 1
    if alert.status == OPEN and before != OPEN:
        alert.due_at = escalation.deadline(alert, now)
    alert.save()
    step = write_step(alert, action, before, actor, now, reason=reason, detail={**(detail or {}), "before": was})
    escalation.follow(alert, before, step, now)
    return step


def as_it_is(alert: Alert) -> dict[str, Any]:
    """Everything of the alert that an undo has to put back, as plain values."""
    times = {name: getattr(alert, name) for name in KEPT_TIMES}
    return {
        "status": str(alert.status),
        **{name: getattr(alert, name) for name in KEPT},
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }


def put_back(alert: Alert, was: dict[str, Any]) -> None:
    """Inverse of `as_it_is`; nothing is saved."""
    alert.status = was["status"]
    for name in KEPT:
        setattr(alert, name, was[name])
    for name in KEPT_TIMES:
        setattr(alert, name, datetime.fromisoformat(was[name]) if was[name] else None)


def write_step(
    alert: Alert,
    action: str,
    before: str,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> AlertTransition:
    step = AlertTransition.objects.create(
        alert=alert,
        at=now,
        action=action,
        from_status=before,
        to_status=alert.status,
        actor_id=actor.id if actor.kind == "user" else None,
        actor_name=actor.name,
        reason=reason[:300],
        detail=detail or {},
    )
    tell_pages(alert, now)
    return step


def tell_pages(alert: Alert, now: datetime) -> None:
    """Open pages learn of it, and those who subscribe to alerts."""
    LiveEvent.objects.create(at=now, kind="alert", episode_id=alert.episode_id, team_id=alert.episode.team_id)
    outbox.note_alert(alert=alert, now=now)
