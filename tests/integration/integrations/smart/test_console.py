"""The registration console: administrators only, secrets shown once, every fault said at its field."""

import json
import re

import pytest
from django.test import Client as Browser
from django.urls import reverse

from recovery.models import AuditEvent, Connection
from tests.integration.integrations.smart.clients import RSA, Said, ask, backend, names, public
from tests.integration.integrations.smart.launching import BACK, app, browser_of
from tests.people import Ward, make_ward

pytestmark = pytest.mark.django_db
APP = {
    "kind": "app",
    "name": "Growth chart",
    "scopes": "launch/patient patient/*.rs",
    "redirect_uris": BACK,
    "shows": "public",
}


@pytest.fixture
def ward() -> Ward:
    return make_ward()


@pytest.fixture
def office(ward: Ward) -> Browser:
    return browser_of(ward.administrator)


def secret_in(text: str) -> str:
    found = re.search(r'class="secret" tabindex="0">([^<]+)<', text)
    return found.group(1) if found else ""


@pytest.mark.parametrize("who", ["own", "other", "patient", "former"])
def test_the_console_is_for_administrators(ward: Ward, who: str) -> None:
    client = backend()
    browser = browser_of(getattr(ward, who))
    for name, arguments in (("connections", []), ("connection_new", []), ("connection", [client.row_id])):
        assert browser.get(reverse(name, args=arguments)).status_code == 403
    for name in ("connection_rotate", "connection_keys", "connection_revoke"):
        assert browser.post(reverse(name, args=[client.row_id])).status_code == 403
    assert browser.post(reverse("connection_new"), APP).status_code == 403
    assert Connection.objects.count() == 1 and Connection.objects.get().revoked_at is None


def test_a_stranger_is_sent_to_sign_in(ward: Ward) -> None:
    for name in ("connections", "connection_new", "my_apps"):
        assert Browser().get(reverse(name))["Location"].startswith("/login/")


def test_an_empty_console_says_what_to_do_first(office: Browser) -> None:
    assert "Nothing is connected yet" in office.get("/connections/").content.decode()


def test_an_app_is_registered_and_its_scopes_are_said_in_words(office: Browser) -> None:
    page = office.post("/connections/new/", APP)
    assert page.status_code == 201
    text = page.content.decode()
    assert "Read and search all records of the one patient it is opened for" in text and not secret_in(text)
    assert "Growth chart" in office.get("/connections/").content.decode()
    assert AuditEvent.objects.filter(action="register_connection", actor_name="administrator").exists()


def test_a_secret_is_shown_once_and_a_new_one_ends_it(office: Browser) -> None:
    text = office.post("/connections/new/", {**APP, "shows": "secret"}).content.decode()
    row = Connection.objects.get()
    first = secret_in(text)
    assert len(first) > 40 and first not in office.get(f"/connections/{row.pk}/").content.decode()
    second = secret_in(office.post(f"/connections/{row.pk}/rotate/").content.decode())
    assert second and second != first


def test_a_fixed_token_is_shown_once_works_and_can_be_turned_over(office: Browser) -> None:
    text = office.post("/connections/new/", {"kind": "token", "name": "Pump", "scopes": "system/*.rs"}).content.decode()
    token, row = secret_in(text), Connection.objects.get()

    def opens(said: str) -> bool:
        return Browser().get("/fhir/Patient", headers={"Authorization": f"Bearer {said}"}).status_code == 200

    assert opens(token)
    other = secret_in(office.post(f"/connections/{row.pk}/rotate/").content.decode())
    assert opens(other) and not opens(token)
    office.post(f"/connections/{row.pk}/revoke/")
    assert not opens(other)


def test_a_second_of_the_same_name_takes_nothing_from_the_first(office: Browser) -> None:
    said = {"kind": "token", "name": "Pump", "scopes": "system/*.rs"}
    office.post("/connections/new/", said)
    held = Connection.objects.get().token_hash
    page = office.post("/connections/new/", said)
    assert page.status_code == 400 and "already" in page.content.decode()
    assert Connection.objects.get().token_hash == held


def test_a_backend_service_is_registered_with_its_keys_which_can_be_changed(office: Browser) -> None:
    said = {"kind": "backend", "name": "Registry", "scopes": "system/*.rs", "jwks": json.dumps(public(RSA))}
    assert office.post("/connections/new/", said).status_code == 201
    row = Connection.objects.get()
    assert row.application is not None
    assert ask(Said(row.application.client_id).text()).status_code == 200
    assert office.post(f"/connections/{row.pk}/keys/", {"jwks_url": "https://keys.example/jwks"}).status_code == 302
    row.refresh_from_db()
    assert row.jwks == {} and row.jwks_url == "https://keys.example/jwks"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"scopes": "everything"}, "is no scope"),
        ({"scopes": "system/*.rs"}, "never system/"),
        ({"redirect_uris": ""}, "at least one redirect address"),
        ({"redirect_uris": "http://app.example/back"}, "must begin with https://"),
        ({"redirect_uris": "https://*.example/back"}, "without a fragment or a wildcard"),
        ({"redirect_uris": "javascript:alert(1)"}, "must begin with https://"),
        ({"launch_url": "app.example"}, "must begin with https://"),
        ({"kind": "backend"}, "needs system/ scopes"),
        ({"kind": "backend", "scopes": "system/*.rs"}, "public keys"),
        ({"shows": "keys"}, "public keys"),
        ({"shows": "keys", "jwks": "{"}, "no JSON"),
        ({"shows": "keys", "jwks": "{}"}, "No key in it can be used"),
        ({"shows": "keys", "jwks": "[]"}, "No key in it can be used"),
        ({"shows": "keys", "jwks": json.dumps({"keys": [RSA.as_dict(private=True)]})}, "private keys"),
        ({"kind": "other"}, "Nothing is registered yet"),
        ({"days": "0"}, "greater than or equal to 1"),
    ],
    ids=names,
)
def test_what_cannot_be_registered_is_said_and_nothing_is_kept(
    office: Browser, changes: dict[str, str], said: str
) -> None:
    page = office.post("/connections/new/", {**APP, **changes})
    assert page.status_code == 400 and said in page.content.decode().replace("&#x27;", "'")
    assert not Connection.objects.exists()


def test_there_is_no_page_of_what_is_not_there(office: Browser) -> None:
    assert office.get("/connections/999/").status_code == 404
    assert office.post("/connections/999/revoke/").status_code == 404


def test_a_revoked_app_is_told_as_such_and_offers_nothing_more(office: Browser) -> None:
    client = app()
    assert office.post(f"/connections/{client.row_id}/revoke/").status_code == 302
    assert "Revoked (1)" in office.get("/connections/").content.decode()
    assert "Change or end it" not in office.get(f"/connections/{client.row_id}/").content.decode()
