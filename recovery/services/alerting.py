"""Alerts: candidates become rows, and people act on them. One transition table says what is allowed.

A change of status is a row, written in the transaction of its cause. One open alert per episode and cause: further
hits extend it. Every action names the version it saw; who comes second is told who was first.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Alert, AlertTransition, Episode, LiveEvent
from recovery.services import outbox
from recovery.twin.alerts import AlertCandidate

OPEN, ACKNOWLEDGED, SNOOZED, RESOLVED = (
    Alert.Status.OPEN,
    Alert.Status.ACKNOWLEDGED,
    Alert.Status.SNOOZED,
    Alert.Status.RESOLVED,
)
# action -> (from, to). The diagram in the docs is drawn from this table.
TRANSITIONS: dict[str, tuple[frozenset[str], str]] = {
    "acknowledge": (frozenset({OPEN, SNOOZED}), ACKNOWLEDGED),
    "snooze": (frozenset({OPEN, ACKNOWLEDGED}), SNOOZED),
    "wake": (frozenset({SNOOZED}), OPEN),
    "resolve": (frozenset({OPEN, ACKNOWLEDGED, SNOOZED}), RESOLVED),
    "clear": (frozenset({OPEN, ACKNOWLEDGED, SNOOZED}), RESOLVED),
    "reopen": (frozenset({ACKNOWLEDGED, SNOOZED, RESOLVED}), OPEN),
}
# ux.md section 3: 4 h for a high alert, 24 h for the others, at most.
LONGEST_SNOOZE = {"high": timedelta(hours=4), "medium": timedelta(hours=24), "low": timedelta(hours=24)}
SEVERITY_ORDER = {"low": 0, "medium": 1, "high": 2}
OUTCOMES = ("true_problem", "expected_course", "false_alarm", "device_problem", "other")
PRODUCT = "twinweb"
# What a person has just judged is not told again at once, however long it has stood [G: this project's choice].
REST_AFTER_JUDGEMENT = timedelta(hours=12)


def apply_candidates(*, episode: Episode, candidates: Iterable[AlertCandidate], now: datetime) -> bool:
    """Raise, extend or clear the episode's alerts. Returns whether anything that people see has changed."""
    changed = False
    for candidate in candidates:
        standing = (
            Alert.objects.select_for_update()
            .filter(episode=episode, cause=candidate.cause)
            .exclude(status=RESOLVED)
            .first()
        )
        if candidate.change == "cleared":
            changed |= _clear(standing, now)
        elif standing is None:
            changed |= _raise(episode, candidate, now)
        else:
            changed |= _extend(standing, candidate, now)
    return changed


def wake_snoozed(*, now: datetime) -> int:
    """Reopen alerts whose snooze has ended; returns how many."""
    woken = 0
    with transaction.atomic():
        for alert in Alert.objects.select_for_update().filter(status=SNOOZED, snoozed_until__lte=now):
            _move(alert, "wake", PRODUCT, None, now, reason="The snooze has ended.")
            woken += 1
    return woken


def _raise(episode: Episode, candidate: AlertCandidate, now: datetime) -> bool:
    """A new alert, or none: what a person has judged is not raised anew by the same stretch (`_is_settled`)."""
    alert = Alert(
        episode=episode,
        cause=candidate.cause,
        kind=candidate.kind,
        severity=candidate.severity,
        headline=candidate.title,
        because=facts(candidate),
        steps=list(candidate.steps),
        raised_at=now,
        last_hit_at=now,
    )
    if _is_settled(episode, candidate, now):
        return False
    try:
        with transaction.atomic():
            alert.save()
    except IntegrityError:
        return False  # another worker raised it a moment ago: one open alert per cause
    _write_transition(alert, "", OPEN, PRODUCT, None, now, "", {"value": candidate.value})
    _tell(alert, now)
    return True


def _is_settled(episode: Episode, candidate: AlertCandidate, now: datetime) -> bool:
    """Whether a person's judgement still covers the candidate: hits that go on, always; one told again because it
    still stands, for REST_AFTER_JUDGEMENT. What has cleared and begins anew is a new alert."""
    if candidate.change == "raised" and not candidate.told_again:
        return False
    past = Alert.objects.filter(episode=episode, cause=candidate.cause, status=RESOLVED)
    last = past.order_by("-resolved_at").first()
    if last is None or not last.outcome or last.resolved_at is None:
        return False
    return candidate.change == "held" or now - last.resolved_at < REST_AFTER_JUDGEMENT


def _extend(alert: Alert, candidate: AlertCandidate, now: datetime) -> bool:
    """A further hit: the facts are renewed; a graver severity reopens what was snoozed. One raised again, because it
    still stands or had been quiet and is back, reopens what was acknowledged; what is snoozed waits for its snooze."""
    graver = SEVERITY_ORDER[candidate.severity] > SEVERITY_ORDER[alert.severity]
    alert.hits += 1
    alert.last_hit_at = now
    alert.because = facts(candidate)
    if graver:
        alert.severity = candidate.severity
        alert.version += 1
    alert.save(update_fields=["hits", "last_hit_at", "because", "severity", "version"])
    reason = _why_told(alert, candidate, graver)
    if not reason or (alert.status == SNOOZED and not graver):
        return False
    if alert.status == SNOOZED:
        _move(alert, "wake", PRODUCT, None, now, reason=reason)
    elif alert.status == ACKNOWLEDGED and candidate.change == "raised":
        _move(alert, "reopen", PRODUCT, None, now, reason=reason)
    else:
        _write_transition(alert, alert.status, alert.status, PRODUCT, None, now, reason, {})
        _tell(alert, now)
    return True


