"""Signing in: each role its own first page; failures leave a trace without the name that was typed."""

import pytest

from recovery.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("who", "page"), [("own", "/patients/"), ("patient", "/me/"), ("administrator", "/data/unmapped/")]
)
def test_each_role_has_its_first_page(scene, who, page):
    client = scene.client(None)
    answer = client.post("/login/", {"username": who, "password": factories.PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == page and answer.status_code == 200
    assert AuditEvent.objects.filter(action="sign_in", actor_name=who, outcome="success").exists()


def test_a_failure_is_counted_without_what_was_typed(scene):
    answer = scene.client(None).post("/login/", {"username": "my-secret-password", "password": "x"})
    assert "do not match" in answer.content.decode()
    row = AuditEvent.objects.get(action="sign_in", outcome="failure")
    assert "my-secret-password" not in f"{row.actor_name}{row.detail}{row.entity}"


def test_after_signing_out_nothing_is_kept(scene):
    client = scene.client("own")
    assert client.get("/patients/")["Cache-Control"] == "no-store"
    client.post("/logout/")
    assert client.get("/patients/").status_code == 302
