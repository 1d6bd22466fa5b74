"""Single sign-on: the identity provider vouches for people; who enters, and as what, is decided here."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from recovery.audit import Actor
from recovery.exceptions import Forbidden
from recovery.models import AuditEvent, User
from recovery.services.single_sign_on import Claims, person_for
from twinweb.env import origin, role_mapping

pytestmark = pytest.mark.django_db
ROLES = {"ward-nurses": "clinician", "CN=Leads,OU=Ward": "lead"}
ISSUER = "https://idp.hospital.example"


def enter(claims: Claims, roles=None, known=None, now=None):
    from django.utils import timezone

    return person_for(
        known=known, claims=claims, roles=roles or {}, actor=Actor.system("sso"), now=now or timezone.now()
    )


def test_without_a_mapping_only_people_whom_an_administrator_made_enter():
    with pytest.raises(Forbidden):
        enter(Claims("nadia", groups=("ward-nurses",)))
    nadia = User.objects.create_user("nadia")
    assert enter(Claims("nadia")) == nadia


def test_with_a_mapping_people_are_made_as_they_come_and_the_strongest_role_wins():
    user = enter(Claims("nadia", "Nadia", "B", ("ward-nurses", "CN=Leads,OU=Ward", "cyclists")), ROLES)
    assert (user.role, user.has_usable_password(), user.get_full_name()) == ("lead", False, "Nadia B")
    assert not user.memberships.exists()


def test_the_role_follows_the_groups_and_without_one_nobody_enters():
    user = enter(Claims("nadia", groups=("CN=Leads,OU=Ward",)), ROLES)
    assert enter(Claims("nadia", groups=("ward-nurses",)), ROLES, known=user).role == "clinician"
    assert AuditEvent.objects.filter(action="change_role").count() == 1
    with pytest.raises(Forbidden):
        enter(Claims("nadia", groups=("cyclists",)), ROLES, known=user)


@pytest.mark.parametrize("change", [{"role": "patient"}, {"role": "caregiver"}, {"is_active": False}])
def test_nobody_becomes_a_patient_or_comes_back_from_deactivation_this_way(change):
    user = User.objects.create_user("nadia", **change)
    for known in (None, user):
        with pytest.raises(Forbidden):
            enter(Claims("nadia", groups=("ward-nurses",)), ROLES, known=known)


def test_an_identity_without_a_user_name_makes_nobody():
    with pytest.raises(Forbidden, match="no user name"):
        enter(Claims("", groups=("ward-nurses",)), ROLES)


def test_the_mapping_is_read_from_one_line(monkeypatch):
    monkeypatch.setenv("OIDC_ROLES", "ward-nurses=clinician; CN=Leads,OU=Ward=lead;")
    assert role_mapping("OIDC_ROLES") == ROLES
    monkeypatch.setenv("OIDC_ROLES", "everybody=patient")
    with pytest.raises(ImproperlyConfigured, match="everybody=patient"):
        role_mapping("OIDC_ROLES")
    assert origin("https://idp.hospital.example:8443/realms/x") == "https://idp.hospital.example:8443"


class Answer:
    def __init__(self, said: dict[str, object]) -> None:
        self.said, self.status_code, self.headers = said, 200, {"content-type": "application/json"}
        self.text = json.dumps(said)

    def json(self) -> dict[str, object]:
        return self.said

    def raise_for_status(self) -> None:
        """It went well."""


class Provider:
    """A stand-in for the identity provider: what it answers to each address."""

    def __init__(self, groups: list[str]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.person = {"sub": "u-1", "preferred_username": "nadia", "groups": groups, "given_name": "Nadia"}

    def __enter__(self) -> "Provider":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def get(self, url: str, **_: object) -> Answer:
        return self.request("GET", url)

    def request(self, method: str, url: str, **_: object) -> Answer:
        self.asked.append((method, url))
        if url.endswith("openid-configuration"):
            paths = {"authorization": "auth", "token": "token", "userinfo": "me"}
            said: dict[str, object] = {f"{name}_endpoint": f"{ISSUER}/{path}" for name, path in paths.items()}
            return Answer(said | {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        if url.endswith("/token"):
            return Answer({"access_token": "t", "token_type": "Bearer"})
        return Answer(self.person)


@pytest.fixture
def hospital(settings):
    app = {"provider_id": "hospital", "name": "Hospital", "client_id": "c", "secret": "s"}
    app["settings"] = {"server_url": ISSUER}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.OIDC_ROLES = ROLES


def go_through(client, monkeypatch, groups: list[str], **start: str):
    provider = Provider(groups)
    monkeypatch.setattr("twinweb.sign_in.SingleSignOnAdapter.get_requests_session", lambda self: provider)
    begun = client.post(
        reverse("openid_connect_login", args=["hospital"]) + "?process=" + start.get("process", "login")
    )
    asked = parse_qs(urlsplit(begun["Location"]).query)
    assert begun["Location"].startswith(f"{ISSUER}/auth") and asked["code_challenge_method"] == ["S256"]
    state = start.get("state", asked["state"][0])
    return client.get(reverse("openid_connect_callback", args=["hospital"]), {"code": "x", "state": state})


def test_the_whole_way_through_a_provider(client, hospital, monkeypatch):
    answer = go_through(client, monkeypatch, ["ward-nurses"])
    assert answer.status_code == 302 and client.get(reverse("board")).status_code == 200
    assert SocialAccount.objects.get().user.username == "nadia"
    row = AuditEvent.objects.get(action="sign_in", outcome="success")
    assert row.detail["by"] == ["socialaccount"]


def test_who_has_no_group_is_turned_away_with_a_page(client, hospital, monkeypatch):
    answer = go_through(client, monkeypatch, ["cyclists"])
    assert answer.status_code == 403 and "not set up for this product" in answer.content.decode()
    assert not User.objects.exists() and "_auth_user_id" not in client.session


@pytest.mark.parametrize("start", [{"state": "forged"}, {"process": "connect"}])
def test_a_forged_state_and_a_linking_of_identities_are_refused(client, hospital, monkeypatch, start):
    somebody = User.objects.create_user("somebody")
    client.force_login(somebody)
    answer = go_through(client, monkeypatch, ["ward-nurses"], **start)
    assert answer.status_code in (401, 403) and not SocialAccount.objects.exists()


def test_the_providers_second_factor_counts(client, hospital, monkeypatch, settings):
    settings.MFA_REQUIRED_ROLES = ["clinician"]
    go_through(client, monkeypatch, ["ward-nurses"])
    assert client.get(reverse("board")).status_code == 200


def test_no_link_begins_a_sign_in(client, hospital):
    page = client.get(reverse("openid_connect_login", args=["hospital"]))
    assert page.status_code == 200 and "_auth_user_id" not in client.session
