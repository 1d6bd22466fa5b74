"""What patients arrange for themselves: language and text size, and goals in their own words."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Episode, OwnGoal, PortalPreference, User

LANGUAGES = {"en": "English", "de": "Deutsch", "ar": "العربية"}
TEXT_SIZES = (1, 2, 3)
MOST_GOALS = 5


def prefer(*, user: User, language: str, text_size: int, actor: Actor, now: datetime) -> PortalPreference:
    """How this person's pages are shown. Raises Invalid for a language or a size that there is not."""
    if language not in LANGUAGES:
        raise Invalid(f"language must be one of {', '.join(LANGUAGES)}.", field="language")
    if text_size not in TEXT_SIZES:
        raise Invalid("text_size must be 1, 2 or 3.", field="text_size")
    with transaction.atomic():
        kept, _ = PortalPreference.objects.update_or_create(
            user=user, defaults={"language": language, "text_size": text_size, "updated_at": now}
        )
        audit.record(actor=actor, now=now, action="portal_preference", entity=f"User/{user.pk}")
    return kept


def add_goal(*, episode: Episode, text: str, actor: Actor, now: datetime) -> OwnGoal:
    """A goal in the patient's words. Raises Invalid for none, Conflict when there are MOST_GOALS."""
    words = " ".join(text.split())
    if not words or len(words) > 120:
        raise Invalid("A goal has 1 to 120 letters.", field="text")
    with transaction.atomic():
        Episode.objects.select_for_update().get(pk=episode.pk)
        standing = OwnGoal.objects.filter(episode=episode, dropped_at__isnull=True)
        same = standing.filter(text=words).first()
        if same is not None:  # sent twice
            return same
        if standing.count() >= MOST_GOALS:
            raise Conflict(f"You can have {MOST_GOALS} goals. Please remove one first.")
        goal = OwnGoal.objects.create(episode=episode, text=words, made_at=now, updated_at=now)
        _note(goal, "own_goal", actor, now)
    return goal


def rate_goal(*, episode: Episode, key: UUID, closeness: int, actor: Actor, now: datetime) -> OwnGoal:
    """How close the patient feels to it, 0 to 10. Raises NotFound, Invalid."""
    if not 0 <= closeness <= 10:
        raise Invalid("closeness must be 0 to 10.", field="closeness")
    with transaction.atomic():
        goal = _goal(episode, key)
        goal.closeness = closeness
        goal.updated_at = now
        goal.save(update_fields=["closeness", "updated_at"])
        _note(goal, "own_goal_rated", actor, now)
    return goal


def drop_goal(*, episode: Episode, key: UUID, actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        goal = _goal(episode, key)
        goal.dropped_at = now
        goal.save(update_fields=["dropped_at"])
        _note(goal, "own_goal_dropped", actor, now)


def _goal(episode: Episode, key: UUID) -> OwnGoal:
    goal = OwnGoal.objects.select_for_update().filter(episode=episode, key=key, dropped_at__isnull=True).first()
    if goal is None:
        raise NotFound("There is no such goal.")
    return goal


def _note(goal: OwnGoal, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor, now=now, action=action, patient_ids=[goal.episode.patient_id], entity=f"OwnGoal/{goal.key}"
    )
