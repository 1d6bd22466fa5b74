"""What people allow apps: launches, authorizations, the tokens that stand for them, and assertions used once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from oauth2_provider.models import AccessToken, RefreshToken, clear_expired

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import NotFound
from recovery.models import Authorization, AuthorizedToken, Connection, Launch, Patient, SpentAssertion, User
from recovery.permissions import check_user_can, visible_patients

LAUNCH_LASTS = timedelta(minutes=5)
LAUNCH_KEPT = timedelta(days=30)  # the console tells when an app was last opened


@dataclass(frozen=True, slots=True)
class Context:
    """For whom an app is opened. `patient`: FHIR id, "" when there is none yet. `encounter`: FHIR id or ""."""

    patient: str = ""
    encounter: str = ""
    is_launched: bool = False
    session: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """An authorization as it stands. `is_online`: it ends with the session in which it was given."""

    row_id: int
    user_id: int
    patient: str
    encounter: str
    is_launched: bool
    is_online: bool
    connection_id: int
    created_at: datetime


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- launches ---


def open_launch(
    *, connection_id: int, patient: str, encounter: str, user: User | None, actor: Actor, now: datetime
) -> str:
    """The `launch` that an app is opened with: good once, for five minutes, for `user` alone when there is one.

    Raises NotFound for a patient who is not there, or whom the user may not see.
    """
    row = Patient.objects.filter(fhir_id=patient, deleted_at__isnull=True).first()
    if row is None:
        raise NotFound("There is no such patient.")
    if user is not None:
        check_user_can(user, "view", row, now)
    handle = secrets.token_urlsafe(24)
    Launch.objects.create(
        handle_hash=hashed(handle),
        connection_id=connection_id,
        patient=row,
        encounter=encounter,
        user=user,
        created_at=now,
        expires_at=now + LAUNCH_LASTS,
    )
    audit.record(actor=actor, now=now, action="launch", patient_ids=[row.pk], entity=f"Connection/{connection_id}")
    return handle


def launch_context(*, handle: str, connection_id: int, user: User, now: datetime) -> Context | None:
    """What a launch stands for, for this app and this person; None when it is unknown, used or over."""
    row = (
        Launch.objects.filter(handle_hash=hashed(handle), connection_id=connection_id, used_at__isnull=True)
        .filter(expires_at__gt=now)
        .select_related("patient")
        .first()
    )
    if row is None or row.user_id not in (None, user.pk):
        return None
    if not visible_patients(user, now).filter(pk=row.patient_id).exists():
        return None
    return Context(row.patient.fhir_id, row.encounter, is_launched=True)


def spend_launch(*, handle: str, now: datetime) -> bool:
    """Whether this was its one use."""
    return Launch.objects.filter(handle_hash=hashed(handle), used_at__isnull=True).update(used_at=now) == 1


# ---- authorizations ---


def allow(
    *, client_id: str, code: str, user: User, scopes: str, context: Context, request_id: str, now: datetime
) -> None:
    """A person allows an app. Raises NotFound for a patient whom the person may not see."""
    connection = Connection.objects.get(application__client_id=client_id)
    patient = visible_patients(user, now).filter(fhir_id=context.patient).first() if context.patient else None
    if context.patient and patient is None:
        raise NotFound("There is no such patient, or it is not one of yours.")
    row = Authorization.objects.create(
        connection=connection,
        user=user,
        patient=patient,
        encounter=context.encounter,
        scopes=scopes,
        is_launched=context.is_launched,
        code_hash=hashed(code),
        session_hash=context.session and hashed(context.session),
        created_at=now,
    )
    audit.record(
        actor=Actor.of_user(user, request_id),
        now=now,
        action="allow_app",
        patient_ids=[patient.pk if patient else None],
        entity=f"Connection/{connection.pk}",
        detail={"scopes": scopes[:1000], "authorization": row.pk},
    )


def was_allowed(*, connection_id: int, user: User, scopes: str) -> bool:
    """Whether the person has allowed this app just that before, and has not taken it back."""
    rows = Authorization.objects.filter(connection_id=connection_id, user=user, revoked_at__isnull=True)
    return rows.filter(scopes=scopes).exists()


def of_code(client_id: str, code: str) -> Allowed | None:
    return _allowed(code_hash=hashed(code), connection__application__client_id=client_id)


def of_family(family: UUID) -> Allowed | None:
    return _allowed(family=family)


def public_client_of(refresh_token: str) -> str:
    """The id of the public app that was given this refresh token; "" for another's, or none."""
    rows = RefreshToken.objects.filter(token_checksum=hashed(refresh_token), application__client_type="public")
    return rows.values_list("application__client_id", flat=True).first() or ""


