"""Live events: what changed after the last event that a page has seen, and whom it may be told to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY

from recovery.models import LiveEvent, User
from recovery.permissions import visible_episodes

MAX_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Change:
    id: int
    at: datetime
    kind: str
    episode_id: int
    episode_key: UUID


def newest_event_id() -> int:
    return LiveEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def changes_after(event_id: int, limit: int = MAX_EVENTS) -> list[Change]:
    """Everybody's events after `event_id`, oldest first. Who may be told is the caller's next question."""
    rows = LiveEvent.objects.filter(id__gt=event_id).order_by("id")
    return [Change(*row) for row in rows.values_list("id", "at", "kind", "episode_id", "episode__key")[:limit]]


def missed_by(user_id: int, event_id: int, now: datetime) -> list[Change]:
    return visible_changes_after(User.objects.get(pk=user_id), event_id, now)


def visible_changes_after(user: User, event_id: int, now: datetime) -> list[Change]:
    """Only the events of episodes this person may see."""
    found = changes_after(event_id)
    allowed = visible_among(user, {change.episode_id for change in found}, now)
    return [change for change in found if change.episode_id in allowed]


def visible_among(user: User, episode_ids: Iterable[int], now: datetime) -> set[int]:
    return set(visible_episodes(user, now).filter(id__in=set(episode_ids)).values_list("id", flat=True))


def visible_in_session(user_id: int, session_key: str, now: datetime) -> frozenset[int] | None:
    """Episode ids that the holder of this session may see; None when the session or the account has ended."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    said = import_module(settings.SESSION_ENGINE).SessionStore(session_key).load()
    if user is None or said.get(SESSION_KEY) != str(user.pk):
        return None
    if said.get(HASH_SESSION_KEY) != user.get_session_auth_hash():
        return None
    return visible_episode_ids(user, now)


def visible_episode_ids(user: User, now: datetime) -> frozenset[int]:
    return frozenset(visible_episodes(user, now).values_list("id", flat=True))
