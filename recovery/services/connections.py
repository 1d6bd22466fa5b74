"""Who calls with a bearer token: a system with a fixed one, a backend service, or an app for a person."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from oauth2_provider.models import AccessToken

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid
from recovery.models import Connection, Patient, tables_sql

# How exact `last_used_at` is: one write a minute, not one a request.
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """`user_id`: the person for whom an app calls. `patient`: FHIR id of the one patient whom patient/ scopes reach."""

    actor: Actor
    scopes: str
    connection_id: int
    user_id: int | None = None
    patient: str = ""


def issue_token(
    *,
    name: str,
    scopes: str,
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
    patient: str = "",
    is_new: bool = False,
) -> str:
    """Register the connection `name` (or replace its token) and return the new bearer token; only its hash is kept.

    `patient`: FHIR id of the one whom its patient/ scopes reach. `is_new`: nothing is replaced; raises Conflict.
    """
    if not name.strip():
        raise Invalid("A connection needs a name.", field="name")
    if not scopes.strip():
        raise Invalid('Scopes are missing: for example "system/*.cruds".', field="scopes")
    if is_new and Connection.objects.filter(name=name.strip()).exists():
        raise Conflict(f"There is a connection named {name.strip()} already.")
    if Connection.objects.filter(name=name.strip()).exclude(kind=Connection.Kind.TOKEN).exists():
        raise Invalid("A connection of another kind has this name.", field="name")
    token = secrets.token_urlsafe(32)
    said = {
        "scopes": scopes.strip(),
        "token_hash": _hash(token),
        "expires_at": expires_at,
        "revoked_at": None,
        "patient": _patient(patient) if patient else None,
    }
    with transaction.atomic():
        row, _ = Connection.objects.update_or_create(
            name=name.strip(), defaults=said, create_defaults={**said, "created_at": now}
        )
        audit.record(actor=actor, now=now, action="issue_token", entity=f"Connection/{row.pk}")
    return token


def _patient(fhir_id: str) -> Patient:
    found = Patient.objects.filter(fhir_id=fhir_id, deleted_at__isnull=True).first()
    if found is None:
        raise Invalid("There is no such patient.", field="patient")
    return found


def authenticate(*, token: str, now: datetime, request_id: str = "") -> Caller | None:
    """Who holds `token`, or None when it is unknown, expired or revoked."""
    return _of_fixed_token(token, now, request_id) or _of_oauth_token(token, now, request_id)


def authenticate_token(*, token: str, now: datetime, request_id: str = "") -> Actor | None:
    """The actor alone."""
    caller = authenticate(token=token, now=now, request_id=request_id)
    return caller.actor if caller is not None else None


def _of_fixed_token(token: str, now: datetime, request_id: str) -> Caller | None:
    rows = tables_sql.run_first(
        "SELECT c.id, c.name, c.scopes, c.last_used_at IS NULL OR c.last_used_at < %s, p.fhir_id"
        " FROM recovery_connection c LEFT JOIN recovery_patient p ON p.id = c.patient_id AND p.deleted_at IS NULL"
        " WHERE c.token_hash = %s AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > %s)",
        [_moment(now - USED_EVERY), _hash(token), _moment(now)],
    )
    if not rows:
        return None
    row_id, name, scopes, is_stale, patient = rows[0]
    if is_stale:
        Connection.objects.filter(pk=row_id).update(last_used_at=now)
    return Caller(Actor("connection", row_id, name, request_id, scopes), scopes, row_id, None, patient or "")


def _of_oauth_token(token: str, now: datetime, request_id: str) -> Caller | None:
    found = (
        AccessToken.objects.filter(token_checksum=_hash(token), expires__gt=now)
        .select_related("application__connection", "authorized__authorization__patient", "user")
        .first()
    )
    if found is None:
        return None
    used = getattr(found.application, "connection", None)
    if used is None or used.revoked_at is not None or (used.expires_at is not None and used.expires_at <= now):
        return None
    _note_use(used, now)
    if used.kind == Connection.Kind.BACKEND:
        return Caller(Actor("connection", used.pk, used.name, request_id, found.scope), found.scope, used.pk)
    return _of_app(found, used, request_id)


def _of_app(found: AccessToken, used: Connection, request_id: str) -> Caller | None:
    """A person acts, through the app: the trail names both. Without a standing authorization nobody does."""
    allowed = getattr(found, "authorized", None)
    if allowed is None or allowed.authorization.revoked_at is not None:
        return None
    user, patient = found.user, allowed.authorization.patient
    if user is None or not user.is_active or user.pk != allowed.authorization.user_id:
        return None
    scopes = " ".join(word for word in found.scope.split() if not word.startswith("system/"))
    name = f"{user.get_username()} via {used.name}"[:150]
    fhir_id = patient.fhir_id if patient is not None and patient.deleted_at is None else ""
    return Caller(Actor("user", user.pk, name, request_id, scopes), scopes, used.pk, user.pk, fhir_id)


def _note_use(used: Connection, now: datetime) -> None:
    if used.last_used_at is None or used.last_used_at < now - USED_EVERY:
        Connection.objects.filter(pk=used.pk).update(last_used_at=now)


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _hash(token: str) -> str:
    """Tokens are 256 random bits, so a plain hash resists guessing; a slow one would cost each request."""
    return hashlib.sha256(token.encode()).hexdigest()
