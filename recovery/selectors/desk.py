"""A person's settings, saved views, and what the board showed them at their last visit; and who is on call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Subquery

from recovery.models import LiveEvent, RosterShift, User
from recovery.models.desk import VISIT_GAP, WEEK
from recovery.permissions import current_team_ids
from recovery.selectors.sparks import SPARK_DAYS, SPARK_DAYS_LONG


@dataclass(frozen=True, slots=True)
class Visit:
    """When the last visit ended (None: there was none), and the state in which it showed each episode, by row id."""

    at: datetime | None
    states: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class NamedView:
    key: UUID
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class DeskSeen:
    """`id`: row id, None before anything was kept. `seen_at`: of the newest board that was shown. `last_event`: id of
    the newest live event when this was read."""

    id: int | None = None
    density: str = "comfortable"
    hidden_columns: tuple[str, ...] = ()
    theme: str = "system"
    toured_at: datetime | None = None
    seen_at: datetime | None = None
    visit: Visit = field(default_factory=lambda: Visit(None, {}))
    views: tuple[NamedView, ...] = ()
    last_event: int = 0

    @property
    def spark_days(self) -> int:
        return SPARK_DAYS_LONG if WEEK in self.hidden_columns else SPARK_DAYS


@dataclass(frozen=True, slots=True)
class OnCall:
    team: str
    level: str
    name: str
    until: datetime


def desk_of(user: User, now: datetime) -> DeskSeen:
    """The person's desk and saved views, in one query. After VISIT_GAP the board shown last is the last visit's."""
    columns = ("id", "density", "hidden_columns", "theme", "toured_at", "seen", "seen_at", "before", "before_at")
    views = ("saved_views__key", "saved_views__name", "saved_views__query")
    newest = LiveEvent.objects.order_by("-id").values("id")[:1]
    rows = list(
        User.objects.filter(pk=user.pk)
        .annotate(newest=Subquery(newest))
        .order_by("saved_views__name")
        .values_list("newest", *(f"desk__{name}" for name in columns), *views)
    )
    if not rows:
        return DeskSeen()
    event, pk, density, hidden, theme, toured_at, seen, seen_at, before, before_at = rows[0][: len(columns) + 1]
    named = tuple(NamedView(*row[-3:]) for row in rows if row[-1] is not None)
    if pk is None:
        return DeskSeen(views=named, last_event=event or 0)
    is_new_visit = seen_at is not None and now - seen_at > VISIT_GAP
    visit = Visit(seen_at, _by_id(seen)) if is_new_visit else Visit(before_at, _by_id(before))
    return DeskSeen(pk, density, tuple(hidden or ()), theme, toured_at, seen_at, visit, named, event or 0)


def _by_id(states: Mapping[str, list[int]] | None) -> dict[int, str]:
    return {pk: state for state, ids in (states or {}).items() for pk in ids}


def on_call(user: User, now: datetime) -> tuple[OnCall, ...]:
    """Who is on call now for the person's teams, first on call first."""
    rows = (
        RosterShift.objects.filter(team_id__in=current_team_ids(user, now), start__lte=now, until__gt=now)
        .select_related("team", "user")
        .order_by("team__name", "level", "user__last_name", "id")
    )
    return tuple(
        OnCall(row.team.name, row.level, row.user.get_full_name() or row.user.get_username(), row.until) for row in rows
    )
