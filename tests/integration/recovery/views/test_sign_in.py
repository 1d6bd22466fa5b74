"""Signing in: guessing is stopped without locking a ward out, and tells nothing about who exists."""

import pytest
from django.urls import reverse

from recovery.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user("nurse", password=PASSWORD)


def attempt(client, password: str, username: str = "nurse", address: str = "10.0.0.1"):
    return client.post(reverse("login"), {"username": username, "password": password}, REMOTE_ADDR=address)


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_signs_in(client, nurse):
    attempt(client, PASSWORD)
    assert signed_in(client)


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, nurse):
    for _ in range(5):
        answer = attempt(client, "wrong")
    assert answer.status_code == 429
    assert attempt(client, PASSWORD).status_code == 429
    assert not signed_in(client)


def test_an_outsider_does_not_lock_the_nurse_out(client, nurse):
    for _ in range(8):
        attempt(client, "wrong", address="10.9.9.9")
    attempt(client, PASSWORD, address="10.0.0.1")
    assert signed_in(client)


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(client, nurse):
    known, unknown = attempt(client, "wrong"), attempt(client, "wrong", username="nobody")
    assert known.status_code == unknown.status_code == 200
    strip = [answer.content.decode().replace("nobody", "nurse") for answer in (known, unknown)]
    assert len(strip[0]) == pytest.approx(len(strip[1]), abs=80)


def test_behind_a_proxy_the_address_that_it_saw_counts(client, nurse, settings):
    settings.BEHIND_PROXY = True
    url = reverse("login")
    for _ in range(5):
        client.post(url, {"username": "nurse", "password": "x"}, headers={"X-Forwarded-For": "1.2.3.4, 10.9.9.9"})
    client.post(url, {"username": "nurse", "password": PASSWORD}, headers={"X-Forwarded-For": "1.2.3.4, 10.0.0.7"})
    assert signed_in(client)
