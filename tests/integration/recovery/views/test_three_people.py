"""Every page x every kind of person. A new route fails here until it says who may see it."""

import io
from copy import deepcopy

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from pypdf import PdfReader

from recovery.models import AuditEvent
from recovery.urls import urlpatterns
from tests.integration.recovery.views import (
    routes_alerts,
    routes_clinic,
    routes_identity,
    routes_me,
    routes_numbers,
    routes_people,
)
from tests.integration.recovery.views.conftest import make_scene
from twinweb.env import example_watch

PEOPLE = ("own", "other", "patient", "administrator", "anonymous")
STRANGER = "Quill"

# name -> answers for (own team, other team, the patient, administrator, anonymous); "in" = sent to sign in.
# Pages of one patient are asked for with *our* patient: to the other team they do not exist.
GET = {
    "home": (302, 302, 302, 302, "in"),
    "login": (302, 302, 302, 302, 200),
    "board": (200, 200, 404, 404, "in"),
    "patient": (200, 404, 404, 404, "in"),
    "board_row": (200, 404, 404, 404, "in"),
    "patient_now": (200, 404, 404, 404, "in"),
    "figure": (200, 404, 404, 404, "in"),
    "live": (501, 501, 501, 501, "in"),
    "live_poll": (200, 200, 200, 200, "in"),
    "model": (200, 200, 200, 200, "in"),
    "unmapped": (403, 403, 403, 200, "in"),
    "backtests": (403, 403, 403, 200, "in"),
    "backtest": (403, 403, 403, 404, "in"),
    "backtest_file": (403, 403, 403, 404, "in"),
    "help": (200, 200, 200, 200, "in"),
    "what_if": (200, 404, 404, 404, "in"),
    "model_card": (200, 200, 404, 200, "in"),
    "model_card_json": (200, 200, 404, 200, "in"),
    "models": (403, 403, 403, 200, "in"),
    "model_version": (403, 403, 403, 404, "in"),
    "model_training": (403, 403, 403, 404, "in"),
}
POST = {
    "logout": (302, 302, 302, 302, 302),
    "backtest_cancel": (403, 403, 403, 404, "in"),
    "backtest_delete": (403, 403, 403, 404, "in"),
    "model_propose": (403, 403, 403, 404, "in"),
    "model_answer": (403, 403, 403, 404, "in"),
    "model_shadow": (403, 403, 403, 404, "in"),
    "model_back": (403, 403, 403, 409, "in"),
    "model_train": (403, 403, 403, 302, "in"),
    "model_training_cancel": (403, 403, 403, 404, "in"),
}
FORMS = {
    "model_propose": {"reason": "calibrated on our own patients"},
    "model_answer": {"reason": "calibrated on our own patients", "answer": "approve"},
    "model_shadow": {"reason": "calibrated on our own patients", "on": "yes"},
    "model_back": {"reason": "too many alarms since Monday"},
    "model_train": {"kind": "hazard", "since": "2026-01-01", "until": "2026-06-01"},
}
GET |= routes_identity.GET | routes_clinic.GET | routes_numbers.GET | routes_me.GET | routes_people.GET
POST |= routes_identity.POST | routes_clinic.POST | routes_me.POST | routes_people.POST
FORMS |= routes_identity.FORMS | routes_clinic.FORMS | routes_me.FORMS | routes_people.FORMS
GET |= routes_alerts.GET
POST |= routes_alerts.POST
FORMS |= routes_alerts.FORMS
NAMES = (("key", "metric"), ("key", "name"), ("key",), ("pk",), ("kind",), ("provider_id",), ())
ALERT_ROUTES = routes_alerts.OF_AN_ALERT


@pytest.fixture(scope="module")
def ward(rows_of_file):
    """Made once: some two thousand questions are asked of it, and each is rolled back."""
    with rows_of_file.unblock():
        return make_scene()


@pytest.fixture
def scene(ward, db, settings):
    settings.WEARABLE_PROVIDERS = [example_watch()]
    return deepcopy(ward)


