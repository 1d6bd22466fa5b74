"""What no honest page sends is refused in words, whatever the engine: never an error of ours."""

import pytest
from django.db import connection
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_nul_in_an_address_is_refused(scene):
    """PostgreSQL keeps no NUL; SQLite finds nobody by it."""
    answer = scene.client("own").get(reverse("service"), {"team": "\x00"})
    assert answer.status_code == (400 if connection.vendor == "postgresql" else answer.status_code) < 500


def test_half_a_character_is_refused(scene):
    raw = b'{"client_id": "\\ud800", "who": "\\ud800"}'
    url = reverse("check_in_outbox", kwargs={"slot": "extra-ab12"})
    assert scene.client("patient").post(url, raw, content_type="application/json").status_code == 422


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"[]", b"null", b"\xff", b""])
def test_what_an_outbox_never_sends_is_refused(scene, body):
    url = reverse("check_in_outbox", kwargs={"slot": "extra-ab12"})
    assert scene.client("patient").post(url, body, content_type="application/json").status_code == 422


@pytest.mark.parametrize("days", ["9" * 30, "9" * 400, "-" + "9" * 30, "1e400", "nan"])
def test_a_number_beyond_all_numbers_is_a_problem_in_the_form(scene, days):
    sent = {"base_version": 0, "key": "new", "name": "New", "days": days, "budget": "1"}
    assert scene.client("administrator").post(reverse("pathway_new"), sent).status_code == 422
