"""Opening apps for a patient, from here and for an EHR; and our own pages opened by an EHR."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import RSAKey

from integrations.smart import ehr
from recovery.audit import Actor
from recovery.egress import Answer
from recovery.models import AuditEvent, EhrIdentity
from recovery.services.connections import issue_token
from tests.integration.integrations.smart.clients import RSA, names, public
from tests.integration.integrations.smart.launching import address, allow, app, browser_of, exchange
from tests.people import Ward, make_ward

pytestmark = pytest.mark.django_db
ISS = "http://127.0.0.1:9/fhir"


@pytest.fixture
def ward() -> Ward:
    return make_ward()


# ---- apps, opened from here ---


def test_an_app_is_opened_from_the_patients_page_with_that_patient(ward: Ward) -> None:
    client, browser = app(), browser_of(ward.own)
    where = f"/patients/{ward.episode.key}/apps/"
    page = browser.get(where)
    assert "Growth chart" in page.content.decode() and "https://app.example" in page["Content-Security-Policy"]
    sent = browser.post(where, {"app": client.row_id})["Location"]
    asked = parse_qs(urlsplit(sent).query)
    assert sent.startswith("https://app.example/launch?") and asked["iss"] == ["http://testserver/fhir"]
    told = allow(browser, address(client.client_id, "launch patient/*.rs", launch=asked["launch"][0]))
    answer = exchange(client.client_id, told["code"]).json()
    assert answer["patient"] == ward.episode.patient.fhir_id and answer["need_patient_banner"] is False


@pytest.mark.parametrize("who", ["other", "former", "administrator"])
def test_a_stranger_opens_nothing_for_a_patient_who_is_not_theirs(ward: Ward, who: str) -> None:
    client, browser = app(), browser_of(getattr(ward, who))
    where = f"/patients/{ward.episode.key}/apps/"
    assert browser.get(where).status_code == 404
    assert browser.post(where, {"app": client.row_id}).status_code == 404


@pytest.mark.parametrize("chosen", ["", "0", "999", "x"])
def test_what_is_no_app_is_not_opened(ward: Ward, chosen: str) -> None:
    assert browser_of(ward.own).post(f"/patients/{ward.episode.key}/apps/", {"app": chosen}).status_code == 404


def test_without_an_app_the_page_says_so(ward: Ward) -> None:
    app(launch_url="")
    assert "No app can be opened" in browser_of(ward.own).get(f"/patients/{ward.episode.key}/apps/").content.decode()


# ---- apps, opened by an EHR ---


def register(scopes: str, **given: str) -> Any:
    token = issue_token(name="EHR", scopes=scopes, actor=Actor.system("test"), now=timezone.now())
    headers = {"Authorization": f"Bearer {token}"}
    return Browser().post("/oauth/launch", given, content_type="application/json", headers=headers)


def test_an_ehr_registers_a_launch_that_the_app_is_then_opened_with(ward: Ward) -> None:
    client, mine = app(), ward.episode.patient.fhir_id
    made = register("system/*.rs launch", client_id=client.client_id, patient=mine, encounter="stay-1")
    assert made.status_code == 201 and made.json()["launch_url"] == "https://app.example/launch"
    where = address(client.client_id, "launch patient/*.rs", launch=made.json()["launch"])
    answer = exchange(client.client_id, allow(browser_of(ward.own), where)["code"]).json()
    assert (answer["patient"], answer["encounter"]) == (mine, "stay-1")


@pytest.mark.parametrize("scopes", ["system/*.rs", "launch", "system/Observation.rs launch", "patient/*.rs launch"])
def test_a_connection_without_the_right_registers_no_launch(ward: Ward, scopes: str) -> None:
    made = register(scopes, client_id=app().client_id, patient=ward.episode.patient.fhir_id)
    assert made.status_code == 403


@pytest.mark.parametrize("changes", [{"patient": "nobody"}, {"patient": "a/b"}, {"client_id": "x"}, {"encounter": "?"}])
def test_a_launch_of_nobody_is_not_registered(ward: Ward, changes: dict[str, str]) -> None:
    said = {"client_id": app().client_id, "patient": ward.episode.patient.fhir_id, **changes}
    assert register("system/*.rs launch", **said).status_code == 400


def test_a_launch_needs_a_token(ward: Ward) -> None:
    assert Browser().post("/oauth/launch", {}, content_type="application/json").status_code == 401


# ---- our pages, opened by an EHR ---


class Ehr:
    """An EHR that launches our pages: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.key, self.claims, self.token = RSA, {}, {}  # type: tuple[RSAKey, dict[str, Any], dict[str, Any]]
        self.asked: list[tuple[str, bytes]] = []
        self.nonce = ""

    def answer(self, place: Any, *, method: str, body: bytes = b"", headers: Any = None) -> Answer:
        self.asked.append((place.target, body))
        said: dict[str, Any] = {
            "/fhir/.well-known/smart-configuration": {
                "issuer": ISS,
                "authorization_endpoint": "https://ehr.example/authorize",
                "token_endpoint": "http://127.0.0.1:9/token",
                "jwks_uri": "http://127.0.0.1:9/jwks",
            },
            "/jwks": public(RSA),
            "/token": {"access_token": "x", "patient": "p1", "id_token": self._id_token(), **self.token},
        }
        return Answer(200, {}, json.dumps(said[place.target]).encode())

    def _id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": ISS, "aud": "us", "exp": now + 300, "iat": now, "nonce": self.nonce}
        claims |= {"fhirUser": f"{ISS}/Practitioner/7", **self.claims}
        return jwt.encode({"alg": "RS256", "kid": "rsa-1"}, claims, self.key, algorithms=["RS256"])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Ehr]:
    settings.EHR_ISSUERS = [{"iss": ISS, "client_id": "us"}]
    settings.SMART_ALLOW_LOOPBACK = True
    found = Ehr()
    monkeypatch.setattr(ehr, "call", found.answer)
    yield found


