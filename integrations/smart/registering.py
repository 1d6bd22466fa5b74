"""Backend services that register themselves (RFC 7591), where SMART_OPEN_REGISTRATION allows it: on test instances."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from integrations.smart.keys import check_keys
from integrations.smart.scopes import parse
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.services import registration
from recovery.services.registration import Wanted

LONGEST_BODY = 64 * 1024
DEFAULT_SCOPES = "system/*.rs"
Answer = tuple[int, dict[str, Any]]


def register(body: bytes, *, request_id: str, now: datetime) -> Answer:
    """HTTP status and JSON of the answer."""
    if not settings.SMART_OPEN_REGISTRATION:
        return 403, _wrong("access_denied", "Clients are registered by an administrator here.")
    try:
        said = json.loads(body[:LONGEST_BODY])
    except (ValueError, RecursionError):
        return 400, _wrong("invalid_client_metadata", "The body is no JSON.")
    if not isinstance(said, dict):
        return 400, _wrong("invalid_client_metadata", "The body is no JSON object.")
    wrong = _unfit(said)
    if wrong:
        return 400, _wrong("invalid_client_metadata", wrong)
    return _register(said, request_id, now)


def _unfit(said: Mapping[str, Any]) -> str:
    if said.get("token_endpoint_auth_method", "private_key_jwt") != "private_key_jwt":
        return "Only clients that sign (private_key_jwt) can register themselves."
    if said.get("grant_types", ["client_credentials"]) != ["client_credentials"]:
        return "Only backend services (client_credentials) can register themselves."
    jwks, jwks_url = said.get("jwks"), said.get("jwks_uri")
    if not isinstance(jwks, dict | None) or not isinstance(jwks_url, str | None) or bool(jwks) is bool(jwks_url):
        return "Give either jwks or jwks_uri."
    if jwks and not check_keys(jwks):
        return "None of the keys can be used: RSA of 2048 bits or more, or EC P-384."
    scopes = said.get("scope", DEFAULT_SCOPES)
    if not isinstance(scopes, str) or not any(one.context == "system" for one in parse(scopes).held):
        return "A backend service needs system/ scopes."
    return ""


def _register(said: Mapping[str, Any], request_id: str, now: datetime) -> Answer:
    name = f"{str(said.get('client_name') or 'self-registered')[:80]} {secrets.token_hex(4)}"
    scopes = str(said.get("scope", DEFAULT_SCOPES))
    wanted = Wanted(name, "backend", scopes, jwks=said.get("jwks"), jwks_url=said.get("jwks_uri") or "")
    actor = Actor("connection", None, "self-registration", request_id)
    try:
        made = registration.register(wanted=wanted, actor=actor, now=now)
    except RecoveryError as error:
        return 400, _wrong("invalid_client_metadata", error.message)
    told = {name: said[name] for name in ("jwks", "jwks_uri") if said.get(name)}
    return 201, {
        "client_id": made.client_id,
        "client_id_issued_at": int(now.timestamp()),
        "client_name": name,
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": scopes,
        **told,
    }


def _wrong(code: str, sentence: str) -> dict[str, Any]:
    return {"error": code, "error_description": sentence}
