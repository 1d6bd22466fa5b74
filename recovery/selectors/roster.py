"""Who belongs to a team, who is on call now, and the roster's days with their gaps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from recovery.models import RosterShift, Team, TeamMembership, User
from recovery.pathway_plan import ESCALATE_TO
from recovery.permissions import current_team_ids

CLINICAL = (User.Role.CLINICIAN, User.Role.LEAD)
DAYS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Colleague:
    id: int
    name: str
    is_lead: bool


@dataclass(frozen=True, slots=True)
class Turn:
    id: int
    level: str
    user_id: int
    name: str
    start: datetime
    until: datetime
    counts: bool  # False: no longer of the team, so nobody is told


@dataclass(frozen=True, slots=True)
class Gap:
    start: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class TeamRoster:
    """`turns` and `gaps` by level, from now on; `may_edit`: this person leads the team."""

    key: str
    name: str
    people: tuple[Colleague, ...]
    turns: dict[str, tuple[Turn, ...]]
    gaps: dict[str, tuple[Gap, ...]]
    until: datetime
    may_edit: bool


def members(team: Team, now: datetime) -> QuerySet[User]:
    """The team's care staff at `now`: only they may know of its patients."""
    current = TeamMembership.objects.filter(team=team, since__lte=now).filter(Q(until__isnull=True) | Q(until__gt=now))
    return User.objects.filter(is_active=True, role__in=CLINICAL, pk__in=current.values("user_id")).order_by("pk")


def colleagues(user: User, now: datetime) -> tuple[Colleague, ...]:
    """Everybody of this person's teams, to give alerts to."""
    others = TeamMembership.objects.filter(team__in=current_team_ids(user, now), since__lte=now)
    current = others.filter(Q(until__isnull=True) | Q(until__gt=now)).values("user_id")
    found = User.objects.filter(is_active=True, role__in=CLINICAL, pk__in=current)
    return _sorted(found)


def team_people(team: Team | None, now: datetime) -> tuple[Colleague, ...]:
    return _sorted(members(team, now)) if team is not None else ()


def may_write_roster(user: User, team: Team, now: datetime) -> bool:
    """Leads, for their own teams."""
    return user.role == User.Role.LEAD and members(team, now).filter(pk=user.pk).exists()


def teams_of(user: User, now: datetime) -> list[Team]:
    return list(Team.objects.filter(pk__in=current_team_ids(user, now)).order_by("name"))


def on_call_now(user: User, now: datetime) -> tuple[tuple[str, str, str], ...]:
    """(team, level, names) of who is on call now in this person's teams."""
    turns = RosterShift.objects.filter(team__in=current_team_ids(user, now), start__lte=now, until__gt=now)
    said: dict[tuple[str, str], list[str]] = {}
    for turn in turns.select_related("team", "user").order_by("team__name", "level", "user"):
        said.setdefault((turn.team.name, turn.level), []).append(display_name(turn.user))
    return tuple((team, ESCALATE_TO[level], ", ".join(names)) for (team, level), names in said.items())


def team_roster(user: User, team: Team, now: datetime) -> TeamRoster:
    people = team_people(team, now)
    known = {one.id for one in people}
    until = now + timedelta(days=DAYS_SHOWN)
    rows = RosterShift.objects.filter(team=team, until__gt=now).select_related("user").order_by("start", "pk")
    turns: dict[str, list[Turn]] = {level: [] for level in ESCALATE_TO}
    for row in rows:
        name, counts = display_name(row.user), row.user_id in known
        turns[row.level].append(Turn(row.pk, row.level, row.user_id, name, row.start, row.until, counts))
    return TeamRoster(
        team.key,
        team.name,
        people,
        {level: tuple(found) for level, found in turns.items()},
        {level: tuple(gaps_of([one for one in found if one.counts], now, until)) for level, found in turns.items()},
        until,
        user.role == User.Role.LEAD and user.pk in known,
    )


def gaps_of(turns: list[Turn], now: datetime, until: datetime) -> list[Gap]:
    """Stretches of now..until in which nobody of `turns` (by start) is on call."""
    gaps, reached = [], now
    for turn in turns:
        if turn.start > reached:
            gaps.append(Gap(reached, min(turn.start, until)))
        reached = max(reached, turn.until)
        if reached >= until:
            return gaps
    return [*gaps, Gap(reached, until)]


def display_name(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _sorted(found: QuerySet[User]) -> tuple[Colleague, ...]:
    people = (Colleague(one.pk, display_name(one), one.role == User.Role.LEAD) for one in found)
    return tuple(sorted(people, key=lambda one: one.name.casefold()))
