"""Connected systems: issuing and checking their bearer tokens."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import Connection, tables_sql

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
        row, _ = Connection.objects.update_or_create(
            name=name.strip(), defaults=said, create_defaults={**said, "created_at": now}
        )
        audit.record(actor=actor, now=now, action="issue_token", entity=f"Connection/{row.pk}")
    return token


def authenticate_token(*, token: str, now: datetime, request_id: str = "") -> Actor | None:
    """The connected system that `token` belongs to, or None when it is unknown, expired or revoked."""
    stale = now - USED_EVERY
    rows = tables_sql.run_first(
        "SELECT id, name, scopes, last_used_at IS NULL OR last_used_at < %s FROM recovery_connection"
        " WHERE token_hash = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)",
        [_moment(stale), _hash(token), _moment(now)],
    )
    if not rows:
        return None
    row_id, name, scopes, is_stale = rows[0]
    if is_stale:
        Connection.objects.filter(pk=row_id).update(last_used_at=now)
    return Actor("connection", row_id, name, request_id, scopes)


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _hash(token: str) -> str:
    """Tokens are 256 random bits, so a plain hash resists guessing; a slow one would cost each request."""
    return hashlib.sha256(token.encode()).hexdigest()
