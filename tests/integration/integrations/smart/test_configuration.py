"""What clients read first, and that browsers of other origins may read it."""

from typing import Any

import pytest
from django.test import Client as Browser

from tests.integration.integrations.smart.clients import RSA, Said, ask, names, public

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration"])
def test_the_configuration_is_open_and_offers_s256_alone(path: str) -> None:
    answer = Browser().get(path, headers={"Accept": "application/json"})
    said = answer.json()
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"
    assert said["code_challenge_methods_supported"] == ["S256"] and said["response_types_supported"] == ["code"]
    assert said["token_endpoint"] == "http://testserver/oauth/token" and said["issuer"] == "http://testserver"
    assert "registration_endpoint" not in said
    for name in ("authorization_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint"):
        assert Browser().get(said[name].removeprefix("http://testserver")).status_code in (200, 302, 405)


def test_the_addresses_follow_the_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = "https://recovery.hospital.example/"
    said = Browser().get("/fhir/.well-known/smart-configuration").json()
    assert said["token_endpoint"] == "https://recovery.hospital.example/oauth/token"


def test_openid_discovery_and_keys_are_open() -> None:
    said = Browser().get("/.well-known/openid-configuration").json()
    assert said["id_token_signing_alg_values_supported"] == ["RS256"]
    key = Browser().get("/oauth/jwks").json()["keys"][0]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig") and "d" not in key


def test_the_capability_statement_names_smart() -> None:
    security = Browser().get("/fhir/metadata").json()["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR" and security["cors"] is True
    ends = {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]}
    assert ends["token"] == "http://testserver/oauth/token"


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("/fhir/metadata", True),
        ("/fhir/Patient", True),
        ("/fhir/.well-known/smart-configuration", True),
        ("/oauth/token", True),
        ("/oauth/jwks", True),
        ("/oauth/authorize", False),
        ("/connections/", False),
        ("/patients/", False),
        ("/fhirish", False),
    ],
)
def test_other_origins_reach_the_doors_of_tokens_and_no_page_of_people(path: str, is_open: bool) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    first = Browser().options(path, headers={**asks, "Access-Control-Request-Headers": "authorization"})
    answer = Browser().get(path, headers={"Origin": "https://app.example"})
    assert (answer.get("Access-Control-Allow-Origin") == "*") is is_open
    assert "Access-Control-Allow-Credentials" not in answer
    assert (first.status_code == 204) is is_open
    if is_open:
        assert (
            "Authorization" in first["Access-Control-Allow-Headers"] and "PUT" in first["Access-Control-Allow-Methods"]
        )
        assert "ETag" in answer["Access-Control-Expose-Headers"]


def registration(**changes: Any) -> Any:
    said = {
        "client_name": "Tester",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": public(RSA),
        "scope": "system/*.rs",
        **changes,
    }
    body = {name: value for name, value in said.items() if value is not None}
    return Browser().post("/oauth/register", body, content_type="application/json")


def test_nobody_registers_themself_unless_that_is_switched_on() -> None:
    assert registration().status_code == 403


def test_where_it_is_switched_on_a_client_that_signs_can_register_itself(settings: Any) -> None:
    settings.SMART_OPEN_REGISTRATION = True
    said = Browser().get("/fhir/.well-known/smart-configuration").json()
    assert said["registration_endpoint"] == "http://testserver/oauth/register"
    made = registration()
    assert made.status_code == 201
    assert ask(Said(made.json()["client_id"]).text()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"grant_types": ["authorization_code"]},
        {"jwks": None},
        {"jwks": {"keys": []}},
        {"jwks": "x"},
        {"jwks_uri": "https://keys.example"},
        {"scope": "user/*.rs"},
        {"scope": 7},
        {"client_name": "a\x00b"},
        {"jwks": {"keys": [{**RSA.as_dict(private=False), "kid": "a\x00"}]}},
        {"jwks": {"keys": [RSA.as_dict(private=True)]}},
    ],
    ids=names,
)
def test_others_cannot(settings: Any, changes: dict[str, Any]) -> None:
    settings.SMART_OPEN_REGISTRATION = True
    answer = registration(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
