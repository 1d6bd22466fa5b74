"""Stopping a way in or out for a while, and letting it go on. Nothing is lost meanwhile: who sends keeps it."""

from datetime import datetime

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.models import PausedPipe, User
from recovery.permissions import check_user_can_administer

SHORTEST_REASON = 5


def pause(*, name: str, reason: str, user: User, actor: Actor, now: datetime) -> None:
    """Raises Invalid without a reason. Pausing what is paused changes nothing."""
    check_user_can_administer(user)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("Say why, so that whoever finds it stopped knows.", field="reason")
    said = {"paused_at": now, "paused_by": actor.name[:150], "reason": reason.strip()[:300]}
    _, is_new = PausedPipe.objects.get_or_create(name=name[:80], defaults=said)
    if is_new:
        audit.record(
            actor=actor, now=now, action="pause_pipe", entity=f"Pipe/{name}", detail={"reason": said["reason"]}
        )


def resume(*, name: str, user: User, actor: Actor, now: datetime) -> None:
    """Raises NotFound when it was not paused."""
    check_user_can_administer(user)
    deleted, _ = PausedPipe.objects.filter(name=name).delete()
    if not deleted:
        raise NotFound("That was not paused.")
    audit.record(actor=actor, now=now, action="resume_pipe", entity=f"Pipe/{name}")
