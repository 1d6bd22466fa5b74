"""Staff and teams as administrators see them; no patient, only how many."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import Count, Q

from recovery.exceptions import NotFound
from recovery.models import Episode, StaffInvitation, Team, TeamMembership, User
from recovery.permissions import check_user_can_administer

STAFF_ROLES = ("clinician", "lead", "administrator")


@dataclass(frozen=True, slots=True)
class MembershipSeen:
    id: int
    team: str
    since: datetime
    until: datetime | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class StaffSeen:
    """`invited_until`: their first-password link still waits; `has_second_factor`: an app, a passkey or a key."""

    id: int
    name: str
    username: str
    role: str
    role_words: str
    is_active: bool
    is_privacy_officer: bool
    is_model_steward: bool
    last_login: datetime | None
    has_second_factor: bool
    invited_until: datetime | None
    memberships: tuple[MembershipSeen, ...]

    @property
    def teams(self) -> tuple[str, ...]:
        return tuple(one.team for one in self.memberships if one.is_current)


@dataclass(frozen=True, slots=True)
class TeamSeen:
    key: str
    name: str
    people: int
    patients: int


def staff(
    user: User, now: datetime, *, search: str = "", role: str = "", show_gone: bool = False
) -> tuple[StaffSeen, ...]:
    """Everybody on the staff who fits, by name. Raises Forbidden."""
    check_user_can_administer(user)
    rows = User.objects.filter(role__in=[role] if role in STAFF_ROLES else STAFF_ROLES)
    rows = rows if show_gone else rows.filter(is_active=True)
    for word in search.split():
        rows = rows.filter(Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word))
    return _seen(list(rows.order_by("last_name", "first_name", "username")), now)


def member(user: User, pk: int, now: datetime) -> StaffSeen:
    """Raises Forbidden, NotFound."""
    check_user_can_administer(user)
    found = _seen(list(User.objects.filter(pk=pk, role__in=STAFF_ROLES)), now)
    if not found:
        raise NotFound("There is no such member of staff.")
    return found[0]


def _seen(people: list[User], now: datetime) -> tuple[StaffSeen, ...]:
    """Four queries, however many people."""
    ids = [one.pk for one in people]
    factors = set(
        Authenticator.objects.filter(user_id__in=ids)
        .exclude(type=Authenticator.Type.RECOVERY_CODES)
        .values_list("user_id", flat=True)
    )
    waiting = StaffInvitation.objects.filter(user_id__in=ids, used_at__isnull=True, until__gt=now)
    invited = dict(waiting.values_list("user_id", "until"))
    memberships: dict[int, list[MembershipSeen]] = {}
    for row in TeamMembership.objects.filter(user_id__in=ids).select_related("team").order_by("-since"):
        current = row.since <= now and (row.until is None or row.until > now)
        one = MembershipSeen(row.pk, row.team.name, row.since, row.until, current)
        memberships.setdefault(row.user_id, []).append(one)
    return tuple(
        StaffSeen(
            id=one.pk,
            name=one.get_full_name() or one.get_username(),
            username=one.get_username(),
            role=one.role,
            role_words=User.Role(one.role).label,
            is_active=one.is_active,
            is_privacy_officer=one.is_privacy_officer,
            is_model_steward=one.is_model_steward,
            last_login=one.last_login,
            has_second_factor=one.pk in factors,
            invited_until=invited.get(one.pk),
            memberships=tuple(memberships.get(one.pk, ())),
        )
        for one in people
    )


def teams(user: User, now: datetime) -> tuple[TeamSeen, ...]:
    """All teams with how many belong to them and how many patients they follow. Raises Forbidden."""
    check_user_can_administer(user)
    current = Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now)) & Q(user__is_active=True)
    people = dict(
        TeamMembership.objects.filter(current).values_list("team_id").annotate(n=Count("user", distinct=True))
    )
    followed = Episode.objects.filter(status__in=["planned", "active"], team__isnull=False)
    patients = dict(followed.values_list("team_id").annotate(n=Count("pk")))
    rows = Team.objects.order_by("name")
    return tuple(TeamSeen(row.key, row.name, people.get(row.pk, 0), patients.get(row.pk, 0)) for row in rows)


def team_choices() -> list[tuple[str, str]]:
    return list(Team.objects.order_by("name").values_list("key", "name"))
