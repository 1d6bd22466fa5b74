"""A patient's way in: a one-time link made by staff, opened with the date of birth, and dead after it was used.

Whoever tries a link learns one thing only: that it did not open. A link that never was, that ran out, that was used or
revoked, and a wrong date of birth are told apart nowhere; wrong tries are counted for the link and for where they come
from, in the database, so that all processes count together.
"""

import hashlib
import hmac
import secrets
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound, RecoveryError
from recovery.links import MOST_TRIES, hash_of_link
from recovery.models import Patient, PortalInvite, PortalTry, User
from recovery.services import authorizations, enrolment

LASTS = timedelta(days=7)
# Between the date of birth and the chosen password.
OPEN_FOR = timedelta(minutes=30)
MOST_TRIES_A_SOURCE, COUNTED_FOR = 20, timedelta(minutes=15)
# Letters and digits that are not taken for one another when read from paper (Crockford's base 32).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16  # 80 random bits


class NotOpened(Invalid):
    """The link and the date of birth did not open anything."""

    def __init__(self) -> None:
        super().__init__("This did not open. Check the link and the date, or ask your care team for a new link.")


class TooManyTries(RecoveryError):
    """Too many wrong tries from one place; it may try again after COUNTED_FOR."""

    def __init__(self) -> None:
        super().__init__("Too many tries. Please wait a quarter of an hour.")


def invite(*, patient_id: int, channel: str, actor: Actor, now: datetime) -> tuple[PortalInvite, str]:
    """(the invite, its secret: shown or sent once, only its hash is kept). A link made before stops working.

    Raises Invalid for an unknown channel or a patient without a date of birth, Conflict for one who has died.
    """
    if channel not in PortalInvite.Channel.values:
        raise Invalid(f"channel must be one of {', '.join(PortalInvite.Channel.values)}.", field="channel")
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    with transaction.atomic():
        patient = Patient.objects.select_for_update().filter(pk=patient_id, deleted_at__isnull=True).first()
        if patient is None:
            raise NotFound("There is no such patient.")
        if patient.birth_date is None:
            raise Invalid("Without a date of birth nobody can open the link: add it first.", field="birth_date")
        if patient.died_at is not None:
            raise Conflict("This patient has died.")
        _revoke_open(patient, now)
        made = PortalInvite.objects.create(
            patient=patient,
            digest=hash_of_link(code),
            channel=channel,
            made_at=now,
            made_by=actor.name,
            until=now + LASTS,
        )
        _note(made, "portal_invite", actor, now, {"channel": channel})
    return made, code


def revoke(*, patient_id: int, actor: Actor, now: datetime) -> int:
    """The open link of this patient stops working; returns how many there were."""
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient_id)
        ended = _revoke_open(patient, now)
        audit.record(
            actor=actor, now=now, action="portal_invite_revoked", patient_ids=[patient.pk], detail={"links": ended}
        )
    return ended


def _revoke_open(patient: Patient, now: datetime) -> int:
    standing = PortalInvite.objects.filter(patient=patient, used_at__isnull=True, revoked_at__isnull=True)
    return standing.update(revoked_at=now)


def plain_code(typed: str) -> str:
    """The code as made, from how people type it: spaces, dashes, small letters, O for 0, I and L for 1."""
    letters = "".join(one for one in typed.upper() if one.isalnum())
    return letters.translate(str.maketrans("OIL", "011"))[:64]


def open_invite(*, code: str, birth_date: date | None, source: str, actor: Actor, now: datetime) -> PortalInvite:
    """The invite that this code and date of birth open. Raises NotOpened, TooManyTries."""
    mark = _source_mark(source)
    _check_source(mark, now)
    with transaction.atomic():
        found = (
            PortalInvite.objects.select_for_update(of=("self",))
            .select_related("patient")
            .filter(digest=hash_of_link(code))
            .first()
        )
        if found is not None and _opens(found, birth_date, now):
            found.opened_at = now
            found.save(update_fields=["opened_at"])
            _note(found, "portal_invite_opened", actor, now, {})
            return found
        _count(found, mark, actor, now)
    raise NotOpened()


