"""People whom the hospital's identity provider vouches for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Forbidden
from recovery.models import User

STAFF_ROLES = (User.Role.CLINICIAN, User.Role.LEAD, User.Role.ADMINISTRATOR)
NOT_YOURS = "Your hospital account is not set up for this product. Ask your administrator to add you."


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider said: the hospital's user name, and the groups that may stand for a role here."""

    username: str
    first_name: str = ""
    last_name: str = ""
    groups: tuple[str, ...] = ()


def person_for(*, known: User | None, claims: Claims, roles: Mapping[str, str], actor: Actor, now: datetime) -> User:
    """The person who signs in. `known`: who signed in with this identity before. `roles`: group -> role.

    Without `roles` only people whom an administrator made may enter. With them the role follows the groups at each
    sign-in, the strongest wins, people are made as they come, and without a mapped group nobody enters. Never makes
    or becomes a patient. Raises Forbidden.
    """
    with transaction.atomic():
        user = known or User.objects.select_for_update().filter(username=claims.username or None).first()
        if user is not None and (not user.is_active or user.role not in STAFF_ROLES):
            raise Forbidden(NOT_YOURS)
        if not roles:
            if user is None:
                raise Forbidden(NOT_YOURS)
            return user
        return _with_role(user, claims, _role(claims, roles), actor, now)


def _role(claims: Claims, roles: Mapping[str, str]) -> str:
    given = {roles[group] for group in claims.groups if group in roles}
    for role in reversed(STAFF_ROLES):
        if role in given:
            return role
    raise Forbidden(NOT_YOURS)


def _with_role(user: User | None, claims: Claims, role: str, actor: Actor, now: datetime) -> User:
    if user is None:
        return _made(claims, role, actor, now)
    if user.role != role:
        detail = {"from": user.role, "to": role}
        user.role = role
        user.save(update_fields=["role"])
        audit.record(actor=actor, now=now, action="change_role", entity=f"User/{user.pk}", detail=detail)
    return user


def _made(claims: Claims, role: str, actor: Actor, now: datetime) -> User:
    if not claims.username:
        raise Forbidden("The identity provider sent no user name. Ask your administrator which claim holds it.")
    user = User(
        username=claims.username[:150],
        role=role,
        first_name=claims.first_name[:150],
        last_name=claims.last_name[:150],
    )
    user.set_unusable_password()
    user.save()
    audit.record(actor=actor, now=now, action="register_person", entity=f"User/{user.pk}", detail={"role": role})
    return user
