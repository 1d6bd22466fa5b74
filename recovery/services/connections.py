"""Connected systems: issuing and checking their bearer tokens."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import Connection

# How exact `last_used_at` is: one write a minute, not one a request.
USED_EVERY = timedelta(minutes=1)


def issue_token(*, name: str, scopes: str, actor: Actor, now: datetime, expires_at: datetime | None = None) -> str:
    """Register the connection `name` (or replace its token) and return the new bearer token; only its hash is kept."""
    if not name.strip():
        raise Invalid("A connection needs a name.", field="name")
    if not scopes.strip():
        raise Invalid('Scopes are missing: for example "system/*.cruds".', field="scopes")
    token = secrets.token_urlsafe(32)
    said = {
        "scopes": scopes.strip(),
        "token_hash": _hash(token),
        "expires_at": expires_at,
        "revoked_at": None,
    }
    with transaction.atomic():
        connection, _ = Connection.objects.update_or_create(
            name=name.strip(), defaults=said, create_defaults={**said, "created_at": now}
        )
        audit.record(actor=actor, now=now, action="issue_token", entity=f"Connection/{connection.pk}")
    return token


def authenticate_token(*, token: str, now: datetime, request_id: str = "") -> Actor | None:
    """The connected system that `token` belongs to, or None when it is unknown, expired or revoked."""
    connection = Connection.objects.filter(token_hash=_hash(token), revoked_at__isnull=True).first()
    if connection is None or (connection.expires_at is not None and connection.expires_at <= now):
        return None
    if connection.last_used_at is None or now - connection.last_used_at > USED_EVERY:
        Connection.objects.filter(pk=connection.pk).update(last_used_at=now)
    return Actor.of_connection(connection, request_id)


def _hash(token: str) -> str:
    """Tokens are 256 random bits, so a plain hash resists guessing; a slow one would cost each request."""
    return hashlib.sha256(token.encode()).hexdigest()