def _opens(found: PortalInvite, birth_date: date | None, now: datetime) -> bool:
    said = (birth_date or date.min).isoformat().encode()
    known = (found.patient.birth_date or date.max).isoformat().encode()
    same = hmac.compare_digest(said, known)
    return same and is_open(found, now)


def is_open(found: PortalInvite, now: datetime) -> bool:
    ended = found.used_at is not None or found.revoked_at is not None or found.patient.deleted_at is not None
    return not ended and found.until > now and found.wrong_dates < MOST_TRIES


def _count(found: PortalInvite | None, mark: str, actor: Actor, now: datetime) -> None:
    """A wrong try. What was typed is written down nowhere."""
    PortalTry.objects.create(source=mark, at=now)
    if found is None:
        audit.record(actor=actor, now=now, action="portal_invite_opened", outcome="failure")
        return
    found.wrong_dates = min(found.wrong_dates + 1, MOST_TRIES)
    if found.wrong_dates >= MOST_TRIES and found.used_at is None and found.revoked_at is None:
        found.revoked_at = now
    found.save(update_fields=["wrong_dates", "revoked_at"])
    audit.record(
        actor=actor,
        now=now,
        action="portal_invite_opened",
        patient_ids=[found.patient_id],
        outcome="failure",
        detail={"tries": found.wrong_dates},
    )


def _source_mark(source: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"portal:" + source.encode(), hashlib.sha256).hexdigest()


def _check_source(mark: str, now: datetime) -> None:
    if PortalTry.objects.filter(source=mark, at__gt=now - COUNTED_FOR).count() >= MOST_TRIES_A_SOURCE:
        raise TooManyTries()


def accept(*, key: str, username: str, password: str, actor: Actor, now: datetime) -> User:
    """The patient's sign-in: a new one, or a new password for the one they have. The link is used up.

    `key`: of an invite that was opened within OPEN_FOR. Raises NotOpened, Invalid for a taken name or a weak password.
    """
    with transaction.atomic():
        found = (
            PortalInvite.objects.select_for_update(of=("self",)).select_related("patient__user").filter(key=key).first()
        )
        if found is None or not is_open(found, now) or found.opened_at is None or found.opened_at < now - OPEN_FOR:
            raise NotOpened()
        known = found.patient.user
        user = (
            _new_user(found, username, password, actor, now) if known is None else _renewed(known, password, actor, now)
        )
        found.used_at = now
        found.save(update_fields=["used_at"])
        _note(found, "portal_invite_used", actor, now, {"renewed": known is not None})
    return user


def _new_user(found: PortalInvite, username: str, password: str, actor: Actor, now: datetime) -> User:
    patient = found.patient
    user = enrolment.register_person(
        username=username.strip()[:150],
        password=password,
        role=User.Role.PATIENT,
        first_name=patient.given_name[:150],
        last_name=patient.family_name[:150],
        actor=actor,
        now=now,
    )
    enrolment.give_patient_access(patient_fhir_id=patient.fhir_id, user=user, actor=actor, now=now)
    return user


def _renewed(user: User, password: str, actor: Actor, now: datetime) -> User:
    """A new password for whom the date of birth and the link have shown to be the patient; old sessions end with it,
    and so does what was allowed to apps."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error
    user.set_password(password)
    user.save(update_fields=["password"])
    authorizations.withdraw_all(user=user, actor=actor, now=now)
    return user


def forget_tries(*, now: datetime) -> int:
    """Drop tries that count no more; returns how many."""
    return PortalTry.objects.filter(at__lt=now - COUNTED_FOR).delete()[0]


def _note(found: PortalInvite, action: str, actor: Actor, now: datetime, detail: dict[str, object]) -> None:
    audit.record(
        actor=actor,
        now=now,
        action=action,
        patient_ids=[found.patient_id],
        entity=f"PortalInvite/{found.key}",
        detail=detail,
    )
