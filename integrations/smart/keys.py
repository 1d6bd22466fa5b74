"""Public keys of clients that sign: given with the registration, or fetched from their address and kept for a while."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from recovery.egress import Answer, call, check_url_may_be_called
from recovery.exceptions import RecoveryError
from recovery.selectors.connections import Client

# Keys are asked for again after this time, and sooner when a signature names one that is not known (they rotate).
KEPT_FOR, ASKED_AT_MOST_EVERY = timedelta(minutes=5), timedelta(seconds=10)
SMALLEST_RSA = 2_048
MOST_KEYS = 20


class NoKey(Exception):
    """The client has no such key, or its keys cannot be had; the text says which, for the log of the operator."""


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: KeySet
    at: datetime


_kept: dict[str, _Kept] = {}


def key_of(client: Client, kid: str, algorithm: str, now: datetime) -> Key:
    """The client's key of that name for that algorithm (RS384 or ES384). Raises NoKey."""
    wanted = RSAKey if algorithm.startswith("RS") else ECKey
    found = _find(_keys(client, now), kid, wanted)
    if found is None and client.jwks_url and _may_ask_again(client.jwks_url, now):
        found = _find(_fetched(client.jwks_url, now), kid, wanted)
    if found is None:
        raise NoKey(f"no key {kid[:40]!r} for {algorithm}")
    return found


def _find(keys: KeySet, kid: str, wanted: type[Key]) -> Key | None:
    for key in keys.keys:
        is_strong = not isinstance(key, RSAKey) or key.raw_value.key_size >= SMALLEST_RSA
        if isinstance(key, wanted) and key.kid == kid and is_strong:
            return key
    return None


def _keys(client: Client, now: datetime) -> KeySet:
    if not client.jwks_url:
        return _read(client.jwks)
    kept = _kept.get(client.jwks_url)
    return kept.keys if kept is not None and now - kept.at < KEPT_FOR else _fetched(client.jwks_url, now)


def _may_ask_again(url: str, now: datetime) -> bool:
    kept = _kept.get(url)
    return kept is None or now - kept.at >= ASKED_AT_MOST_EVERY


def _fetched(url: str, now: datetime) -> KeySet:
    hosts = settings.SMART_JWKS_HOSTS
    if hosts and (urlsplit(url).hostname or "") not in hosts:
        raise NoKey("the host of its keys is not in SMART_JWKS_HOSTS")
    try:
        place = check_url_may_be_called(url, allow_loopback=settings.SMART_ALLOW_LOOPBACK)
        keys = _read(_json_of(call(place, method="GET", headers={"Accept": "application/json"})))
    except RecoveryError as error:
        raise NoKey(error.message) from error
    _kept[url] = _Kept(keys, now)
    return keys


def _json_of(answer: Answer) -> Mapping[str, Any]:
    if answer.status != 200:
        raise NoKey(f"its keys' address answered {answer.status}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise NoKey("its keys' address answered no JSON") from None
    return said if isinstance(said, dict) else {}


def _read(jwks: Mapping[str, Any]) -> KeySet:
    """The keys that can be used; others (other kinds, for encryption) are passed over."""
    given = jwks.get("keys")
    keys: list[Key] = []
    for one in given[:MOST_KEYS] if isinstance(given, list) else ():
        if isinstance(one, dict) and one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig":
            try:
                kind = RSAKey if one["kty"] == "RSA" else ECKey
                public = {name: value for name, value in one.items() if name not in ("key_ops", "alg")}
                keys.append(kind.import_key(public))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return KeySet(keys)


def check_keys(jwks: Mapping[str, Any]) -> int:
    """How many keys of a set can be used here."""
    return len(_read(jwks).keys)
