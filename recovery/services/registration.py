"""Registering apps and backend services, changing what they are, and ending them. Administrators only.

A secret is made here, returned once and kept as a hash.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Authorization, Connection

# Hosts on which a redirect address may be http (RFC 8252 section 7.3): apps on one's own machine.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
LONGEST_ADDRESS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be registered. `kind`: app or backend. `has_secret`: of an app that can keep one.

    `jwks`: its public keys, where it gives no `jwks_url`.
    """

    name: str
    kind: str
    scopes: str
    redirect_uris: Sequence[str] = ()
    launch_url: str = ""
    has_secret: bool = False
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """`secret`: shown once; "" for a client that has none."""

    row_id: int
    client_id: str
    secret: str


def register(*, wanted: Wanted, actor: Actor, now: datetime) -> Registered:
    """Raises Invalid for what cannot be used, Conflict where the name is taken."""
    signs = _check(wanted)
    secret = secrets.token_urlsafe(48) if wanted.has_secret and not signs else ""
    with transaction.atomic():
        if Connection.objects.filter(name=wanted.name.strip()).exists():
            raise Conflict(f"There is a connection named {wanted.name.strip()} already.")
        application = Application.objects.create(
            name=wanted.name.strip(),
            client_type="confidential" if secret or signs else "public",
            authorization_grant_type="client-credentials" if wanted.kind == "backend" else "authorization-code",
            # One that signs has no secret: nobody knows this one, and only its hash is kept.
            client_secret=secret or secrets.token_urlsafe(48),
            redirect_uris=" ".join(wanted.redirect_uris),
            algorithm="RS256" if wanted.kind == "app" else "",
        )
        row = Connection.objects.create(
            name=wanted.name.strip(),
            kind=wanted.kind,
            scopes=" ".join(wanted.scopes.split()),
            application=application,
            jwks=dict(wanted.jwks or {}),
            jwks_url=wanted.jwks_url,
            launch_url=wanted.launch_url,
            created_at=now,
            expires_at=wanted.expires_at,
        )
        _record(row, "register_connection", actor, now)
    return Registered(row.pk, application.client_id, secret)


def _check(wanted: Wanted) -> bool:
    """Whether it signs. Raises Invalid."""
    signs = bool(wanted.jwks_url or wanted.jwks)
    texts = (wanted.name, wanted.scopes, wanted.jwks_url, wanted.launch_url, *wanted.redirect_uris)
    if "\x00" in "".join(texts) or "\\u0000" in json.dumps(wanted.jwks or {}):
        raise Invalid("The character NUL cannot be kept.", field="name")
    if not wanted.name.strip() or len(wanted.name.strip()) > 120:
        raise Invalid("A connection needs a name of up to 120 characters.", field="name")
    if not wanted.scopes.strip() or len(wanted.scopes) > 2000:
        raise Invalid("Say what it may do: at least one scope.", field="scopes")
    if wanted.kind not in ("app", "backend"):
        raise Invalid("Choose an app or a backend service.", field="kind")
    if wanted.kind == "backend" and not signs:
        raise Invalid("A backend service signs for its tokens: give its public keys or their address.", field="jwks")
    if wanted.kind == "app" and not wanted.redirect_uris:
        raise Invalid("An app needs at least one redirect address.", field="redirect_uris")
    for address in wanted.redirect_uris:
        _check_address(address, "redirect_uris")
    if wanted.launch_url:
        _check_address(wanted.launch_url, "launch_url")
    _check_keys(wanted)
    return signs


def _check_keys(wanted: Wanted) -> None:
    if wanted.jwks and wanted.jwks_url:
        raise Invalid("Give the public keys or their address, not both.", field="jwks")
    if wanted.jwks:
        keys = wanted.jwks.get("keys")
        if not isinstance(keys, list) or not keys or not all(isinstance(one, dict) for one in keys):
            raise Invalid('The public keys are a JSON object with a list "keys".', field="jwks")
        if any(name in one for one in keys for name in ("d", "p", "q", "dp", "dq", "qi", "k")):
            raise Invalid("These are private keys. Keep them where they are and give the public ones.", field="jwks")
    if len(wanted.jwks_url) > LONGEST_ADDRESS:
        raise Invalid("The address of the keys is too long.", field="jwks_url")


def _check_address(address: str, field: str) -> None:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not is_safe or not parts.hostname or parts.fragment or "*" in address or len(address) > LONGEST_ADDRESS:
        sentence = "must begin with https:// (http:// on this machine only), without a fragment or a wildcard."
        raise Invalid(f"{address[:80]} {sentence}", field=field)


def rotate_secret(*, row_id: int, actor: Actor, now: datetime) -> Registered:
    """A new secret in place of the old one, which ends at once. Raises Invalid for a client that has none."""
    with transaction.atomic():
        row = _row(row_id)
        if row.application is None or row.application.client_type != "confidential" or row.jwks or row.jwks_url:
            raise Invalid("This connection has no secret.", field="secret")
        secret = secrets.token_urlsafe(48)
        row.application.client_secret = secret
        row.application.save()
        _record(row, "rotate_secret", actor, now)
    return Registered(row.pk, row.application.client_id, secret)


def rotate_token(*, row_id: int, actor: Actor, now: datetime) -> str:
    """A new fixed token in place of the old one, which ends at once."""
    from recovery.services.connections import issue_token

    row = _row(row_id)
    if row.kind != Connection.Kind.TOKEN:
        raise Invalid("This connection has no fixed token.", field="token")
    patient = row.patient.fhir_id if row.patient else ""
    return issue_token(
        name=row.name, scopes=row.scopes, actor=actor, now=now, expires_at=row.expires_at, patient=patient
    )


def change_keys(*, row_id: int, jwks: Mapping[str, Any] | None, jwks_url: str, actor: Actor, now: datetime) -> None:
    """Other public keys of a client that signs."""
    with transaction.atomic():
        row = _row(row_id)
        if row.application is None or not (row.jwks or row.jwks_url):
            raise Invalid("This connection does not sign.", field="jwks")
        _check_keys(Wanted(row.name, row.kind, row.scopes, jwks=jwks, jwks_url=jwks_url))
        if not jwks and not jwks_url:
            raise Invalid("Give the public keys or their address.", field="jwks")
        row.jwks, row.jwks_url = dict(jwks or {}), jwks_url
        row.save(update_fields=["jwks", "jwks_url"])
        _record(row, "change_keys", actor, now)


def revoke(*, row_id: int, actor: Actor, now: datetime) -> None:
    """End a connection with all its tokens, at once and for good."""
    with transaction.atomic():
        row = _row(row_id)
        if row.revoked_at is None:
            Connection.objects.filter(pk=row.pk).update(revoked_at=now)
        Authorization.objects.filter(connection=row, revoked_at__isnull=True).update(revoked_at=now)
        if row.application is not None:
            for kind in (Grant, RefreshToken, AccessToken):
                kind.objects.filter(application=row.application).delete()
        _record(row, "revoke_connection", actor, now)


def _row(row_id: int) -> Connection:
    row = Connection.objects.select_for_update(of=("self",)).select_related("application", "patient").filter(pk=row_id)
    found = row.first()
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def _record(row: Connection, action: str, actor: Actor, now: datetime) -> None:
    audit.record(actor=actor, now=now, action=action, entity=f"Connection/{row.pk}", detail={"name": row.name})
