"""private_key_jwt: a client shows who it is by a short-lived JWT that it signs (SMART Backend Services; RFC 7523).

RS384 or ES384; iss = sub = client id; aud = our token endpoint; exp at most five minutes ahead; each jti once.
"""

import base64
import json
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from integrations.smart.keys import NoKey, key_of
from recovery.selectors.connections import Client, client_by_id
from recovery.services.authorizations import spend_assertion
from recovery.texts import is_storable

logger = logging.getLogger(__name__)
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")
# SMART 2.2 Backend Services: no more than five minutes. `SLACK`: what two clocks may differ.
LONGEST, SLACK = timedelta(minutes=5), timedelta(seconds=10)
LONGEST_TEXT, LONGEST_JTI = 8_000, 500


class NotShown(Exception):
    """The assertion does not show who the client is; the text says why."""


def client_of(assertion: str, *, audiences: Collection[str], now: datetime) -> Client:
    """The client that signed. Its jti is spent by this. Raises NotShown."""
    header, claims = _peek(assertion)
    client = client_by_id(str(claims.get("iss", ""))[:200])
    if client is None or not client.is_usable(now) or not client.signs:
        raise NotShown("iss is no registered client that signs")
    _check_header(header, client)
    try:
        key = key_of(client, str(header.get("kid")), str(header["alg"]), now)
        signed = jwt.decode(assertion, key, algorithms=[str(header["alg"])]).claims
    except NoKey as error:
        raise NotShown(str(error)) from error
    except (JoseError, ValueError) as error:
        raise NotShown("the signature is not the client's") from error
    expires_at = _check_claims(signed, client, audiences, now)
    if not spend_assertion(connection_id=client.row_id, jti=signed["jti"], expires_at=expires_at, now=now):
        raise NotShown("jti was used before")
    return client


def _peek(assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they are said, before anything is believed."""
    parts = assertion.split(".")
    if len(parts) != 3 or len(assertion) > LONGEST_TEXT:
        raise NotShown("it is no signed JWT")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))) for one in parts[:2])
    except (ValueError, RecursionError) as error:
        raise NotShown("it is no signed JWT") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotShown("it is no signed JWT")
    return header, claims


def named_client(assertion: str) -> str:
    """The client that an assertion says it is from, which shows nothing yet; "" for what is no assertion."""
    try:
        return str(_peek(assertion)[1].get("iss", ""))
    except NotShown:
        return ""


def _check_header(header: Mapping[str, Any], client: Client) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise NotShown(f"alg must be one of {', '.join(ALGORITHMS)}")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        raise NotShown("the header has no kid")
    if "jku" in header and header["jku"] != client.jwks_url:
        raise NotShown("jku is not the registered address of its keys")
    if "crit" in header:
        raise NotShown("crit is not understood")


def _check_claims(claims: Mapping[str, Any], client: Client, audiences: Collection[str], now: datetime) -> datetime:
    """When it expires. Raises NotShown."""
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise NotShown("iss and sub must both be the client id")
    said = claims.get("aud")
    if not any(one in audiences for one in (said if isinstance(said, list) else [said])):
        raise NotShown("aud must be the address of the token endpoint")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not is_storable(jti):
        raise NotShown("jti must be a text of its own for each request")
    expires_at = _moment(claims, "exp")
    if expires_at is None or expires_at <= now - SLACK:
        raise NotShown("exp is missing or past")
    if expires_at > now + LONGEST + SLACK:
        raise NotShown("exp is more than five minutes ahead")
    for name in ("nbf", "iat"):
        since = _moment(claims, name) if name in claims else None
        if name in claims and (since is None or since > now + SLACK):
            raise NotShown(f"{name} lies ahead")
    return expires_at


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        return None
    return datetime.fromtimestamp(value, UTC)
