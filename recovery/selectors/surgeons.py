"""Surgeons whom a person can pick: those who operated on the patients of their teams."""

from datetime import datetime

from recovery.models import User
from recovery.permissions import visible_episodes

MOST = 300


def surgeons_known(user: User, now: datetime) -> tuple[tuple[str, str], ...]:
    """(key, name) as models.Episode has them, by name; each once."""
    rows = visible_episodes(user, now).exclude(surgeon="").order_by("surgeon", "surgeon_key")
    return tuple(rows.values_list("surgeon_key", "surgeon").distinct()[:MOST])