def route_names(patterns=urlpatterns) -> set[str]:
    names = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            names |= route_names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            names.add(pattern.name or str(pattern.pattern))
    return names


def url_of(name: str, scene, *, foreign: bool = False) -> str:
    episode = scene.foreign if foreign else scene.episode
    alert = scene.foreign_alert if foreign else scene.alert
    values = {"key": alert.key if name in ALERT_ROUTES else episode.key, "metric": "heart_rate", "name": "report.html"}
    values |= {"pk": 1, "kind": "hazard", "provider_id": "hospital"}
    values |= (
        routes_clinic.values(name, episode) | routes_me.VALUES | routes_people.VALUES | routes_alerts.values(episode)
    )
    values |= routes_identity.values(name, scene)
    for names in (
        *routes_identity.NAMES,
        *routes_me.NAMES,
        *routes_alerts.NAMES,
        *routes_people.NAMES,
        ("key", "metric", "reading"),
        ("key", "metric"),
        ("key", "name"),
        ("key",),
        ("pk",),
        ("kind",),
        ("provider_id",),
        (),
    ):
        try:
            return reverse(name, kwargs={key: values[key] for key in names})
        except Exception:
            continue
    raise AssertionError(name)


def ask(name: str, scene, who: str, *, foreign: bool = False):
    client: Client = scene.client(None if who == "anonymous" else who)
    url = url_of(name, scene, foreign=foreign)
    if name in POST:
        return client.post(url, {"version": 1, **FORMS.get(name, {})})
    return client.get(url)


def test_every_route_says_who_may_see_it():
    assert route_names() == set(GET) | set(POST)


@pytest.mark.parametrize("name", [*GET, *POST])
@pytest.mark.parametrize("who", PEOPLE)
def test_each_person_gets_what_is_theirs_and_a_stranger_is_named_to_none_of_ours(scene, name, who):
    wanted = (GET | POST)[name][PEOPLE.index(who)]
    answer = ask(name, scene, who)
    assert who == "other" or STRANGER not in words_of(answer)
    if wanted == "in":
        assert answer.status_code == 302 and answer["Location"].startswith(reverse("login"))
    else:
        assert answer.status_code == wanted


@pytest.mark.parametrize("name", [*GET, *POST])
@pytest.mark.parametrize("who", ["own", "patient", "administrator", "anonymous"])
def test_asked_for_a_strangers_patient_no_page_names_them(scene, name, who):
    assert STRANGER not in words_of(ask(name, scene, who, foreign=True))


def test_the_words_of_a_pdf_are_read(scene):
    assert "Hartmann" in words_of(scene.client("own").get(reverse("handover_pdf")))


def words_of(answer) -> str:
    """What a person would read in an answer: of a PDF the text of its pages."""
    if answer.get("Content-Type") != "application/pdf":
        return answer.content.decode()
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


@pytest.mark.parametrize("name", sorted(ALERT_ROUTES))
def test_nobody_acts_on_a_strangers_alert(scene, name):
    assert ask(name, scene, "own", foreign=True).status_code == 404
    scene.foreign_alert.refresh_from_db()
    assert scene.foreign_alert.status == "open"


@pytest.mark.parametrize("name", sorted(POST))
def test_what_changes_something_is_never_a_link(scene, name):
    assert scene.client("own").get(url_of(name, scene)).status_code == 405


@pytest.mark.parametrize("name", ["patient", "alert_resolve", "unmapped"])
def test_what_a_person_is_not_given_is_noted_without_a_word_about_the_patient(scene, name):
    before = AuditEvent.objects.count()
    answer = ask(name, scene, "own", foreign=True)
    row = AuditEvent.objects.get(outcome="refused")
    assert AuditEvent.objects.count() == before + 1
    assert (row.actor_name, row.action) == (scene.own.username, "change" if name in POST else "view")
    assert row.entity == url_of(name, scene, foreign=True) and row.detail == {"status": answer.status_code}
    assert row.patient_id is None
