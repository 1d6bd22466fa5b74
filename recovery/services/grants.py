"""Caregivers: a patient lets somebody in, changes what they may do, and ends it, effective at once."""

import hmac
import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.links import MOST_TRIES, hash_of_link
from recovery.models import CaregiverContact, CaregiverGrant, Patient, PhoneCode, PushSubscription, User
from recovery.permissions import PortalScope
from recovery.services import enrolment

LINK_LASTS = timedelta(days=7)
MOST_CAREGIVERS = 8
# Who may answer for somebody expects to hear when there is something to answer; to follow somebody's post is more.
TOLD_UNLESS_SAID = ("check_ins",)


class WrongAnswer(Invalid):
    """The question of a link was answered wrongly; `left` tries remain."""

    def __init__(self, left: int) -> None:
        super().__init__("That is not the date of birth we know.", field="birth_date")
        self.left = left


def invite_caregiver(
    *,
    patient_id: int,
    called: str,
    relation: str,
    scopes: Collection[str],
    told: Collection[str] = TOLD_UNLESS_SAID,
    actor: Actor,
    now: datetime,
) -> tuple[CaregiverGrant, str]:
    """(the grant, the secret of its link, which is shown once: only its hash is kept). Raises Invalid, Conflict.

    `told`: of what we tell them, "check_ins" and "messages", as far as their scopes go.
    """
    called = called.strip()
    if not called or relation not in CaregiverGrant.Relation.values:
        raise Invalid("Please say who this person is.", field="called")
    allowed = _allowed(scopes) | _told(told)
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient_id)
        if CaregiverGrant.objects.filter(patient=patient, ended_at__isnull=True).count() >= MOST_CAREGIVERS:
            raise Conflict(f"You can have {MOST_CAREGIVERS} people at most. Please end one of them first.")
        grant = CaregiverGrant.objects.create(
            patient=patient,
            called=called[:80],
            relation=relation,
            link_hash=hash_of_link(token),
            link_until=now + LINK_LASTS,
            asked_at=now,
            **allowed,
        )
        _note(grant, "caregiver_invited", actor, now)
    return grant, token


def accept_invitation(
    *,
    token: str,
    birth_date: date,
    username: str = "",
    password: str = "",
    user: User | None = None,
    actor: Actor,
    now: datetime,
) -> User:
    """The caregiver comes in: with a new sign-in, or as `user`, who is a caregiver already.

    The answer to the question (the patient's date of birth) is checked in constant time; the fifth wrong one ends the
    invitation. Raises NotFound, WrongAnswer, Invalid (name taken, weak password), Conflict (already let in).
    """
    left = _check_answer(token, birth_date, actor, now)
    if left is not None:
        raise WrongAnswer(left)
    with transaction.atomic():
        grant = _invitation(token, now)
        if user is None:
            user = enrolment.register_person(
                username=username,
                password=password,
                role=User.Role.CAREGIVER,
                first_name=grant.called,
                actor=actor,
                now=now,
            )
        elif user.role != User.Role.CAREGIVER:
            raise Invalid("Please sign out first: this link is for somebody else.", field="user")
        if CaregiverGrant.objects.filter(patient=grant.patient, user=user, ended_at__isnull=True).exists():
            raise Conflict("You are already let in here.")
        grant.user, grant.accepted_at, grant.link_hash = user, now, ""
        grant.save(update_fields=["user", "accepted_at", "link_hash"])
        _note(grant, "caregiver_accepted", Actor.of_user(user, actor.request_id), now)
    return user


def _check_answer(token: str, birth_date: date, actor: Actor, now: datetime) -> int | None:
    """None when the answer is right, else the tries left. A transaction of its own: the refusal must not undo it."""
    with transaction.atomic():
        grant = _invitation(token, now)
        known = grant.patient.birth_date
        if known is not None and hmac.compare_digest(known.isoformat(), birth_date.isoformat()):
            return None
        grant.tries += 1
        grant.save(update_fields=["tries"])
        audit.record(
            actor=actor,
            now=now,
            action="caregiver_refused",
            patient_ids=[grant.patient_id],
            entity=f"CaregiverGrant/{grant.key}",
            outcome="refused",
        )
    return max(0, MOST_TRIES - grant.tries)


