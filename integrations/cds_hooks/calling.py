"""Who calls: an EHR that signs a JWT for each call (CDS Hooks 2.0.1, trusting CDS clients), or a connected system by
its bearer token. Both have the scopes of their connection."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from integrations.smart.keys import NoKey, key_of
from recovery.audit import Actor
from recovery.selectors.cards import Ehr, ehr_by_issuer
from recovery.selectors.connections import client_by_row
from recovery.services.cards import spend_token
from recovery.services.connections import Caller, authenticate
from recovery.texts import is_storable

ALGORITHMS = ("RS384", "ES384")
# The guide: an exp of no more than five minutes ahead. `SLACK`: what two clocks may differ.
LONGEST, SLACK = timedelta(minutes=5), timedelta(seconds=10)
LONGEST_TEXT, LONGEST_JTI = 8_000, 500


class NotTrusted(Exception):
    """The call shows nobody whom we know; the text says why, without repeating a secret."""


def caller_of(authorization: str, *, audiences: tuple[str, ...], now: datetime, request_id: str) -> Caller:
    """Raises NotTrusted."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotTrusted("a bearer token is required")
    if token.count(".") == 2 and (issuer := _issuer(token)):
        ehr = ehr_by_issuer(issuer, now)
        if ehr is not None:
            return _signed(token, ehr, audiences, now, request_id)
    caller = authenticate(token=token, now=now, request_id=request_id)
    if caller is None:
        raise NotTrusted("the token is not known, has expired, or its issuer is not trusted here")
    return caller


def _issuer(token: str) -> str:
    """What the JWT says of its issuer, before anything is believed; blank when it is none."""
    said = _part(token, 1)
    issuer = said.get("iss")
    return issuer if isinstance(issuer, str) and is_storable(issuer) else ""


def _part(token: str, place: int) -> Mapping[str, Any]:
    text = token.split(".")[place]
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) if len(token) <= LONGEST_TEXT else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _signed(token: str, ehr: Ehr, audiences: tuple[str, ...], now: datetime, request_id: str) -> Caller:
    header = _part(token, 0)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or not isinstance(kid, str) or "crit" in header:
        raise NotTrusted(f"the header needs a kid and an alg of {' or '.join(ALGORITHMS)}")
    if "jku" in header and header["jku"] != ehr.jwks_url:
        raise NotTrusted("jku is not the registered address of its keys")
    client = client_by_row(ehr.connection_id)
    if client is None:
        raise NotTrusted("its connection is gone")
    try:
        key = key_of(replace(client, jwks=ehr.jwks, jwks_url=ehr.jwks_url), kid, algorithm, now)
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
    except NoKey as error:
        raise NotTrusted(str(error)) from error
    except (JoseError, ValueError) as error:
        raise NotTrusted("the signature is not that of its issuer") from error
    _check(claims, ehr, audiences, now)
    return Caller(
        Actor("connection", ehr.connection_id, ehr.name, request_id, ehr.scopes), ehr.scopes, ehr.connection_id
    )


def _check(claims: Mapping[str, Any], ehr: Ehr, audiences: tuple[str, ...], now: datetime) -> None:
    said = claims.get("aud")
    if claims.get("iss") != ehr.issuer:
        raise NotTrusted("iss is another one")
    if not any(one in audiences for one in (said if isinstance(said, list) else [said])):
        raise NotTrusted("aud must be the address of the service that is called")
    expires_at, issued_at = _moment(claims.get("exp")), _moment(claims.get("iat"))
    if expires_at is None or expires_at <= now - SLACK or expires_at > now + LONGEST + SLACK:
        raise NotTrusted("exp must be given, not past, and at most five minutes ahead")
    if issued_at is None or issued_at > now + SLACK:
        raise NotTrusted("iat must be given and not lie ahead")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not is_storable(jti):
        raise NotTrusted("jti must be a text of its own for each call")
    if not spend_token(ehr_id=ehr.row_id, jti=jti, expires_at=expires_at + SLACK, now=now):
        raise NotTrusted("jti was used before")


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        return None
    return datetime.fromtimestamp(value, UTC)