def through(server: Ehr, before_back: Callable[[dict[str, str]], None] | None = None, **changes: str) -> Any:
    """A browser that goes from the EHR to our page: /launch, the EHR, back."""
    browser = Browser()
    asked = browser.get("/launch", {"iss": ISS, "launch": "l-1"})
    assert asked.status_code == 302, asked.content
    said = {name: values[0] for name, values in parse_qs(urlsplit(asked["Location"]).query).items()}
    assert (said["aud"], said["launch"], said["code_challenge_method"]) == (ISS, "l-1", "S256")
    server.nonce = said["nonce"]
    answer = browser.get("/launch/back", {"code": "c", "state": said["state"], **changes})
    return browser, answer


def test_a_linked_person_comes_to_the_page_of_the_patient_whom_the_ehr_has_open(ward: Ward, server: Ehr) -> None:
    call_command("link_ehr_user", ISS, f"{ISS}/Practitioner/7", "own")
    server.token["patient"] = ward.episode.patient.fhir_id
    browser, answer = through(server)
    assert answer["Location"] == f"/patients/{ward.episode.key}/"
    assert browser.get(answer["Location"]).status_code == 200
    assert AuditEvent.objects.filter(action="sign_in", actor_name="own", entity="launch").exists()
    assert b"code_verifier=" in server.asked[1][1]


def test_an_ehr_opens_nothing_that_the_person_may_not_see(ward: Ward, server: Ehr) -> None:
    call_command("link_ehr_user", ISS, "Practitioner/7", "other")
    server.token["patient"] = ward.episode.patient.fhir_id
    browser, answer = through(server)
    assert answer["Location"] == "/" and browser.get(f"/patients/{ward.episode.key}/").status_code == 404


def test_who_is_not_linked_or_not_any_more_is_nobody_here(ward: Ward, server: Ehr) -> None:
    assert through(server)[1].status_code == 400
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    call_command("link_ehr_user", ISS, "Practitioner/7")
    browser, answer = through(server)
    assert answer.status_code == 400 and browser.get("/patients/")["Location"].startswith("/login/")
    assert not EhrIdentity.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [{"aud": "others"}, {"iss": "https://evil.example"}, {"nonce": "other"}, {"exp": 1}, {"iat": 2**33}, {"exp": None}],
    ids=names,
)
def test_an_id_token_for_somebody_else_signs_nobody_in(ward: Ward, server: Ehr, claims: dict[str, Any]) -> None:
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    server.claims = claims
    browser, answer = through(server)
    assert answer.status_code == 400 and browser.get("/patients/").status_code == 302


def test_an_id_token_of_another_key_signs_nobody_in(ward: Ward, server: Ehr) -> None:
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    server.key = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)
    assert through(server)[1].status_code == 400


@pytest.mark.parametrize("changes", [{"state": "other"}, {"code": ""}, {"error": "access_denied"}])
def test_an_answer_that_was_not_asked_for_signs_nobody_in(ward: Ward, server: Ehr, changes: dict[str, str]) -> None:
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    assert through(server, **changes)[1].status_code == 400


def test_an_answer_is_taken_once(ward: Ward, server: Ehr) -> None:
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    browser, answer = through(server)
    assert answer.status_code == 302
    again = browser.get("/launch/back", {"code": "c", "state": "s"})
    assert again.status_code == 400


@pytest.mark.parametrize("iss", ["", "https://evil.example/fhir", "http://127.0.0.1:9"])
def test_only_a_named_ehr_may_launch(server: Ehr, iss: str) -> None:
    answer = Browser().get("/launch", {"iss": iss, "launch": "l"})
    assert answer.status_code == 400 and not server.asked


def test_pages_are_shown_in_no_frame_unless_an_ehr_is_named(ward: Ward) -> None:
    answer = browser_of(ward.own).get("/patients/")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"] and answer["X-Frame-Options"] == "DENY"


def test_in_an_ehrs_frame_stand_only_pages_that_its_launch_opened(ward: Ward, server: Ehr, settings: Any) -> None:
    settings.EHR_FRAME_ORIGINS = ["https://ehr.example"]
    policy = settings.CONTENT_SECURITY_POLICY
    framed = {**policy["DIRECTIVES"], "frame-ancestors": ["https://ehr.example"]}
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": framed}
    call_command("link_ehr_user", ISS, "Practitioner/7", "own")
    launched, _ = through(server)

    def ancestors(browser: Browser, path: str) -> str:
        said = browser.get(path)["Content-Security-Policy"]
        return next(part.strip() for part in said.split(";") if part.strip().startswith("frame-ancestors"))

    assert ancestors(launched, "/patients/") == "frame-ancestors https://ehr.example"
    assert ancestors(launched, "/apps/") == ancestors(launched, "/account/") == "frame-ancestors 'none'"
    for path in ("/patients/", "/login/", "/account/"):
        assert ancestors(browser_of(ward.own), path) == "frame-ancestors 'none'"
    assert ancestors(Browser(), "/launch") == "frame-ancestors https://ehr.example"
