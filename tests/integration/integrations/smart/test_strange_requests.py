"""What no honest client sends is refused in words, on both engines: never an error of ours."""

import base64
import json
from typing import Any

import pytest
from django.test import Client as Browser

from integrations.smart import assertions, keys
from recovery.egress import Answer
from tests.integration.integrations.smart.clients import Said, ask, backend

pytestmark = pytest.mark.django_db
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


def part(said: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def post(path: str, body: bytes, kind: str = FORM, **headers: str) -> Any:
    return Browser(raise_request_exception=True).post(path, body, content_type=kind, headers=headers)


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "x\udfff"])
def test_an_issuer_that_no_database_can_hold_is_nobody(name: str) -> None:
    said = f"{part({'alg': 'RS384', 'kid': 'k'})}.{part({'iss': name, 'sub': name, 'jti': name})}.{part('s')}"
    body = {"grant_type": "client_credentials", "client_assertion_type": assertions.TYPE, "client_assertion": said}
    assert Browser().post("/oauth/token", body).status_code == 401
    call = post("/cds-services/recovery-patient-view", b"{}", "application/json", Authorization=f"Bearer {said}")
    assert call.status_code in (401, 404)


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_a_client_whose_name_has_a_nul_is_nobody(path: str) -> None:
    basic = f"Basic {base64.b64encode(b'a' + bytes(1) + b':b').decode()}"
    assert post(path, b"grant_type=client_credentials&token=x", Authorization=basic).status_code in (400, 401)


@pytest.mark.parametrize("grant", ["urn:ietf:params:oauth:grant-type:device_code", "password", "implicit", ""])
def test_only_the_grants_that_are_offered_are_known(grant: str) -> None:
    answer = Browser().post("/oauth/token", {"grant_type": grant, "device_code": "x", "username": "nurse"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("path", ["/oauth/register", "/oauth/launch", "/oauth/token"])
def test_a_form_in_parts_is_no_json(path: str, settings: Any) -> None:
    settings.SMART_OPEN_REGISTRATION = True
    assert post(path, b"--x\r\n\r\n\r\n--x--", PARTS).status_code in (400, 401)


def test_keys_nested_beyond_reading_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's address answers what it likes: 16 kB of brackets is no error of ours."""
    client = backend(jwks_url="https://keys.example/jwks")
    monkeypatch.setattr(keys, "check_url_may_be_called", lambda *a, **k: None)
    monkeypatch.setattr(keys, "call", lambda *a, **k: Answer(200, {}, b"[" * 16_000))
    assert ask(Said(client.client_id).text()).status_code == 401
