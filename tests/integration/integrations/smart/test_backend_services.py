"""SMART Backend Services: who signs well gets a token of five minutes, once; nobody else gets anything."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc.jwk import ECKey, RSAKey

from integrations.smart import keys
from recovery.egress import Answer
from recovery.models import AuditEvent, Connection
from recovery.services import registration
from tests.integration.integrations.smart.clients import ACTOR, EC, RSA, TOKEN, Said, ask, backend, names, public

pytestmark = pytest.mark.django_db
# Cases are made when the tests are collected, which in a run of the whole suite may be an hour before they are tried.
COLLECTED = int(time.time())
A_DAY = 86_400


def fhir(token: str, path: str = "Patient") -> int:
    return Browser().get(f"/fhir/{path}", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (EC, "ES384")])
def test_who_signs_gets_a_token_for_five_minutes_that_opens_the_fhir_door(key: Any, algorithm: str) -> None:
    client = backend()
    answer = ask(Said(client.client_id, key, algorithm).text())
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["token_type"].lower(), said["expires_in"], said["scope"]) == ("bearer", 300, "system/*.rs")
    assert "refresh_token" not in said and answer["Cache-Control"] == "no-store"
    assert fhir(said["access_token"]) == 200
    assert (
        Browser().post("/fhir/Patient", headers={"Authorization": f"Bearer {said['access_token']}"}).status_code == 403
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/token"},
        {"aud": None},
        {"exp": COLLECTED - 60},
        {"exp": COLLECTED + A_DAY},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"jti": None},
        {"jti": 7},
        {"jti": "x" * 501},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"nbf": COLLECTED + A_DAY},
        {"iat": COLLECTED + A_DAY},
    ],
    ids=names,
)
def test_an_assertion_that_says_something_wrong_is_refused(changes: dict[str, Any]) -> None:
    answer = ask(Said(backend().client_id).text(**changes))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({"key": RSA, "algorithm": "RS256"}, {}),
        ({"key": RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)}, {}),
        ({"key": ECKey.generate_key("P-384", {"kid": "ec-1"}, private=True), "algorithm": "ES384"}, {}),
        ({}, {"kid": "unknown"}),
        ({}, {"kid": None}),
        ({}, {"jku": "https://elsewhere.example/keys"}),
    ],
    ids=["RS256", "another RSA key", "another EC key", "unknown kid", "no kid", "strange jku"],
)
def test_an_assertion_signed_otherwise_is_refused(said: dict[str, Any], header: dict[str, Any]) -> None:
    client = backend()
    assert ask(Said(client.client_id, **said).text(header)).status_code == 401


@pytest.mark.parametrize("text", ["", "a.b.c", "x", "..", "e30.e30.e30", "W10.W10.e30", "a" * 9000])
def test_what_is_no_assertion_is_refused(text: str) -> None:
    backend()
    assert ask(text).status_code in (400, 401)


def test_an_unsigned_assertion_is_refused() -> None:
    head, claims, _ = Said(backend().client_id).text().split(".")
    assert ask(f"eyJhbGciOiJub25lIiwia2lkIjoicnNhLTEifQ.{claims}.").status_code == 401
    assert ask(f"{head}.{claims}.AAAA").status_code == 401


def test_an_assertion_is_good_once() -> None:
    text = Said(backend().client_id).text()
    assert [ask(text).status_code, ask(text).status_code] == [200, 401]


def test_two_clients_may_use_the_same_jti() -> None:
    one, other = backend(), backend(name="other")
    assert ask(Said(one.client_id).text(jti="1")).status_code == 200
    assert ask(Said(other.client_id).text(jti="1")).status_code == 200


def test_scopes_are_cut_to_what_the_client_is_registered_for() -> None:
    client = backend("system/Observation.rs?category=vital-signs system/Patient.r")
    said = ask(Said(client.client_id).text(), "system/*.cruds patient/*.rs openid").json()
    assert set(said["scope"].split()) == {"system/Observation.rs?category=vital-signs", "system/Patient.r"}


def test_a_client_that_asks_for_nothing_it_may_have_gets_no_token() -> None:
    client = backend("system/Patient.r")
    answer = ask(Said(client.client_id).text(), "system/Observation.rs")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_revoked_client_and_its_tokens_are_closed_at_once() -> None:
    client = backend()
    token = ask(Said(client.client_id).text()).json()["access_token"]
    registration.revoke(row_id=client.row_id, actor=ACTOR, now=timezone.now())
    assert fhir(token) == 401
    assert ask(Said(client.client_id).text()).status_code == 401


def test_a_client_past_its_end_is_closed() -> None:
    client = backend()
    token = ask(Said(client.client_id).text()).json()["access_token"]
    Connection.objects.filter(pk=client.row_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert fhir(token) == 401
    assert ask(Said(client.client_id).text()).status_code == 401


def test_a_backend_service_cannot_come_with_a_secret() -> None:
    client = backend()
    body = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_id": client.client_id}
    assert Browser().post("/oauth/token", {**body, "client_secret": "guess"}).status_code == 401
    assert Browser().post("/oauth/token", body).status_code == 401


def test_keys_at_an_address_are_fetched_once_and_again_when_they_have_changed(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SMART_ALLOW_LOOPBACK = True
    served, asked = [public(RSA)], []

    def answer(*args: Any, **kwargs: Any) -> Answer:
        import json

        asked.append(args)
        return Answer(200, {}, json.dumps(served[0]).encode())

    monkeypatch.setattr(keys, "call", answer)
    monkeypatch.setattr(keys, "_kept", {})
    client = backend(jwks_url="http://127.0.0.1:9/keys")
    assert ask(Said(client.client_id).text()).status_code == 200
    assert ask(Said(client.client_id).text()).status_code == 200
    assert len(asked) == 1
    served[0] = public(EC)
    monkeypatch.setattr(keys, "ASKED_AT_MOST_EVERY", timedelta(0))
    assert ask(Said(client.client_id, EC, "ES384").text()).status_code == 200
    assert ask(Said(client.client_id).text()).status_code == 401


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/keys", "https://10.0.0.1/keys", "http://example.org/keys"])
def test_keys_are_not_fetched_from_inside_the_house(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: Any, **kwargs: Any) -> Answer:
        raise AssertionError("a call left the house")

    monkeypatch.setattr(keys, "call", nobody)
    client = backend(jwks_url=address)
    assert ask(Said(client.client_id).text()).status_code == 401


def test_keys_come_from_named_hosts_only_where_hosts_are_named(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMART_JWKS_HOSTS = ["keys.hospital.example"]
    monkeypatch.setattr(keys, "call", lambda *args, **kwargs: pytest.fail("a call left the house"))
    client = backend(jwks_url="https://8.8.8.8/keys")
    assert ask(Said(client.client_id).text()).status_code == 401


def test_each_token_asked_for_is_in_the_trail_and_no_token_is() -> None:
    client = backend()
    text = Said(client.client_id).text()
    token = ask(text).json()["access_token"]
    ask(text)
    rows = list(AuditEvent.objects.filter(action="token").order_by("pk"))
    assert [row.outcome for row in rows] == ["success", "denied"]
    assert rows[0].actor_name == "backend"
    assert token not in str([row.detail for row in rows]) and text not in str([row.detail for row in rows])


def test_assertions_for_a_changed_address_are_refused(settings: Any) -> None:
    settings.PUBLIC_URL = "https://recovery.hospital.example"
    client = backend()
    assert ask(Said(client.client_id).text(aud=TOKEN)).status_code == 401
    assert ask(Said(client.client_id).text(aud="https://recovery.hospital.example/oauth/token")).status_code == 200


def test_a_constraint_with_a_blank_in_it_gives_no_more_than_was_registered() -> None:
    client = backend("system/Observation.rs")
    answer = ask(Said(client.client_id).text(), "system/Observation.cruds?code=x%20system/*.cruds%20z")
    token = answer.json()["access_token"]
    assert (fhir(token), fhir(token, "Observation")) == (403, 200)
