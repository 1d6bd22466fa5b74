"""All other routes of the product x caregiver, withdrawn caregiver and a patient who is a stranger.

What a patient does not get, who helps them does not get either. Routes come from the table of all routes, so a new one
is tried as soon as it says who may see it there; those under /me/ are in test_portal_people.
"""

import pytest
from django.test import Client
from django.urls import reverse

from recovery.models import Patient
from tests import factories
from tests.integration.recovery.views import test_portal_people as portal
from tests.integration.recovery.views.test_portal_people import WHOM, caregiver
from tests.integration.recovery.views.test_three_people import GET, PEOPLE, POST, STRANGER, ask, url_of, words_of

pytestmark = pytest.mark.django_db
patient = portal.patient
OTHERS = sorted((set(GET) | set(POST)) - set(WHOM))
SIGNS_OUT = {"logout", "account_logout"}


def wanted(name: str, who: str) -> object:
    return (GET | POST)[name][PEOPLE.index(who)]


class As:
    """The scene as `ask` takes it, with one client for whoever asks."""

    def __init__(self, scene, client: Client) -> None:
        self._scene, self._client = scene, client

    def client(self, _who: str | None) -> Client:
        return self._client

    def __getattr__(self, name: str) -> object:
        return getattr(self._scene, name)


def answers(scene, client: Client, **more: bool) -> dict[str, object]:
    """Route -> status, or "in" where the person is sent to sign in."""
    found: dict[str, object] = {}
    for name in (one for one in OTHERS if one not in SIGNS_OUT):
        answer = ask(name, As(scene, client), "helper", **more)
        is_sent = answer.status_code == 302 and answer["Location"].startswith(reverse("login"))
        found[name] = "in" if is_sent else answer.status_code
        assert STRANGER not in words_of(answer), name
    return found


def differing(found: dict[str, object], who: str) -> dict[str, tuple[object, object]]:
    both = {name: (was, wanted(name, who)) for name, was in found.items()}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1] and pair != ("in", 302)}


def test_who_helps_gets_outside_the_portal_what_the_patient_gets_and_no_more(scene, patient):
    _grant, client = caregiver(patient, "see", "answer", "write", "connect")
    assert differing(answers(scene, client), "patient") == {}


def test_who_is_withdrawn_is_nobody_everywhere(scene, patient):
    grant, client = caregiver(patient, "see", "answer", "write", "connect")
    scene.client("patient").post(reverse("me_person_end", args=[grant.key]))
    assert differing(answers(scene, client), "anonymous") == {}


def test_a_patient_who_is_a_stranger_gets_nothing_of_ours_on_any_route(scene):
    user = factories.make_person("stranger", "patient")
    Patient.objects.filter(pk=scene.foreign.patient_id).update(user=user)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for name in (one for one in OTHERS if one not in SIGNS_OUT):
        assert "Hartmann" not in words_of(ask(name, As(scene, client), "stranger")), (name, url_of(name, scene))
