"""What people change about an operation that is followed: time, surgeon, team, end, pathway; each with an undo.

A moved day zero re-anchors everything: the Procedure document says the new time, the twin is rebuilt from all readings,
and check-ins, milestones and the board follow, because all of them count from the operation.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exact_json import loads
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import Document, Episode, EpisodeChange, Pathway, Team, User
from recovery.permissions import can, visible_episodes
from recovery.ports import ports
from recovery.services import enrolment_resources as resources
from recovery.services import surgeons
from recovery.services.enrolling import CHANNEL, check_time
from recovery.services.ingestion import deliver
from recovery.services.surgeons import Surgeon

UNDO_LASTS = timedelta(hours=24)
UNDO_AFTER_LEAVING = timedelta(minutes=15)


def move_day_zero(
    *,
    key: UUID,
    end: datetime,
    start: datetime | None,
    reason: str,
    user: User,
    actor: Actor,
    now: datetime,
) -> EpisodeChange:
    """Surgery ended, or will end, at `end`. Without `start` the operation keeps its length.

    Raises NotFound, Forbidden, Invalid naming the field, Conflict when nothing would change.
    """
    with transaction.atomic():
        episode = _mine(key, user, now)
        if episode.status in (Episode.Status.CANCELLED, Episode.Status.FINISHED):
            raise Conflict("This episode has ended: its operation is not moved any more.")
        before = _times(episode)
        start = start or _same_length(episode, end)
        check_time(start, end, episode.patient.birth_date, now)
        if episode.surgery_end == end and episode.surgery_start == start and _is_confirmed(episode, end, now):
            raise Conflict("The operation is at that time already.", field="end")
        _say(episode, start, end, actor, now)
        return _note(episode, EpisodeChange.What.DAY_ZERO, before, _times(episode), reason, actor, now)


def _is_confirmed(episode: Episode, end: datetime, now: datetime) -> bool:
    return (episode.status == Episode.Status.PLANNED) == (end > now)


def _same_length(episode: Episode, end: datetime) -> datetime | None:
    if episode.surgery_start is None or episode.surgery_end is None:
        return None
    return end - (episode.surgery_end - episode.surgery_start)


def _times(episode: Episode) -> dict[str, str | None]:
    at = {"start": episode.surgery_start, "end": episode.surgery_end}
    return {name: moment.isoformat() if moment else None for name, moment in at.items()}


def _say(episode: Episode, start: datetime | None, end: datetime, actor: Actor, now: datetime) -> None:
    """Through the door that the EHR uses, so that it reads the new time from us as a new version of its Procedure."""
    held = Document.objects.filter(type="Procedure", fhir_id=episode.fhir_id, deleted=False).first()
    if held is not None:
        resource = resources.moved(loads(held.content), start, end, now)
    else:
        patient, text = episode.patient.fhir_id, episode.procedure_text or "Operation"
        resource = resources.procedure(episode.fhir_id, patient, episode.procedure, text, start=start, end=end, now=now)
    deliver(delivery=ports().delivery_of([resource], CHANNEL), actor=actor, now=now, atomic=True)
    episode.refresh_from_db()


def set_surgeon(*, key: UUID, name: str, reason: str, user: User, actor: Actor, now: datetime) -> EpisodeChange:
    """Who operated, picked or typed; blank: nobody is named. Raises NotFound, Forbidden, Conflict."""
    with transaction.atomic():
        episode = _mine(key, user, now)
        if episode.status == Episode.Status.CANCELLED:
            raise Conflict("This operation was cancelled: nobody performed it.", field="surgeon")
        surgeon, before = surgeons.picked(name, user, now), surgeons.surgeon_state(episode)
        if (surgeon.name, surgeon.key) == (episode.surgeon, episode.surgeon_key):
            raise Conflict("That surgeon stands there already.", field="surgeon")
        _say_surgeon(episode, surgeon, True, actor, now)
        after = surgeons.surgeon_state(episode)
        return _note(episode, EpisodeChange.What.SURGEON, before, after, reason, actor, now)


def _say_surgeon(episode: Episode, surgeon: Surgeon, is_by_hand: bool, actor: Actor, now: datetime) -> None:
    """As `_say`. What the team said before steps back first: its own word is not one that the record wins over."""
    surgeons.note_by_hand(episode, surgeon, is_by_hand=False)
    held = Document.objects.filter(type="Procedure", fhir_id=episode.fhir_id, deleted=False).first()
    if held is not None:
        resource = resources.operated_by(loads(held.content), surgeon.name, surgeon.reference)
        deliver(delivery=ports().delivery_of([resource], CHANNEL), actor=actor, now=now, atomic=True)
        episode.refresh_from_db()
    surgeons.note_by_hand(episode, surgeon, is_by_hand=is_by_hand)


def transfer(*, key: UUID, team_key: str, reason: str, user: User, actor: Actor, now: datetime) -> EpisodeChange:
    """Entrust the episode to another team; the user may lose sight of it. Raises NotFound, Forbidden, Conflict."""
    with transaction.atomic():
        episode = _mine(key, user, now)
        team = Team.objects.filter(key=team_key).first()
        if team is None:
            raise NotFound(f'There is no team "{team_key}".', field="team")
        if episode.team_id == team.pk:
            raise Conflict(f"{team.name} has this patient already.", field="team")
        before = {"team": episode.team.key if episode.team else None}
        episode.team = team
        episode.save(update_fields=["team"])
        return _note(episode, EpisodeChange.What.TEAM, before, {"team": team.key}, reason, actor, now)


def finish(*, key: UUID, reason: str, user: User, actor: Actor, now: datetime) -> EpisodeChange:
    """No longer followed: off the board, no new alerts. The record stays. Raises NotFound, Forbidden, Conflict."""
    with transaction.atomic():
        episode = _mine(key, user, now)
        if episode.status != Episode.Status.ACTIVE:
            raise Conflict("Only an episode that is being followed can be ended.")
        episode.status = Episode.Status.FINISHED
        episode.save(update_fields=["status"])
        before, after = {"status": "active"}, {"status": "finished"}
        return _note(episode, EpisodeChange.What.STATUS, before, after, reason, actor, now)


def change_pathway(
    *, key: UUID, pathway_key: str, version: int, reason: str, user: User, actor: Actor, now: datetime
) -> EpisodeChange:
    """Run on another pathway, or on another version of it. Raises NotFound, Forbidden, Conflict."""
    with transaction.atomic():
        episode = _mine(key, user, now)
        pathway = Pathway.objects.filter(key=pathway_key, version=version).first()
        if pathway is None:
            raise NotFound("There is no such version of a pathway.", field="pathway")
        if episode.pathway_id == pathway.pk:
            raise Conflict("The patient is on that pathway already.", field="pathway")
        before = _pathway(episode)
        episode.pathway = pathway
        episode.save(update_fields=["pathway"])
        queue.owe_twins(dirty={episode.patient_id: None}, now=now)
        return _note(episode, EpisodeChange.What.PATHWAY, before, _pathway(episode), reason, actor, now)


def _pathway(episode: Episode) -> dict[str, Any]:
    pathway = episode.pathway
    return {"key": pathway.key, "version": pathway.version} if pathway else {"key": None, "version": 0}


def undo(*, change_key: UUID, user: User, actor: Actor, now: datetime) -> EpisodeChange:
    """Take the newest change of its kind back, within UNDO_LASTS, while it is still what stands.

    Who has given a patient away by mistake may take them back for UNDO_AFTER_LEAVING. Raises NotFound, Conflict.
    """
    with transaction.atomic():
        change = EpisodeChange.objects.select_related("episode").filter(key=change_key).first()
        if change is None:
            raise NotFound("There is no such change.")
        episode = _locked(change.episode.key)
        _check_may_undo(change, episode, user, now)
        newer = EpisodeChange.objects.filter(
            episode=episode, what=change.what, undone_at__isnull=True, pk__gt=change.pk
        )
        if change.undone_at is not None or newer.exists():
            raise Conflict("This change was taken back or followed by another one already.")
        if now - change.at > UNDO_LASTS:
            raise Conflict("This change is older than a day: make a new one instead.")
        state, restore = _UNDO[change.what]
        if state(episode) != change.after:
            raise Conflict("It has been changed elsewhere in the meantime: make a new change instead.")
        restore(episode, change.before, actor, now)
        change.undone_at, change.undone_by = now, actor.name
        change.save(update_fields=["undone_at", "undone_by"])
        detail = {"what": change.what, "change": str(change.key)}
        audit.record(actor=actor, now=now, action="undo_plan", patient_ids=[episode.patient_id], detail=detail)
    return change


def _check_may_undo(change: EpisodeChange, episode: Episode, user: User, now: datetime) -> None:
    gave_away = change.actor_name == user.get_username() and now - change.at <= UNDO_AFTER_LEAVING
    if not user.is_active or not (can(user, "plan", episode.patient, now) or (gave_away and user.is_clinical)):
        raise NotFound("There is no such change.")


def _restore_times(episode: Episode, before: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    if before["end"] is None:
        raise Conflict("The operation had no time before: it cannot be taken back, but moved.")
    start = datetime.fromisoformat(before["start"]) if before["start"] else None
    _say(episode, start, datetime.fromisoformat(before["end"]), actor, now)


def _restore_surgeon(episode: Episode, before: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    _say_surgeon(episode, Surgeon(before["surgeon"], before["key"]), before["by_hand"], actor, now)


def _restore_team(episode: Episode, before: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    episode.team = Team.objects.filter(key=before["team"]).first() if before["team"] else None
    episode.save(update_fields=["team"])


def _restore_status(episode: Episode, before: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    episode.status = before["status"]
    episode.save(update_fields=["status"])
    queue.owe_twins(dirty={episode.patient_id: None}, now=now)


def _restore_pathway(episode: Episode, before: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    episode.pathway = Pathway.objects.filter(key=before["key"], version=before["version"]).first()
    episode.save(update_fields=["pathway"])
    queue.owe_twins(dirty={episode.patient_id: None}, now=now)


_State = Callable[[Episode], dict[str, Any]]
_Restore = Callable[[Episode, Mapping[str, Any], Actor, datetime], None]
_UNDO: Mapping[str, tuple[_State, _Restore]] = {
    "day_zero": (_times, _restore_times),
    "team": (lambda episode: {"team": episode.team.key if episode.team else None}, _restore_team),
    "status": (lambda episode: {"status": episode.status}, _restore_status),
    "pathway": (_pathway, _restore_pathway),
    "surgeon": (surgeons.surgeon_state, _restore_surgeon),
}


def _mine(key: UUID, user: User, now: datetime) -> Episode:
    """The episode, held until the transaction ends. Raises NotFound where its existence is secret, Forbidden."""
    if not visible_episodes(user, now).filter(key=key).exists():
        raise NotFound("There is no such patient, or it is not one of yours.")
    episode = _locked(key)
    if not can(user, "plan", episode.patient, now):
        raise Forbidden("Operation, team and pathway are changed by the team that the patient is entrusted to.")
    return episode


def _locked(key: UUID) -> Episode:
    return Episode.objects.select_for_update(of=("self",)).select_related("patient", "team", "pathway").get(key=key)


def _note(
    episode: Episode,
    what: EpisodeChange.What,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> EpisodeChange:
    if not reason.strip():
        raise Invalid("reason: say why in a few words.", field="reason")
    change = EpisodeChange.objects.create(
        episode=episode,
        what=what,
        before=before,
        after=after,
        reason=reason.strip()[:300],
        at=now,
        actor_name=actor.name,
    )
    detail = {"what": what.value, "change": str(change.key)}
    audit.record(actor=actor, now=now, action="plan", patient_ids=[episode.patient_id], detail=detail)
    return change