def _why_told(alert: Alert, candidate: AlertCandidate, graver: bool) -> str:
    """Why people hear of a hit on an alert that they know; blank: they do not."""
    if graver:
        return "It has become graver."
    if candidate.told_again:
        return "It still stands."
    return "It is back." if candidate.change == "raised" and alert.status == ACKNOWLEDGED else ""


def _clear(alert: Alert | None, now: datetime) -> bool:
    """The measure has been quiet for long enough. An alert that somebody has in hand is theirs to close."""
    if alert is None or alert.status == ACKNOWLEDGED:
        return False
    alert.resolved_at = now
    _move(alert, "clear", PRODUCT, None, now, reason="The readings have been back within limits for long enough.")
    return True


def open_severities(episode: Episode) -> list[str]:
    """Severities of the episode's alerts that nobody has closed or put off."""
    return list(
        Alert.objects.filter(episode=episode, status__in=[OPEN, ACKNOWLEDGED]).values_list("severity", flat=True)
    )


def facts(candidate: AlertCandidate) -> list[dict[str, Any]]:
    return [{**asdict(fact), "text": fact.text} for fact in candidate.because]


def acknowledge_alert(*, alert_key: UUID, version: int, actor: Actor, now: datetime) -> Alert:
    """'I have it': the actor becomes the owner."""
    with transaction.atomic():
        alert = _mine(alert_key, version, "acknowledge")
        alert.owner_id = actor.id
        return _act(alert, "acknowledge", actor, now)


def snooze_alert(*, alert_key: UUID, version: int, until: datetime, reason: str, actor: Actor, now: datetime) -> Alert:
    """Quiet until `until`, with a reason. Raises Invalid for the past or beyond the longest snooze of its severity."""
    with transaction.atomic():
        alert = _mine(alert_key, version, "snooze")
        longest = LONGEST_SNOOZE[alert.severity]
        if not now < until <= now + longest:
            hours = int(longest.total_seconds() // 3600)
            raise Invalid(f"A {alert.severity} alert can be snoozed for up to {hours} hours from now.", field="until")
        if not reason.strip():
            raise Invalid("Say why it may wait: the next person will want to know.", field="reason")
        alert.snoozed_until = until
        return _act(alert, "snooze", actor, now, reason=reason.strip())


def resolve_alert(
    *, alert_key: UUID, version: int, outcome: str, useful: bool | None, note: str, actor: Actor, now: datetime
) -> Alert:
    """Close it and say what it was: the outcome is what alert quality is measured by."""
    if outcome not in OUTCOMES:
        raise Invalid(f"outcome must be one of {', '.join(OUTCOMES)}.", field="outcome")
    with transaction.atomic():
        alert = _mine(alert_key, version, "resolve")
        alert.resolved_at = now
        alert.outcome = outcome
        return _act(alert, "resolve", actor, now, reason=note.strip(), detail={"outcome": outcome, "useful": useful})


def reopen_alert(*, alert_key: UUID, version: int, actor: Actor, now: datetime) -> Alert:
    """Undo the last step. Raises Conflict when the same cause has been raised anew meanwhile."""
    with transaction.atomic():
        alert = _mine(alert_key, version, "reopen")
        newer = Alert.objects.filter(episode_id=alert.episode_id, cause=alert.cause).exclude(status=RESOLVED)
        if newer.exclude(pk=alert.pk).exists():
            raise Conflict("The same alert has been raised again since; act on the new one.")
        alert.resolved_at = alert.snoozed_until = None
        alert.outcome = ""
        return _act(alert, "reopen", actor, now)


def _mine(alert_key: UUID, version: int, action: str) -> Alert:
    """The alert, locked, when it is still as the person saw it and the action is allowed from there."""
    alert = Alert.objects.select_for_update(of=("self",)).select_related("episode").filter(key=alert_key).first()
    if alert is None:
        raise NotFound("There is no such alert.")
    if alert.version != version or alert.status not in TRANSITIONS[action][0]:
        last = alert.transitions.order_by("-id").first()
        who = f"{last.actor_name} set it to {last.to_status} at {last.at:%H:%M} UTC" if last else "it has changed"
        raise Conflict(f"Somebody was quicker: {who}. Nothing of yours was applied; look at it again.")
    return alert


def _act(
    alert: Alert, action: str, actor: Actor, now: datetime, *, reason: str = "", detail: dict[str, Any] | None = None
) -> Alert:
    _move(alert, action, actor.name, actor.id if actor.kind == "user" else None, now, reason=reason, detail=detail)
    audit.record(
        actor=actor,
        now=now,
        action=f"alert_{action}",
        patient_ids=[alert.episode.patient_id],
        entity=f"Alert/{alert.key}",
    )
    return alert


def _move(
    alert: Alert,
    action: str,
    actor_name: str,
    actor_id: int | None,
    now: datetime,
    *,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    before, alert.status = alert.status, TRANSITIONS[action][1]
    if alert.status != SNOOZED:
        alert.snoozed_until = None
    alert.version += 1
    alert.save()
    _write_transition(alert, before, alert.status, actor_name, actor_id, now, reason, detail or {})
    _tell(alert, now)


def _write_transition(
    alert: Alert,
    before: str,
    after: str,
    actor_name: str,
    actor_id: int | None,
    now: datetime,
    reason: str,
    detail: dict[str, Any],
) -> None:
    AlertTransition.objects.create(
        alert=alert,
        at=now,
        from_status=before,
        to_status=after,
        actor_id=actor_id,
        actor_name=actor_name,
        reason=reason[:300],
        detail=detail,
    )


def _tell(alert: Alert, now: datetime) -> None:
    """Open pages learn of it, and those who subscribe to alerts."""
    LiveEvent.objects.create(at=now, kind="alert", episode_id=alert.episode_id, team_id=alert.episode.team_id)
    outbox.note_alert(alert=alert, now=now)
