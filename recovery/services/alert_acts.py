"""What people do with an alert: take, give, put off, call for help, close, undo.

Every action names the version it saw; who comes second is told who was first, and nothing of theirs is applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from recovery import audit, wake
from recovery.alert_states import CAN_BE_UNDONE, DONE, RESOLVED, TRANSITIONS, UNDO_SECONDS
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound, RecoveryError
from recovery.models import Alert, AlertSight, Snapshot, User
from recovery.services import escalation, rosters, telling
from recovery.services.alert_moves import as_it_is, move, put_back, write_step
from recovery.wall_clock import at_the_hospital

# ux.md section 3: 4 h for a high alert, 24 h for the others, at most.
LONGEST_SNOOZE = {"high": timedelta(hours=4), "medium": timedelta(hours=24), "low": timedelta(hours=24)}
OUTCOMES = ("true_problem", "expected_course", "false_alarm", "device_problem", "other")
# What a click takes to arrive is not the person's fault.
UNDO_FOR = timedelta(seconds=UNDO_SECONDS + 2)
MOST_AT_ONCE = 50
TOOK_BACK = {
    "acknowledge": "Took back: I have it.",
    "assign": "Took back: given to somebody.",
    "snooze": "Took back: snoozed.",
    "resolve": "Took back: resolved.",
    "reopen": "Took back: opened again.",
}


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of one action on many alerts: key -> the alert as it is now, key -> why nothing was applied."""

    done: dict[UUID, Alert] = field(default_factory=dict)
    refused: dict[UUID, str] = field(default_factory=dict)


def acknowledge_alert(*, alert_key: UUID, version: int, actor: Actor, now: datetime) -> Alert:
    """'I have it': the actor becomes the owner."""
    with _held(alert_key, version, "acknowledge", now) as (alert, was):
        alert.owner_id = actor.id
        alert.acknowledged_at = alert.acknowledged_at or now
        return _act(alert, "acknowledge", actor, now, was)


def assign_alert(*, alert_key: UUID, version: int, user_id: int, actor: Actor, now: datetime) -> Alert:
    """Give it to somebody of the team. The clock goes on until they take it. Raises Invalid for anybody else."""
    with _held(alert_key, version, "assign", now) as (alert, was):
        team = alert.episode.team
        person = rosters.members(team, now).filter(pk=user_id).first() if team else None
        if person is None:
            raise Invalid("Only the staff of the patient's team can be given an alert.", field="user")
        alert.owner = person
        _act(alert, "assign", actor, now, was, reason=f"To {_name(person)}.", detail={"to": person.pk})
        if person.pk != actor.id:
            telling.tell(alert, "assigned", [person], now, urgent=True)
        return alert