def of_access_token(checksum: str) -> Allowed | None:
    return _allowed(tokens__access_token__token_checksum=checksum)


def _allowed(**asked: object) -> Allowed | None:
    row = Authorization.objects.filter(revoked_at__isnull=True, **asked).select_related("patient").first()
    if row is None:
        return None
    patient = row.patient.fhir_id if row.patient and row.patient.deleted_at is None else ""
    return Allowed(
        row.pk,
        row.user_id,
        patient,
        row.encounter,
        row.is_launched,
        bool(row.session_hash),
        row.connection_id,
        row.created_at,
    )


def bind_token(*, authorization_id: int, access_token: str) -> None:
    """The access token just made stands for this authorization, and so does the family of its refresh token."""
    token = AccessToken.objects.get(token_checksum=hashed(access_token))
    AuthorizedToken.objects.create(access_token=token, authorization_id=authorization_id)
    family = RefreshToken.objects.filter(access_token=token).values_list("token_family", flat=True).first()
    if family is not None:
        Authorization.objects.filter(pk=authorization_id).update(family=family)


def withdraw(*, authorization_id: int, actor: Actor, now: datetime) -> None:
    """End an authorization with its tokens: what a person takes back, or a code that came twice."""
    with transaction.atomic():
        row = Authorization.objects.select_for_update().filter(pk=authorization_id, revoked_at__isnull=True).first()
        if row is None:
            return
        Authorization.objects.filter(pk=row.pk).update(revoked_at=now)
        if row.family is not None:
            RefreshToken.revoke_family(row.family)
        AccessToken.objects.filter(authorized__authorization=row).delete()
        audit.record(actor=actor, now=now, action="withdraw_app", entity=f"Connection/{row.connection_id}")


def withdraw_own(*, connection_id: int, user: User, actor: Actor, now: datetime) -> None:
    """All that this person has allowed this app."""
    rows = Authorization.objects.filter(connection_id=connection_id, user=user, revoked_at__isnull=True)
    for row_id in list(rows.values_list("pk", flat=True)):
        withdraw(authorization_id=row_id, actor=actor, now=now)


def withdraw_all(*, user: User, actor: Actor, now: datetime) -> None:
    """All that this person has allowed any app: where a way in is made anew, whoever had the old one has nothing."""
    rows = Authorization.objects.filter(user=user, revoked_at__isnull=True)
    for row_id in list(rows.values_list("pk", flat=True)):
        withdraw(authorization_id=row_id, actor=actor, now=now)


def end_session(*, session: str, actor: Actor, now: datetime) -> None:
    """What was allowed for as long as a session lasts (online_access)."""
    if not session:
        return
    rows = Authorization.objects.filter(session_hash=hashed(session), revoked_at__isnull=True)
    for row_id in list(rows.values_list("pk", flat=True)):
        withdraw(authorization_id=row_id, actor=actor, now=now)


def forget_expired(*, now: datetime) -> None:
    """Drop codes, tokens and launches that nobody can use any more."""
    clear_expired()
    Launch.objects.filter(expires_at__lt=now - LAUNCH_KEPT).delete()
    SpentAssertion.objects.filter(expires_at__lt=now - timedelta(minutes=10)).delete()


# ---- assertions ---


def spend_assertion(*, connection_id: int, jti: str, expires_at: datetime, now: datetime) -> bool:
    """Whether this is the first use of the assertion: the database decides, for all processes."""
    try:
        with transaction.atomic():
            SpentAssertion.objects.create(connection_id=connection_id, jti=hashed(jti), expires_at=expires_at)
    except IntegrityError:
        return False
    return True
