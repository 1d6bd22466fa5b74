"""Sessions end after a quiet time and after a longest time; second factors are asked of whom the setting names."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recovery.models import AuditEvent, User
from recovery.selectors.account import device_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user("nurse", password=PASSWORD)


def signed_in(client: Client, username: str = "nurse") -> Client:
    client.post(reverse("login"), {"username": username, "password": PASSWORD})
    return client


def back_in_time(client: Client, name: str, **ago: float) -> None:
    session = client.session
    session[name] = (timezone.now() - timedelta(**ago)).timestamp()
    session.save()


def is_in(client: Client, **headers: str) -> bool:
    return client.get(reverse("board"), headers=headers).status_code == 200


def test_signing_in_gives_a_new_session_and_no_mark_of_the_old(client, nurse):
    client.get(reverse("login"))
    client.session["x"] = 1
    before = client.session.session_key
    assert signed_in(client).session.session_key != before


@pytest.mark.parametrize(("minutes", "stays"), [(14, True), (16, False)])
def test_a_quiet_time_ends_the_session(client, nurse, minutes, stays):
    back_in_time(signed_in(client), "seen_at", minutes=minutes)
    assert is_in(client) == stays


def test_patients_have_longer(client, nurse):
    User.objects.filter(pk=nurse.pk).update(role="patient")
    back_in_time(signed_in(client), "seen_at", minutes=16)
    assert client.get(reverse("help")).status_code == 200


def test_after_twelve_hours_a_session_ends_however_busy(client, nurse):
    back_in_time(signed_in(client), "signed_in_at", hours=12, seconds=1)
    assert not is_in(client)


def test_what_a_page_fetches_by_itself_keeps_no_session_going(client, nurse):
    back_in_time(signed_in(client), "seen_at", minutes=10)
    held = client.session["seen_at"]
    assert is_in(client, **{"Sec-Fetch-Mode": "cors"}) and client.session["seen_at"] == held
    assert is_in(client, **{"Sec-Fetch-Mode": "navigate"}) and client.session["seen_at"] > held


def test_the_store_itself_forgets_a_quiet_session_so_that_live_streams_end_too(client, nurse):
    signed_in(client)
    row = Session.objects.get(session_key=client.session.session_key)
    assert abs(row.expire_date - timezone.now() - timedelta(minutes=15)) < timedelta(seconds=20)


def test_staying_is_a_word_of_the_person_and_asking_is_not(client, nurse):
    back_in_time(signed_in(client), "seen_at", minutes=14)
    asked = client.get(reverse("session"), headers={"Sec-Fetch-Mode": "cors"}).json()
    assert asked["signed_in"] and asked["seconds"] <= 61
    assert client.post(reverse("session")).json()["seconds"] > 800
    client.post(reverse("logout"))
    assert client.get(reverse("session")).json() == {"signed_in": False, "seconds": 0}


def test_ones_own_sessions_are_listed_and_ended_and_nobody_elses(client, nurse):
    other = signed_in(Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/141.0"}))
    page = signed_in(client).get(reverse("account")).content.decode()
    assert "Firefox on Windows" in page and "this one" in page
    row = UserSession.objects.get(session_key=other.session.session_key)
    stranger = User.objects.create_user("stranger", password=PASSWORD)
    assert signed_in(Client(), stranger.username).post(reverse("session_end", args=[row.pk])).status_code == 404
    assert client.post(reverse("session_end", args=[row.pk])).status_code == 302
    assert not is_in(other) and is_in(client)


def test_a_changed_password_ends_the_other_sessions(client, nurse):
    other = signed_in(Client())
    signed_in(client)
    new = "violin-harbour-quartz-9"
    said = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post(reverse("account_change_password"), said).status_code == 302
    assert is_in(client) and not is_in(other)
    assert AuditEvent.objects.filter(action="change_password").exists()


def test_devices_are_named_as_people_know_them():
    assert device_of("Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36") == "Chrome on Linux"
    assert device_of("") == "A browser"


@pytest.fixture
def chief(settings) -> User:
    settings.MFA_REQUIRED_ROLES = ["administrator"]
    return User.objects.create_user("chief", password=PASSWORD, role="administrator")


def with_app(user: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str) -> str:
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"


def test_without_a_second_factor_a_required_role_sees_only_their_account(client, chief):
    signed_in(client, "chief")
    assert client.get(reverse("unmapped"))["Location"] == reverse("account")
    assert "Add a second factor to go on" in client.get(reverse("account")).content.decode()
    assert client.get(reverse("live_poll"), headers={"Sec-Fetch-Mode": "cors"}).status_code == 403
    assert client.get(reverse("help")).status_code == 200


def test_a_password_alone_is_not_signed_in_where_a_second_factor_stands(client, chief):
    secret = with_app(chief)
    signed_in(client, "chief")
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("unmapped"))["Location"].startswith(reverse("login"))
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200 and "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.get(reverse("unmapped")).status_code == 200
    row = AuditEvent.objects.get(action="sign_in", outcome="success")
    assert row.detail["by"] == ["password", "totp"]


def test_a_code_counts_once(client, chief):
    code = code_of(with_app(chief))
    for one, expected in ((client, True), (Client(), False)):
        signed_in(one, "chief").post(reverse("mfa_authenticate"), {"code": code})
        assert ("_auth_user_id" in one.session) == expected


def test_guessing_codes_is_stopped(client, chief):
    secret = with_app(chief)
    signed_in(client, "chief")
    for _ in range(6):
        client.post(reverse("mfa_authenticate"), {"code": "123456"})
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert "_auth_user_id" not in client.session


def test_the_secret_of_an_app_is_of_no_use_to_who_reads_the_database(chief):
    secret = with_app(chief)
    assert secret not in str(Authenticator.objects.get(user=chief).data)


def test_changing_factors_asks_again_and_leaving_works_half_way(client, chief):
    client.force_login(chief)
    assert client.get(reverse("mfa_activate_totp"))["Location"].startswith(reverse("account_reauthenticate"))
    with_app(chief)
    half = signed_in(Client(), "chief")
    assert half.post(reverse("logout")).status_code == 302
    assert half.get(reverse("mfa_authenticate"))["Location"].startswith(reverse("login"))


def test_over_https_cookies_are_bound_to_the_host_and_the_browser_alone(settings):
    name = "__Host-sessionid" if settings.HTTPS else "sessionid"
    assert settings.SESSION_COOKIE_NAME == name and settings.SESSION_COOKIE_PATH == "/"
    assert settings.SESSION_COOKIE_DOMAIN is None and settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SECURE == settings.HTTPS and settings.SESSION_COOKIE_SAMESITE == "Lax"