def _invitation(token: str, now: datetime) -> CaregiverGrant:
    grant = (
        CaregiverGrant.objects.select_for_update(of=("self",))
        .select_related("patient")
        .filter(link_hash=hash_of_link(token), ended_at__isnull=True, link_until__gt=now, tries__lt=MOST_TRIES)
        .first()
    )
    if grant is None:
        raise NotFound("This link cannot be used any more. Please ask for a new one.")
    return grant


def change_scopes(
    *,
    patient_id: int,
    key: UUID,
    scopes: Collection[str],
    told: Collection[str] | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """From the next request on the caregiver may do this and no more; None leaves of what they are told.

    Raises NotFound, Invalid.
    """
    allowed = _allowed(scopes) | ({} if told is None else _told(told))
    with transaction.atomic():
        grant = _standing(patient_id, key)
        for name, value in allowed.items():
            setattr(grant, name, value)
        grant.save(update_fields=list(allowed))
        _note(grant, "caregiver_changed", actor, now)


def end_grant(*, patient_id: int, key: UUID, actor: Actor, now: datetime) -> None:
    """The caregiver sees nothing from the next request on, and is signed out unless others let them in.

    Ending twice changes nothing. Raises NotFound for a grant of another patient.
    """
    with transaction.atomic():
        grant = _standing(patient_id, key, ended_too=True)
        if grant.ended_at is not None:
            return
        grant.ended_at, grant.link_hash = now, ""
        grant.save(update_fields=["ended_at", "link_hash"])
        _put_to_sleep(grant)
        _note(grant, "caregiver_ended", actor, now)


def _put_to_sleep(grant: CaregiverGrant) -> None:
    """A caregiver whom nobody lets in any more has no account: an inactive user's sessions are dead at once.

    How they were reached is forgotten.
    """
    if grant.user_id is None:
        return
    if not CaregiverGrant.objects.filter(user_id=grant.user_id, ended_at__isnull=True).exists():
        User.objects.filter(pk=grant.user_id, role=User.Role.CAREGIVER).update(is_active=False)
        CaregiverContact.objects.filter(user=grant.user_id).delete()
        PhoneCode.objects.filter(user=grant.user_id, user__role=User.Role.CAREGIVER).delete()
        PushSubscription.objects.filter(user=grant.user_id, user__role=User.Role.CAREGIVER).delete()


def _standing(patient_id: int, key: UUID, *, ended_too: bool = False) -> CaregiverGrant:
    rows = CaregiverGrant.objects.select_for_update().filter(patient_id=patient_id, key=key)
    grant = (rows if ended_too else rows.filter(ended_at__isnull=True)).first()
    if grant is None:
        raise NotFound("There is no such person here.")
    return grant


def _allowed(scopes: Collection[str]) -> dict[str, bool]:
    """Column -> allowed. Raises Invalid when nothing is, or something unknown."""
    names: dict[PortalScope, str] = {
        "see": "may_see",
        "answer": "may_answer",
        "write": "may_write",
        "connect": "may_connect",
    }
    if not scopes or not set(scopes) <= set(names):
        raise Invalid("Please choose at least one thing that this person may do.", field="scopes")
    return {column: name in scopes for name, column in names.items()}


def _told(told: Collection[str]) -> dict[str, bool]:
    """Column -> told. Raises Invalid for something unknown."""
    if not set(told) <= {"check_ins", "messages"}:
        raise Invalid("Please choose again what we tell this person.", field="told")
    return {"told_check_ins": "check_ins" in told, "told_messages": "messages" in told}


def _note(grant: CaregiverGrant, action: str, actor: Actor, now: datetime) -> None:
    known = ("may_see", "may_answer", "may_write", "may_connect", "told_check_ins", "told_messages")
    held = [name for name in known if getattr(grant, name)]
    audit.record(
        actor=actor,
        now=now,
        action=action,
        patient_ids=[grant.patient_id],
        entity=f"CaregiverGrant/{grant.key}",
        detail={"relation": grant.relation, "scopes": held},
    )
