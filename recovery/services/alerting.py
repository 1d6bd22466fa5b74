"""Alerts as the product makes them: candidates become rows, hits extend them, quiet and time close or wake them.

A change of status is a row, written in the transaction of its cause. One open alert per episode and cause: further
hits extend it. What people do with an alert: services.alert_acts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from recovery import wake
from recovery.alert_states import ACKNOWLEDGED, OPEN, RESOLVED, SNOOZED
from recovery.models import Alert, Episode
from recovery.services import escalation, telling
from recovery.services.alert_moves import PRODUCT, as_it_is, move, write_step
from recovery.twin.alerts import AlertCandidate

SEVERITY_ORDER = {"low": 0, "medium": 1, "high": 2}
# What a person has just judged is not told again at once, however long it has stood [G: this project's choice].
REST_AFTER_JUDGEMENT = timedelta(hours=12)
WOKEN_A_SWEEP = 500


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
        if standing is not None:
            standing.episode = episode
        if candidate.change == "cleared":
            changed |= _clear(standing, now)
        elif standing is None:
            changed |= _raise(episode, candidate, now)
        else:
            changed |= _extend(standing, candidate, now)
    return changed


def wake_snoozed(*, now: datetime) -> int:
    """Reopen alerts whose snooze has ended; returns how many."""
    due = Alert.objects.filter(status=SNOOZED, snoozed_until__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(_wake_one(pk, now) for pk in list(due[:WOKEN_A_SWEEP]))


def _wake_one(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        found = Alert.objects.select_for_update(of=("self",)).select_related("episode__team", "episode__pathway")
        alert = found.filter(pk=pk, status=SNOOZED, snoozed_until__lte=now).first()
        if alert is None:
            return False
        _open_again(alert, "wake", "The snooze has ended.", now)
    return True


def wake_broken(*, episode: Episode, content: Mapping[str, Any], now: datetime) -> int:
    """Reopen the episode's snoozed alerts whose conditions this snapshot breaks; returns how many.

    The caller holds the transaction.
    """
    woken = 0
    for alert in Alert.objects.select_for_update().filter(episode=episode, status=SNOOZED, wake__isnull=False):
        alert.episode = episode
        held = wake.wake_of(alert.wake)
        reason = wake.broken_by(held, content, now) if held else ""
        if reason:
            _open_again(alert, "wake", reason, now)
            woken += 1
    return woken


def _open_again(alert: Alert, action: str, reason: str, now: datetime) -> None:
    """Open, and told to whoever put it off or has it; without one, to whom a new alert is told."""
    owner = alert.owner
    move(alert, action, PRODUCT, now, was=as_it_is(alert), reason=reason)
    people = [owner] if owner is not None and owner.is_active else escalation.people_first_told(alert, now)
    telling.tell(alert, "again", people, now)


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
        value=candidate.value,
        policy_version=candidate.policy_version[:64],
    )
    if _is_settled(episode, candidate, now):
        return False
    alert.due_at = escalation.deadline(alert, now)
    try:
        with transaction.atomic():
            alert.save()
    except IntegrityError:
        return False  # another worker raised it a moment ago: one open alert per cause
    write_step(alert, "", "", PRODUCT, now, detail={"value": candidate.value})
    escalation.start(alert, now)
    telling.tell(alert, "raised", escalation.people_first_told(alert, now), now)
    telling.call_hooks(alert, "raised", now)
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
    alert.value = candidate.value
    if graver:
        alert.severity = candidate.severity
        alert.version += 1
    alert.save(update_fields=["hits", "last_hit_at", "because", "value", "severity", "version"])
    reason = _why_told(alert, candidate, graver)
    if not reason or (alert.status == SNOOZED and not graver):
        return False
    if alert.status == SNOOZED:
        _open_again(alert, "wake", reason, now)
    elif alert.status == ACKNOWLEDGED and candidate.change == "raised":
        _open_again(alert, "reopen", reason, now)
    else:
        write_step(alert, "", alert.status, PRODUCT, now, reason=reason)
    if graver:
        _tell_graver(alert, now)
    return True


def _tell_graver(alert: Alert, now: datetime) -> None:
    """Somebody's own alert is told to them; one that is still open climbs the ladder of its new severity."""
    if alert.status == OPEN:
        sooner = escalation.deadline(alert, now)
        alert.due_at = min(alert.due_at, sooner) if alert.due_at else sooner
        alert.save(update_fields=["due_at"])
        escalation.restart(alert, now)
    owner = alert.owner
    people = [owner] if owner is not None and owner.is_active else escalation.people_first_told(alert, now)
    telling.tell(alert, "graver", people, now)
    telling.call_hooks(alert, "graver", now)


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
    was = as_it_is(alert)
    alert.resolved_at = now
    move(alert, "clear", PRODUCT, now, was=was, reason="The readings have been back within limits for long enough.")
    return True


def open_severities(episode: Episode) -> list[str]:
    """Severities of the episode's alerts that nobody has closed or put off."""
    return list(
        Alert.objects.filter(episode=episode, status__in=[OPEN, ACKNOWLEDGED]).values_list("severity", flat=True)
    )


def facts(candidate: AlertCandidate) -> list[dict[str, Any]]:
    return [{**fact.to_plain(), "text": fact.text} for fact in candidate.because]
