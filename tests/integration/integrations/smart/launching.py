"""An app that goes through the consent page, as a browser and the app together do it."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from recovery.models import User
from recovery.services import registration
from recovery.services.registration import Registered, Wanted
from tests.integration.integrations.smart.clients import ACTOR

BACK = "https://app.example/back"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-which-wants-43"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SCOPES = "launch/patient launch openid fhirUser offline_access online_access patient/*.cruds user/*.cruds"


def app(name: str = "Growth chart", scopes: str = SCOPES, **more: Any) -> Registered:
    wanted = Wanted(name, "app", scopes, (BACK,), **{"launch_url": "https://app.example/launch", **more})
    return registration.register(wanted=wanted, actor=ACTOR, now=timezone.now())


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def address(client_id: str, scope: str, **changes: str) -> str:
    said = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": BACK,
        "scope": scope,
        "state": "s-1",
        "aud": "http://testserver/fhir",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"/oauth/authorize?{urlencode({name: value for name, value in said.items() if value})}"


def back(response: HttpResponse) -> dict[str, str]:
    """What the app is told."""
    assert response.status_code == 302, response.content[:600]
    assert response["Location"].startswith(BACK), response["Location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def allow(browser: Browser, where: str, patient: str = "") -> dict[str, str]:
    return back(browser.post(where, {"decision": "allow", "patient": patient}))


def exchange(client_id: str, code: str, **changes: str) -> HttpResponse:
    said = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        **changes,
    }
    return Browser().post("/oauth/token", {name: value for name, value in said.items() if value})


def token_of(user: User, client: Registered, scope: str, patient: str = "", **more: str) -> dict[str, Any]:
    told = allow(browser_of(user), address(client.client_id, scope, **more), patient)
    answer = exchange(client.client_id, told["code"])
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    return said
