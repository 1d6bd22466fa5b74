"""People of the hospital: invited by a one-time link, given a role, a team and an end; their sessions."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Gone, Invalid, NotFound
from recovery.models import StaffInvitation, Team, TeamMembership, User
from recovery.permissions import check_user_can_administer
from recovery.services import authorizations

STAFF_ROLES = (User.Role.CLINICIAN.value, User.Role.LEAD.value, User.Role.ADMINISTRATOR.value)
USERNAME = re.compile(r"[\w.@+-]{1,150}")
INVITATION_LASTS = timedelta(hours=72)
LINK_USED = "This link was used, has run out, or was replaced by a newer one. Ask your administrator for a new one."


def invite(
    *,
    username: str,
    role: str,
    first_name: str,
    last_name: str,
    team_keys: tuple[str, ...],
    user: User,
    actor: Actor,
    now: datetime,
) -> str:
    """A person who cannot sign in yet, and the secret of the link by which they choose a password.

    `user` asks. The secret is shown once and kept nowhere. Raises Forbidden, Invalid, NotFound for an unknown team.
    """
    check_user_can_administer(user)
    _check_role(role)
    if not USERNAME.fullmatch(username):
        raise Invalid("username: use letters, digits and . @ + - _ only, at most 150.", field="username")
    if User.objects.filter(username__iexact=username).exists():
        raise Invalid(f"username: {username} is taken. Add a number or a second letter.", field="username")
    with transaction.atomic():
        person = User(username=username, role=role, first_name=first_name[:150], last_name=last_name[:150])
        person.set_unusable_password()
        person.save()
        audit.record(actor=actor, now=now, action="register_person", entity=f"User/{person.pk}", detail={"role": role})
        for key in team_keys:
            _join(person, _team(key), None, actor, now)
        return _new_link(person, actor, now)


def send_new_link(*, person_id: int, user: User, actor: Actor, now: datetime) -> str:
    """A new first-password link for somebody who lost theirs: the old password, sessions, second factors and what they
    had allowed apps end.

    Raises Forbidden, NotFound, and Conflict for a deactivated person.
    """
    check_user_can_administer(user)
    with transaction.atomic():
        person = _staff(person_id)
        if not person.is_active:
            raise Conflict("This person is deactivated. Activate them first.")
        person.set_unusable_password()
        person.save(update_fields=["password"])
        Authenticator.objects.filter(user=person).delete()
        _end_all_sessions(person)
        authorizations.withdraw_all(user=person, actor=actor, now=now)
        audit.record(actor=actor, now=now, action="reset_access", entity=f"User/{person.pk}")
        return _new_link(person, actor, now)


def _new_link(person: User, actor: Actor, now: datetime) -> str:
    StaffInvitation.objects.filter(user=person, used_at__isnull=True).delete()
    secret = secrets.token_urlsafe(32)
    StaffInvitation.objects.create(
        user=person, digest=_digest(secret), made_at=now, until=now + INVITATION_LASTS, made_by=actor.name
    )
    audit.record(actor=actor, now=now, action="invite", entity=f"User/{person.pk}")
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def invited(*, secret: str, now: datetime) -> User:
    """Whom the link is for. Raises Gone when it cannot be used (any more)."""
    return _standing_invitation(secret, now).user


def _standing_invitation(secret: str, now: datetime) -> StaffInvitation:
    rows = StaffInvitation.objects.select_related("user")
    found = rows.filter(digest=_digest(secret), used_at__isnull=True, until__gt=now, user__is_active=True).first()
    if found is None:
        raise Gone(LINK_USED)
    return found


def accept_invitation(*, secret: str, password: str, now: datetime) -> User:
    """The invited person chooses their password. The link counts once, also for two who use it at the same time.

    Raises Gone, and Invalid for a weak password (then the link still counts).
    """
    with transaction.atomic():
        invitation = _standing_invitation(secret, now)
        user = invitation.user
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="password") from error
        if not StaffInvitation.objects.filter(pk=invitation.pk, used_at__isnull=True).update(used_at=now):
            raise Gone(LINK_USED)
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(actor=Actor.of_user(user), now=now, action="accept_invitation", entity=f"User/{user.pk}")
    return user


def change_role(
    *,
    person_id: int,
    role: str,
    is_privacy_officer: bool,
    is_model_steward: bool,
    user: User,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a member of staff another role or office; it counts from their next click.

    Raises Forbidden, Invalid, NotFound, and Conflict when the last administrator would be gone.
    """
    check_user_can_administer(user)
    _check_role(role)
    with transaction.atomic():
        person = _staff(person_id)
        before = {"role": person.role, "privacy": person.is_privacy_officer, "models": person.is_model_steward}
        person.role = role
        person.is_privacy_officer, person.is_model_steward = is_privacy_officer, is_model_steward
        person.save(update_fields=["role", "is_privacy_officer", "is_model_steward"])
        _check_somebody_administers()
        after = {"role": role, "privacy": is_privacy_officer, "models": is_model_steward}
        if after != before:
            detail = {"before": before, "after": after}
            audit.record(actor=actor, now=now, action="change_role", entity=f"User/{person.pk}", detail=detail)


