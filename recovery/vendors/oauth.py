"""What is said to a maker: OAuth 2 with an authorization code and PKCE (RFC 6749, 7636), renewal, giving back.

Addresses are those of the settings, called through recovery.egress; no redirect is followed and no token is logged.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from recovery import egress
from recovery.exceptions import Invalid, RecoveryError
from recovery.vendors.providers import Provider

TIMEOUT_S = 4.0
MOST_BYTES = 1024 * 1024
A_PAGE = 1_000
SHORTEST = timedelta(seconds=60)  # an access token that says nothing of its end is renewed so often
_TOKEN = re.compile(r"[\x21-\x7e]+")  # RFC 6749, appendix A.12, without the blank: it goes into a header
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class VendorAway(RecoveryError):
    """The maker does not answer, or not in a way that can be read: to be tried again."""


class VendorRefuses(RecoveryError):
    """The maker says no: the consent was taken back, or the code is good for nothing."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """`grant_until`: when the consent itself ends, where the maker says so; None: not known."""

    access: str
    refresh: str
    access_until: datetime
    grant_until: datetime | None


def address(provider: Provider, *, state: str, verifier: str, back: str) -> str:
    """Where the person is sent to be asked by the maker."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": provider.scopes,
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{provider.authorize_url}{'&' if '?' in provider.authorize_url else '?'}{urlencode(asked)}"


def challenge(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def exchange(provider: Provider, *, code: str, verifier: str, back: str, now: datetime) -> Tokens:
    """The tokens for a code. Raises VendorAway, VendorRefuses."""
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    return _tokens(provider, said, now, "")


def renew(provider: Provider, *, refresh: str, now: datetime) -> Tokens:
    """Raises VendorAway, VendorRefuses."""
    return _tokens(provider, {"grant_type": "refresh_token", "refresh_token": refresh}, now, refresh)


def give_back(provider: Provider, token: str) -> bool:
    """Tell the maker that we want nothing more (RFC 7009); whether it took note. Never raises: ours is gone anyway."""
    if not provider.revoke_url or not token:
        return False
    try:
        answer = _post(provider, provider.revoke_url, {"token": token})
    except VendorAway:
        return False
    return answer.status == 200


def ask(provider: Provider, *, access: str, since: datetime) -> Mapping[str, Any]:
    """What reached the maker from `since` on. Raises VendorAway, VendorRefuses (401, 403)."""
    query = urlencode({"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "limit": A_PAGE})
    url = f"{provider.readings_url}{'&' if '?' in provider.readings_url else '?'}{query}"
    headers = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
    answer = _call(url, "GET", b"", headers)
    if answer.status in (401, 403):
        raise VendorRefuses("The maker does not let us ask any more.")
    return _json(answer)


def _tokens(provider: Provider, said: dict[str, str], now: datetime, held: str) -> Tokens:
    """`held`: the refresh token that stays good where the maker names no new one."""
    answer = _post(provider, provider.token_url, said)
    if answer.status in (400, 401, 403):
        raise VendorRefuses("The maker says that this is not good any more.")
    found = _json(answer)
    access, lasts = found.get("access_token"), found.get("expires_in")
    if (
        not isinstance(access, str)
        or not _TOKEN.fullmatch(access)
        or str(found.get("token_type", "")).lower() != "bearer"
    ):
        raise VendorAway("The maker's answer cannot be read.")
    grant = found.get("refresh_expires_in")
    return Tokens(
        access,
        str(found.get("refresh_token") or held),
        now + (_span(lasts) or SHORTEST),
        now + length if (length := _span(grant)) else None,
    )


def _span(seconds: object) -> timedelta | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return timedelta(seconds=seconds) if 0 < seconds < 10**9 else None


def _post(provider: Provider, url: str, said: dict[str, str]) -> egress.Answer:
    who = {"client_id": provider.client_id}
    if provider.client_secret:
        who["client_secret"] = provider.client_secret
    return _call(url, "POST", urlencode({**said, **who}).encode(), FORM)


def _call(url: str, method: str, body: bytes, headers: Mapping[str, str]) -> egress.Answer:
    try:
        where = egress.check_url_may_be_called(url, allow_loopback=settings.EMBEDDED)
        return egress.call(where, method=method, body=body, headers=headers, timeout=TIMEOUT_S, most=MOST_BYTES)
    except (Invalid, egress.CallFailed) as error:
        raise VendorAway(error.message) from error


def _json(answer: egress.Answer) -> Mapping[str, Any]:
    if answer.status != 200:
        raise VendorAway(f"The maker answered {answer.status}.")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise VendorAway("The maker's answer cannot be read.") from error
    if not isinstance(found, dict):
        raise VendorAway("The maker's answer cannot be read.")
    return found
