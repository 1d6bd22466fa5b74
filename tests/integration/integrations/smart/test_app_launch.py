"""SMART App Launch: standalone and from a launch, PKCE S256, exact addresses, refresh, withdrawal, id_token."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from recovery.audit import Actor
from recovery.models import AuditEvent, Authorization, Patient, TeamMembership
from recovery.services import authorizations, invites, registration, staff
from tests.integration.integrations.smart.clients import ACTOR, RSA, Said, names, public
from tests.integration.integrations.smart.launching import (
    BACK,
    address,
    allow,
    app,
    back,
    browser_of,
    exchange,
    token_of,
)
from tests.people import Ward, make_ward

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward() -> Ward:
    return make_ward()


def fhir(token: str, path: str) -> Any:
    return Browser().get(f"/fhir/{path}", headers={"Authorization": f"Bearer {token}"})


def test_a_standalone_launch_picks_a_patient_and_opens_that_patient_only(ward: Ward) -> None:
    client, mine = app(), ward.episode.patient.fhir_id
    said = token_of(ward.own, client, "launch/patient patient/*.rs", mine)
    assert (said["patient"], said["need_patient_banner"], said["expires_in"]) == (mine, True, 3600)
    assert "refresh_token" not in said and "id_token" not in said
    assert fhir(said["access_token"], f"Patient/{mine}").status_code == 200
    assert fhir(said["access_token"], "Patient?_total=accurate").json()["total"] == 1


def test_the_page_says_each_scope_in_words_and_names_the_patients_one_may_choose(ward: Ward) -> None:
    where = address(app().client_id, "launch/patient patient/Observation.rs?category=vital-signs patient/Task.c")
    page = browser_of(ward.own).get(where)
    text = page.content.decode()
    assert "only where category is vital-signs" in text
    assert "Add tasks of the one patient it is opened for" in text
    assert ward.episode.patient.fhir_id in text
    assert "https://app.example" in page["Content-Security-Policy"]


def test_a_patient_need_not_choose_and_gets_only_themself(ward: Ward) -> None:
    client, mine = app(), ward.episode.patient.fhir_id
    said = token_of(ward.patient, client, "launch/patient patient/*.rs")
    assert said["patient"] == mine
    assert fhir(said["access_token"], "RiskAssessment").status_code == 403


def test_a_patient_of_another_team_cannot_be_chosen(ward: Ward) -> None:
    client = app()
    where = address(client.client_id, "launch/patient patient/*.rs")
    assert back(browser_of(ward.other).get(where))["error"] == "access_denied"
    told = back(browser_of(ward.own).post(where, {"decision": "allow", "patient": "somebody-else"}))
    assert told["error"] == "access_denied" and not Authorization.objects.exists() and not Grant.objects.exists()


def test_who_does_not_allow_it_gives_nothing(ward: Ward) -> None:
    told = back(browser_of(ward.own).post(address(app().client_id, "patient/*.rs"), {"decision": "deny"}))
    assert (told["error"], told["state"]) == ("access_denied", "s-1")


def test_nobody_is_asked_before_signing_in(ward: Ward) -> None:
    answer = Browser().get(address(app().client_id, "patient/*.rs"))
    assert answer.status_code == 302 and answer["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": ""}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"nonce": "x" * 256, "scope": "openid patient/*.rs"}, "invalid_request"),
        ({"scope": f"patient/Observation.rs?code={'x' * 2_000}"}, "invalid_request"),
        ({"scope": "system/*.cruds"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"scope": "launch patient/*.rs", "launch": "made-up"}, "invalid_request"),
        ({"scope": "openid patient/*.rs", "prompt": "none"}, "login_required"),
    ],
    ids=names,
)
def test_a_request_that_is_wrong_is_told_to_the_app(ward: Ward, changes: dict[str, str], error: str) -> None:
    where = address(app().client_id, **{"scope": "patient/*.rs", **changes})
    told = back(browser_of(ward.own).get(where))
    assert (told["error"], told.get("state"), told["iss"]) == (error, "s-1", "http://testserver")


@pytest.mark.parametrize(
    "address_back",
    [f"{BACK}/", f"{BACK}?x=1", "https://app.example/", "https://evil.example/back", "javascript:alert(1)", ""],
)
def test_nothing_is_told_to_an_address_that_is_not_registered_to_the_letter(ward: Ward, address_back: str) -> None:
    client = app()
    if not address_back:
        return  # the only registered one is meant then (RFC 6749 section 3.1.2.3)
    answer = browser_of(ward.own).get(address(client.client_id, "patient/*.rs", redirect_uri=address_back))
    assert answer.status_code == 400 and "Location" not in answer


@pytest.mark.parametrize("name", ["state", "nonce", "scope", "launch", "aud", "redirect_uri", "code_challenge"])
def test_a_nul_is_answered_and_kept_nowhere(ward: Ward, name: str) -> None:
    where = address(app().client_id, **{"scope": "openid patient/*.rs", name: "a\x00b"})
    assert browser_of(ward.own).get(where).status_code == 400
    said = {"grant_type": "authorization_code", "code": "a\x00", "client_id": "a\x00", "token": "\x00"}
    for door in ("token", "introspect", "revoke"):
        assert Browser().post(f"/oauth/{door}", said).status_code == 400


def test_an_unknown_or_revoked_client_is_told_nothing(ward: Ward) -> None:
    client = app()
    registration.revoke(row_id=client.row_id, actor=ACTOR, now=timezone.now())
    for name in (client.client_id, "nobody", "a\x00b"):
        answer = browser_of(ward.own).get(address(name, "patient/*.rs"))
        assert answer.status_code == 400 and "Location" not in answer


def test_a_code_needs_its_verifier_its_client_and_its_address(ward: Ward) -> None:
    client, other = app(), app("Other")
    for changes in ({"code_verifier": "x" * 43}, {"code_verifier": ""}, {"client_id": other.client_id}):
        told = allow(browser_of(ward.own), address(client.client_id, "user/*.rs"))
        answer = exchange(**{"client_id": client.client_id, "code": told["code"], **changes})
        assert answer.status_code in (400, 401), changes
    told = allow(browser_of(ward.own), address(client.client_id, "user/*.rs"))
    assert exchange(client.client_id, told["code"], redirect_uri="https://app.example/").status_code == 400


def test_a_code_that_comes_twice_takes_back_what_it_gave(ward: Ward) -> None:
    client = app()
    told = allow(browser_of(ward.own), address(client.client_id, "user/*.rs offline_access"))
    first = exchange(client.client_id, told["code"]).json()
    assert exchange(client.client_id, told["code"]).status_code == 400
    assert fhir(first["access_token"], "Patient").status_code == 401
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": client.client_id}
    assert Browser().post("/oauth/token", again).status_code == 400


def refresh(client_id: str, token: str) -> Any:
    said = {"grant_type": "refresh_token", "refresh_token": token} | ({"client_id": client_id} if client_id else {})
    return Browser().post("/oauth/token", said)


def test_a_refresh_keeps_the_launch_and_turns_the_token_over(ward: Ward) -> None:
    client, mine = app(), ward.episode.patient.fhir_id
    first = token_of(ward.own, client, "launch/patient patient/*.rs offline_access", mine)
    second = refresh(client.client_id, first["refresh_token"]).json()
    assert second["patient"] == mine and second["refresh_token"] != first["refresh_token"]
    assert fhir(second["access_token"], f"Patient/{mine}").status_code == 200
    assert fhir(first["access_token"], f"Patient/{mine}").status_code == 401


def test_a_public_app_need_not_say_who_it_is_to_refresh_and_a_confidential_one_must(ward: Ward) -> None:
    said = token_of(ward.own, app(), "user/*.rs offline_access")
    assert refresh("", said["refresh_token"]).status_code == 200
    client = app("With a secret", has_secret=True)
    told = allow(browser_of(ward.own), address(client.client_id, "user/*.rs offline_access"))
    other = exchange(client.client_id, told["code"], client_secret=client.secret).json()
    assert refresh("", other["refresh_token"]).status_code == 401
    assert refresh(client.client_id, other["refresh_token"]).status_code == 401
    assert refresh("", "made-up").status_code in (400, 401)


def test_a_refresh_token_that_comes_twice_ends_the_family(ward: Ward) -> None:
    client = app()
    first = token_of(ward.own, client, "user/*.rs offline_access")
    second = refresh(client.client_id, first["refresh_token"]).json()
    assert refresh(client.client_id, first["refresh_token"]).status_code == 400
    assert refresh(client.client_id, second["refresh_token"]).status_code == 400


def test_no_token_and_no_secret_is_kept_as_it_is(ward: Ward) -> None:
    said = token_of(ward.own, app(), "user/*.rs offline_access")
    kept = str(list(AccessToken.objects.values())) + str(list(RefreshToken.objects.values()))
    assert said["access_token"] not in kept and said["refresh_token"] not in kept


def test_what_a_person_takes_back_ends_at_once(ward: Ward) -> None:
    client = app()
    said = token_of(ward.own, client, "user/*.rs offline_access")
    browser = browser_of(ward.own)
    assert "Growth chart" in browser.get("/apps/").content.decode()
    assert browser_of(ward.other).post(f"/apps/{client.row_id}/end/").status_code == 302
    assert fhir(said["access_token"], "Patient").status_code == 200
    browser.post(f"/apps/{client.row_id}/end/")
    assert fhir(said["access_token"], "Patient").status_code == 401
    assert refresh(client.client_id, said["refresh_token"]).status_code == 400


@pytest.mark.parametrize("how", ["a new link", "deactivated and back", "the patient's new password"])
def test_a_way_in_made_anew_ends_what_apps_had_by_the_old_one(ward: Ward, how: str) -> None:
    """Whoever got hold of an account may have allowed an app for ninety days: that ends with the rest."""
    person = ward.patient if how.startswith("the patient") else ward.own
    client, now = app(), timezone.now()
    said = token_of(person, client, "user/*.rs offline_access")
    assert fhir(said["access_token"], "Patient").status_code == 200
    chief = {"person_id": person.pk, "user": ward.administrator, "actor": ACTOR, "now": now}
    if how == "a new link":
        staff.send_new_link(**chief)
    elif person == ward.own:
        staff.set_active(is_active=False, **chief)
        staff.set_active(is_active=True, **chief)
    else:
        Patient.objects.filter(user=person).update(birth_date=date(1950, 5, 4))
        mine = {"patient_id": ward.episode.patient_id, "channel": "print"}
        _, code = invites.invite(**mine, actor=ACTOR, now=now)
        opened = invites.open_invite(code=code, birth_date=date(1950, 5, 4), source="x", actor=ACTOR, now=now)
        invites.accept(key=str(opened.key), username="", password="three-plain-words", actor=ACTOR, now=now)
    assert fhir(said["access_token"], "Patient").status_code == 401
    assert refresh(client.client_id, said["refresh_token"]).status_code == 400


def test_an_app_can_give_its_token_back_and_no_other_app_can(ward: Ward) -> None:
    client, other = app(), app("Other")
    said = token_of(ward.own, client, "user/*.rs offline_access")
    body = {"token": said["access_token"]}
    Browser().post("/oauth/revoke", {**body, "client_id": other.client_id})
    assert fhir(said["access_token"], "Patient").status_code == 200
    assert Browser().post("/oauth/revoke", {**body, "client_id": client.client_id}).status_code == 200
    assert fhir(said["access_token"], "Patient").status_code == 401


def test_who_leaves_the_team_takes_the_apps_sight_along(ward: Ward) -> None:
    mine = ward.episode.patient.fhir_id
    said = token_of(ward.own, app(), "launch/patient patient/*.rs user/*.rs", mine)
    TeamMembership.objects.filter(user=ward.own).update(until=timezone.now() - timedelta(seconds=1))
    assert fhir(said["access_token"], f"Patient/{mine}").status_code == 403
    ward.own.is_active = False
    ward.own.save()
    assert fhir(said["access_token"], f"Patient/{mine}").status_code == 401


def test_online_access_ends_when_the_person_signs_out_and_offline_access_does_not(ward: Ward) -> None:
    client, browser = app(), browser_of(ward.own)
    given = {}
    for kind in ("online_access", "offline_access"):
        told = allow(browser, address(client.client_id, f"user/*.rs {kind}"))
        given[kind] = exchange(client.client_id, told["code"]).json()
    browser.post("/logout/")
    assert fhir(given["online_access"]["access_token"], "Patient").status_code == 401
    assert refresh(client.client_id, given["online_access"]["refresh_token"]).status_code == 400
    assert refresh(client.client_id, given["offline_access"]["refresh_token"]).status_code == 200


def test_online_access_outlasts_no_session(ward: Ward, settings: Any) -> None:
    said = token_of(ward.own, client := app(), "user/*.rs online_access")
    Authorization.objects.update(created_at=timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    assert refresh(client.client_id, said["refresh_token"]).status_code == 400


def test_what_nobody_can_use_any_more_is_forgotten(ward: Ward) -> None:
    client = app()
    said = token_of(ward.own, client, "user/*.rs offline_access")
    authorizations.forget_expired(now=timezone.now())
    assert fhir(said["access_token"], "Patient").status_code == 200
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=100))
    authorizations.forget_expired(now=timezone.now())
    assert refresh(client.client_id, said["refresh_token"]).status_code == 400


def test_a_launch_carries_its_patient_once_for_one_person_and_one_app(ward: Ward) -> None:
    client, other = app(), app("Other")
    mine = ward.episode.patient.fhir_id
    said = {"connection_id": client.row_id, "patient": mine, "encounter": "e-1", "actor": Actor.system("test")}
    handle = authorizations.open_launch(**said, user=ward.own, now=timezone.now())
    scope = "launch patient/*.rs"
    assert "error" in back(browser_of(ward.own).get(address(other.client_id, scope, launch=handle)))
    assert "error" in back(browser_of(ward.other).get(address(client.client_id, scope, launch=handle)))
    answer = token_of(ward.own, client, scope, launch=handle)
    assert (answer["patient"], answer["encounter"], answer["need_patient_banner"]) == (mine, "e-1", False)
    assert "error" in back(browser_of(ward.own).get(address(client.client_id, scope, launch=handle)))
    late = authorizations.open_launch(**said, user=None, now=timezone.now() - timedelta(minutes=6))
    assert "error" in back(browser_of(ward.own).get(address(client.client_id, scope, launch=late)))


def test_an_app_opened_again_from_a_patients_page_does_not_ask_again(ward: Ward) -> None:
    client, mine = app(), ward.episode.patient.fhir_id

    def handle() -> str:
        return authorizations.open_launch(
            connection_id=client.row_id, patient=mine, encounter="", user=ward.own, actor=ACTOR, now=timezone.now()
        )

    token_of(ward.own, client, "launch patient/*.rs", launch=handle())
    again = browser_of(ward.own).get(address(client.client_id, "launch patient/*.rs", launch=handle()))
    assert "code" in back(again)
    more = browser_of(ward.own).get(address(client.client_id, "launch patient/*.cruds", launch=handle()))
    assert more.status_code == 200


def test_the_id_token_says_who_signed_in_and_is_checked_by_our_published_keys(ward: Ward) -> None:
    client = app()
    said = token_of(ward.own, client, "openid fhirUser user/*.rs", nonce="n-1")
    keys = KeySet.import_key_set(Browser().get("/oauth/jwks").json())
    token = jwt.decode(said["id_token"], keys, algorithms=["RS256"])
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("http://testserver", client.client_id, "n-1")
    assert claims["fhirUser"] == said["fhirUser"] == f"http://testserver/fhir/Practitioner/user-{ward.own.pk}"
    assert fhir(said["access_token"], f"Practitioner/user-{ward.own.pk}").status_code == 200
    mine = token_of(ward.patient, client, "openid fhirUser patient/*.rs")
    assert mine["fhirUser"] == f"http://testserver/fhir/Patient/{ward.episode.patient.fhir_id}"


def test_a_confidential_app_must_show_its_secret_or_sign(ward: Ward) -> None:
    with_secret, signs = app(has_secret=True), app("Signs", jwks=public(RSA))
    told = allow(browser_of(ward.own), address(with_secret.client_id, "user/*.rs"))
    assert exchange(with_secret.client_id, told["code"]).status_code == 401
    assert exchange(with_secret.client_id, told["code"], client_secret="guess").status_code == 401
    assert exchange(with_secret.client_id, told["code"], client_secret=with_secret.secret).status_code == 200
    told = allow(browser_of(ward.own), address(signs.client_id, "user/*.rs"))
    assert exchange(signs.client_id, told["code"]).status_code == 401
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    shown = {"client_assertion": Said(signs.client_id).text(), "client_assertion_type": kind}
    assert exchange(signs.client_id, told["code"], **shown).status_code == 200


def test_an_app_cannot_come_as_a_backend_service(ward: Ward) -> None:
    client = app(has_secret=True)
    said = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.secret}
    answer = Browser().post("/oauth/token", {**said, "scope": "user/*.rs"})
    assert answer.status_code == 400


def test_introspection_tells_a_client_about_its_own_tokens_only(ward: Ward) -> None:
    client, other = app(has_secret=True), app("Other", has_secret=True)
    mine = ward.episode.patient.fhir_id
    told = allow(browser_of(ward.own), address(client.client_id, "launch/patient patient/*.rs"), mine)
    token = exchange(client.client_id, told["code"], client_secret=client.secret).json()["access_token"]

    def ask(who: Any) -> Any:
        body = {"token": token, "client_id": who.client_id, "client_secret": who.secret}
        return Browser().post("/oauth/introspect", body)

    said = ask(client).json()
    assert said["active"] and said["patient"] == mine and said["client_id"] == client.client_id
    assert ask(other).json() == {"active": False}
    assert Browser().post("/oauth/introspect", {"token": token}).status_code == 401


def test_what_was_allowed_and_used_is_in_the_trail_under_both_names(ward: Ward) -> None:
    mine = ward.episode.patient.fhir_id
    said = token_of(ward.own, app(), "launch/patient patient/*.rs", mine)
    fhir(said["access_token"], f"Patient/{mine}")
    assert AuditEvent.objects.filter(action="allow_app", actor_name="own", patient=ward.episode.patient).exists()
    assert AuditEvent.objects.filter(action="read", actor_name="own via Growth chart").exists()
