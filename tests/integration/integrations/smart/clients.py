"""Clients of the authorization server, as its tests need them: keys, assertions, registrations."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from integrations.smart import assertions
from recovery.audit import Actor
from recovery.services import registration
from recovery.services.registration import Registered, Wanted

ACTOR = Actor.system("test")
TOKEN = "http://testserver/oauth/token"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"}, private=True)


def public(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def backend(scopes: str = "system/*.cruds", name: str = "backend", **more: Any) -> Registered:
    keys = {} if "jwks_url" in more else {"jwks": public(RSA, EC)}
    wanted = Wanted(name, "backend", scopes, **{**keys, **more})
    return registration.register(wanted=wanted, actor=ACTOR, now=timezone.now())


@dataclass(frozen=True)
class Said:
    """An assertion as a test wants it: `changes` to its claims (None leaves one out), `header` to its header."""

    client_id: str
    key: Key = field(default_factory=lambda: RSA)
    algorithm: str = "RS384"

    def text(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": TOKEN, "exp": now + 240, "jti": str(uuid4())}
        said = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        head = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT", **(header or {})}
        return jwt.encode({k: v for k, v in head.items() if v is not None}, said, self.key, algorithms=[head["alg"]])


def ask(assertion: str, scope: str = "system/*.rs", **more: str) -> HttpResponse:
    body = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": assertions.TYPE,
        "client_assertion": assertion,
        **more,
    }
    return Browser().post("/oauth/token", {name: value for name, value in body.items() if value})


def names(value: Any) -> str | None:
    """A test's id from what it changes: keys and times differ from process to process, so they cannot be in it."""
    return ",".join(value) or "nothing" if isinstance(value, dict) else None