def snooze_alert(*, alert_key: UUID, version: int, until: datetime, reason: str, actor: Actor, now: datetime) -> Alert:
    """Quiet until `until` or a condition of recovery.wake, with a reason.

    Raises Invalid for the past, beyond the longest snooze of its severity, or for a high alert that nobody has seen.
    """
    with _held(alert_key, version, "snooze", now) as (alert, was):
        longest = LONGEST_SNOOZE[alert.severity]
        if not now < until <= now + longest:
            hours = int(longest.total_seconds() // 3600)
            raise Invalid(f"A {alert.severity} alert can be snoozed for up to {hours} hours from now.", field="until")
        if not reason.strip():
            raise Invalid("Say why it may wait: the next person will want to know.", field="reason")
        if alert.severity == "high" and not alert.sights.exists():
            raise Invalid("Nobody has looked at this high alert yet: open it before it is put off.", field="alert")
        alert.snoozed_until = until
        alert.wake = wake.conditions(alert.kind, _content(alert), now).to_plain()
        return _act(alert, "snooze", actor, now, was, reason=reason.strip())


def escalate_alert(*, alert_key: UUID, version: int, reason: str, actor: Actor, now: datetime) -> Alert:
    """Call the next in line now, whoever has it. What people have been told cannot be untold: no undo."""
    with _held(alert_key, version, "escalate", now) as (alert, was):
        words = escalation.take(escalation.next_step(alert, now), alert, now)
        said = f"{reason.strip()} {words}".strip()
        return _act(alert, "escalate", actor, now, was, reason=said)


def resolve_alert(
    *, alert_key: UUID, version: int, outcome: str, useful: bool | None, note: str, actor: Actor, now: datetime
) -> Alert:
    """Close it and say what it was: the outcome is what alert quality is measured by."""
    if outcome not in OUTCOMES:
        raise Invalid(f"outcome must be one of {', '.join(OUTCOMES)}.", field="outcome")
    with _held(alert_key, version, "resolve", now) as (alert, was):
        alert.resolved_at = now
        alert.outcome = outcome
        alert.useful = useful
        said = {"outcome": outcome, "useful": useful}
        return _act(alert, "resolve", actor, now, was, reason=note.strip(), detail=said)


def reopen_alert(*, alert_key: UUID, version: int, actor: Actor, now: datetime) -> Alert:
    """Give it back: open for everybody. Raises Conflict when the same cause has been raised anew meanwhile."""
    with _held(alert_key, version, "reopen", now) as (alert, was):
        _check_is_the_only_one(alert)
        alert.resolved_at, alert.outcome, alert.useful, alert.owner = None, "", None, None
        return _act(alert, "reopen", actor, now, was)


def undo_alert(*, alert_key: UUID, version: int, actor: Actor, now: datetime) -> Alert:
    """Take back one's own last step within UNDO_FOR: status, owner, times and ladder as they were before it."""
    with _held(alert_key, version, "undo", now) as (alert, was):
        last = alert.transitions.order_by("-id").first()
        if last is None or last.action not in CAN_BE_UNDONE or last.actor_id != actor.id or actor.kind != "user":
            raise Conflict("There is nothing of yours to undo here.")
        if now - last.at > UNDO_FOR:
            raise Conflict(f"An undo is possible for {UNDO_SECONDS} seconds only; act on the alert as it is.")
        if alert.status == RESOLVED:
            _check_is_the_only_one(alert)
        put_back(alert, last.detail["before"])
        alert.version += 1
        alert.save()
        write_step(alert, "undo", str(was["status"]), actor, now, reason=TOOK_BACK[last.action])
        escalation.resume(alert, last, now)
        _audit(alert, "undo", actor, now)
        return alert


def note_sight(*, alerts: Sequence[Alert], actor: Actor, now: datetime) -> None:
    """These alerts are before the actor's eyes; the first time counts."""
    if actor.kind != "user" or actor.id is None:
        return
    known = set(AlertSight.objects.filter(user_id=actor.id, alert__in=alerts).values_list("alert_id", flat=True))
    new = [AlertSight(alert=one, user_id=actor.id, at=now) for one in alerts if one.pk not in known]
    if new:
        AlertSight.objects.bulk_create(new, ignore_conflicts=True)


def act_on_many(*, action: str, seen: Sequence[tuple[UUID, int]], actor: Actor, now: datetime, **said: Any) -> Bulk:
    """The same action on each (key, version), each by itself. Raises Invalid for too many or an unknown action."""
    if action not in MANY:
        raise Invalid(f"action must be one of {', '.join(MANY)}.", field="action")
    if not 0 < len(seen) <= MOST_AT_ONCE:
        raise Invalid(f"Choose 1 to {MOST_AT_ONCE} alerts.", field="alerts")
    if action == "snooze" and Alert.objects.filter(key__in=dict(seen)).values("cause").distinct().count() > 1:
        raise Invalid("Only alerts of one cause can be put off together.", field="alerts")
    bulk = Bulk()
    for key, version in sorted(dict(seen).items()):
        try:
            bulk.done[key] = MANY[action](alert_key=key, version=version, actor=actor, now=now, **said)
        except RecoveryError as error:
            bulk.refused[key] = error.message
    return bulk


MANY: dict[str, Any] = {"acknowledge": acknowledge_alert, "assign": assign_alert, "snooze": snooze_alert}


@contextmanager
def _held(alert_key: UUID, version: int, action: str, now: datetime) -> Iterator[tuple[Alert, dict[str, Any]]]:
    """The alert, locked, with what it was, when it is still as the person saw it and the action is allowed there."""
    with transaction.atomic():
        locked = Alert.objects.select_for_update(of=("self",))
        found = locked.select_related("episode__team", "episode__pathway", "owner")
        alert = found.filter(key=alert_key).first()
        if alert is None:
            raise NotFound("There is no such alert.")
        if alert.version != version or alert.status not in TRANSITIONS[action][0]:
            raise Conflict(f"Somebody was quicker: {_who_won(alert)}. Nothing of yours was applied; look at it again.")
        yield alert, as_it_is(alert)


def _who_won(alert: Alert) -> str:
    last = alert.transitions.select_related("actor").order_by("-id").first()
    if last is None:
        return "it has changed"
    who = _name(last.actor) if last.actor else last.actor_name
    return f"{who} {DONE.get(last.action, f'set it to {last.to_status}')} at {at_the_hospital(last.at)}"


def _act(
    alert: Alert,
    action: str,
    actor: Actor,
    now: datetime,
    was: dict[str, Any],
    *,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> Alert:
    move(alert, action, actor, now, was=was, reason=reason, detail=detail)
    _audit(alert, action, actor, now)
    return alert


def _audit(alert: Alert, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        now=now,
        action=f"alert_{action}",
        patient_ids=[alert.episode.patient_id],
        entity=f"Alert/{alert.key}",
    )


def _check_is_the_only_one(alert: Alert) -> None:
    newer = Alert.objects.filter(episode_id=alert.episode_id, cause=alert.cause).exclude(status=RESOLVED)
    if newer.exclude(pk=alert.pk).exists():
        raise Conflict("The same alert has been raised again since; act on the new one.")


def _content(alert: Alert) -> Mapping[str, Any]:
    """The patient's current snapshot, or nothing."""
    rows = Snapshot.objects.filter(episode_id=alert.episode_id, current=True)
    return rows.values_list("content", flat=True).first() or {}


def _name(person: User) -> str:
    return person.get_full_name() or person.get_username()
