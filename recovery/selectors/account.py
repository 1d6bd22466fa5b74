"""One's own account: how one signs in, since when, from where."""

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from recovery.models import TeamMembership, User
from recovery.permissions import current_team_ids

SEEN_AT = "seen_at"
BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS", "Mac"))


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """`browser` and `system` are blank where they are not known."""

    id: int
    browser: str
    system: str
    address: str
    since: datetime
    last_seen: datetime
    is_this: bool

    @property
    def device(self) -> str:
        return _device(self.browser, self.system)


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """`must_add`: nothing else opens before a second factor is added."""

    name: str
    username: str
    role: str
    teams: tuple[str, ...]
    has_password: bool
    has_app: bool
    keys: int
    codes_left: int
    must_add: bool
    sessions: tuple[SessionSeen, ...]

    @property
    def has_second_factor(self) -> bool:
        return self.has_app or self.keys > 0


def account_of(user: User, session_key: str, now: datetime) -> AccountSeen:
    factors = list(Authenticator.objects.filter(user=user))
    kinds = [one.type for one in factors]
    codes = [one for one in factors if one.type == Authenticator.Type.RECOVERY_CODES]
    has_factor = any(kind != Authenticator.Type.RECOVERY_CODES for kind in kinds)
    teams = TeamMembership.objects.filter(team_id__in=current_team_ids(user, now), user=user).order_by("team__name")
    return AccountSeen(
        name=user.get_full_name() or user.get_username(),
        username=user.get_username(),
        role=User.Role(user.role).label,
        teams=tuple(dict.fromkeys(teams.values_list("team__name", flat=True))),
        has_password=user.has_usable_password(),
        has_app=Authenticator.Type.TOTP in kinds,
        keys=kinds.count(Authenticator.Type.WEBAUTHN),
        codes_left=len(codes[0].wrap().get_unused_codes()) if codes else 0,
        must_add=user.role in settings.MFA_REQUIRED_ROLES and not has_factor,
        sessions=tuple(_seen(one, session_key) for one in UserSession.objects.purge_and_list(user)),
    )


def _seen(row: UserSession, session_key: str) -> SessionSeen:
    browser, system = parts_of(row.user_agent)
    return SessionSeen(
        id=row.pk,
        browser=browser,
        system=system,
        address=row.ip or "",
        since=row.created_at,
        last_seen=row.last_seen_at,
        is_this=row.session_key == session_key,
    )


def device_of(user_agent: str) -> str:
    """ "Chrome on Windows": what a person knows a device by. Not a fingerprint, and not proof."""
    return _device(*parts_of(user_agent))


def parts_of(user_agent: str) -> tuple[str, str]:
    """(browser, system): each blank where it is not known."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return browser, system or ("Linux" if re.search(r"Linux|X11", user_agent) else "")


def _device(browser: str, system: str) -> str:
    called = browser or "A browser"
    return f"{called} on {system}" if system else called


def idle_seconds(user: User) -> int:
    limit = settings.IDLE_TIME_STAFF if user.is_staff_member else settings.IDLE_TIME_PATIENTS
    return int(limit.total_seconds())


def keep_on(session: SessionBase, user: User, now: datetime) -> None:
    """The person is here: the quiet time begins anew. The longest time of a session does not."""
    session[SEEN_AT] = now.timestamp()
    session.set_expiry(idle_seconds(user))


def seconds_left(session: SessionBase, now: datetime) -> int:
    """Until the quiet time or the longest time of the session is over."""
    quiet = session.get(SEEN_AT, now.timestamp()) + session.get_expiry_age() - now.timestamp()
    longest = session.get("signed_in_at", now.timestamp()) + settings.SESSION_COOKIE_AGE - now.timestamp()
    return max(0, int(min(quiet, longest)))