def set_active(*, person_id: int, is_active: bool, user: User, actor: Actor, now: datetime) -> None:
    """Deactivate (sessions, memberships and apps end at once) or activate. Raises Forbidden, NotFound, Conflict."""
    check_user_can_administer(user)
    with transaction.atomic():
        person = _staff(person_id)
        if person.pk == user.pk:
            raise Conflict("You cannot deactivate yourself. Ask another administrator.")
        if person.is_active == is_active:
            return
        person.is_active = is_active
        person.save(update_fields=["is_active"])
        if not is_active:
            TeamMembership.objects.filter(user=person, since__gte=now).delete()
            running = TeamMembership.objects.filter(user=person, since__lt=now)
            running.filter(until__isnull=True).update(until=now)
            running.filter(until__gt=now).update(until=now)
            StaffInvitation.objects.filter(user=person, used_at__isnull=True).delete()
            _end_all_sessions(person)
            authorizations.withdraw_all(user=person, actor=actor, now=now)
        _check_somebody_administers()
        action = "activate_person" if is_active else "deactivate_person"
        audit.record(actor=actor, now=now, action=action, entity=f"User/{person.pk}")


def add_membership(
    *, person_id: int, team_key: str, until: datetime | None, user: User, actor: Actor, now: datetime
) -> None:
    """From `now` the person belongs to the team; `until` for somebody who helps out. Raises as `invite` does."""
    check_user_can_administer(user)
    with transaction.atomic():
        person = _staff(person_id)
        if not person.is_clinical:
            raise Invalid("team: only clinicians and leads belong to a team.", field="team")
        _join(person, _team(team_key), until, actor, now)


def _join(person: User, team: Team, until: datetime | None, actor: Actor, now: datetime) -> None:
    if until is not None and until <= now:
        raise Invalid("until: give a time that is still to come.", field="until")
    current = TeamMembership.objects.select_for_update().filter(user=person, team=team, since__lt=now)
    TeamMembership.objects.filter(user=person, team=team, since__gte=now).delete()
    current.filter(until__isnull=True).update(until=now)
    current.filter(until__gt=now).update(until=now)
    TeamMembership.objects.create(user=person, team=team, since=now, until=until)
    detail = {"until": until.isoformat()} if until else {}
    audit.record(actor=actor, now=now, action="join_team", entity=f"Team/{team.key} User/{person.pk}", detail=detail)


def end_membership(*, membership_id: int, user: User, actor: Actor, now: datetime) -> None:
    """From `now` on the person sees nothing of the team's patients; ending what has ended changes nothing."""
    check_user_can_administer(user)
    with transaction.atomic():
        row = TeamMembership.objects.select_for_update().select_related("team").filter(pk=membership_id).first()
        if row is None:
            raise NotFound("There is no such membership.")
        if row.until is not None and row.until <= now:
            return
        if row.since >= now:
            row.delete()
        else:
            TeamMembership.objects.filter(pk=row.pk).update(until=now)
        audit.record(actor=actor, now=now, action="leave_team", entity=f"Team/{row.team.key} User/{row.user_id}")


def open_team(*, key: str, name: str, user: User, actor: Actor, now: datetime) -> Team:
    """A new team. Raises Forbidden, and Invalid for a key that is taken or is none."""
    check_user_can_administer(user)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", key):
        raise Invalid("key: use small letters, digits and - only.", field="key")
    if Team.objects.filter(key=key).exists():
        raise Invalid(f"key: {key} is taken.", field="key")
    if not name.strip():
        raise Invalid("name: give the team a name.", field="name")
    with transaction.atomic():
        team = Team.objects.create(key=key, name=name.strip()[:120])
        audit.record(actor=actor, now=now, action="open_team", entity=f"Team/{key}")
    return team


def end_session(*, user: User, session_id: int, actor: Actor, now: datetime) -> None:
    """End one of the user's own sessions. Raises NotFound for anybody else's."""
    found = UserSession.objects.filter(pk=session_id, user=user).first()
    if found is None:
        raise NotFound("That session has already ended.")
    with transaction.atomic():
        found.end()
        audit.record(actor=actor, now=now, action="end_session", entity=f"User/{user.pk}")


def _end_all_sessions(person: User) -> None:
    for session in UserSession.objects.filter(user=person):
        session.end()


def _check_role(role: str) -> None:
    if role not in STAFF_ROLES:
        raise Invalid(f'role: "{role}" is no staff role. Choose one of {", ".join(STAFF_ROLES)}.', field="role")


def _check_somebody_administers() -> None:
    """The rows are locked together, so that two administrators cannot remove one another at the same time."""
    standing = User.objects.select_for_update().filter(role=User.Role.ADMINISTRATOR, is_active=True)
    if not list(standing.values_list("pk", flat=True)):
        raise Conflict("Somebody must administer this product: make another administrator first.")


def _staff(person_id: int) -> User:
    person = User.objects.select_for_update().filter(pk=person_id, role__in=STAFF_ROLES).first()
    if person is None:
        raise NotFound("There is no such member of staff.")
    return person


def _team(key: str) -> Team:
    team = Team.objects.filter(key=key).first()
    if team is None:
        raise NotFound(f'There is no team "{key}".', field="team")
    return team
