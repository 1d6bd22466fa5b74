"""The page at /fhir/: open like metadata, closed where it changes something, and mapping feeds the twin."""

import re
from pathlib import Path

import pytest
from django.test import Client

from integrations.fhir.mapping_view import choices_of
from integrations.fhir.routes import ROUTES
from recovery.models import AuditEvent, Owed, Series, UnmappedCode
from tests import factories
from tests.integration.integrations.fhir.conftest import FHIR_JSON, Door, content
from tests.unit.integrations.fhir.observations import heart_rate

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
PEOPLE = ("clinician", "lead", "patient", "administrator", None)


def browser(role: str | None = None) -> Client:
    client = Client(headers={"accept": HTML})
    if role is not None:
        client.force_login(factories.make_person(f"a-{role}", role))
    return client


@pytest.fixture
def unknown(door: Door, patient: str) -> UnmappedCode:
    """A pulse in /s under a code that nobody knows, of a patient with an episode."""
    operation = {"resourceType": "Procedure", "id": "op", "status": "completed", "subject": {"reference": "Patient/p1"}}
    operation["category"] = {"coding": [{"system": "http://snomed.info/sct", "code": "387713003"}]}
    operation["performedPeriod"] = {"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T07:00:00Z"}
    assert door.put("Procedure/op", operation).status_code == 201
    strange = {"coding": [{"system": "urn:vendor", "code": "pulse-x", "display": "<i>Pulse</i>"}]}
    quantity = {"value": 1.25, "system": "http://unitsofmeasure.org", "code": "/s"}
    assert door.post("Observation", heart_rate(code=strange, valueQuantity=quantity)).status_code == 201
    return UnmappedCode.objects.get()


@pytest.mark.parametrize("who", PEOPLE)
def test_everybody_may_read_what_is_served_and_only_an_administrator_sees_the_queue(
    unknown: UnmappedCode, who: str | None
) -> None:
    answer = browser(who).get("/fhir/")
    page = answer.content.decode()
    assert answer.status_code == 200 and all(f">{name}</th>" in page for name in ROUTES)
    assert ("pulse-x" in page) is (who == "administrator")
    assert "<i>Pulse" not in page


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("action", ["map", "unmap"])
def test_only_an_administrator_maps_a_code(unknown: UnmappedCode, who: str | None, action: str) -> None:
    answer = browser(who).post(f"/fhir/codes/{action}/", {"code": unknown.pk, "metric": "heart_rate"})
    if who == "administrator":
        assert answer.status_code == (302 if action == "map" else 404)
    else:
        assert answer.status_code == 403
        assert not Series.objects.exclude(metric="").exists()
    assert browser().get(f"/fhir/codes/{action}/").status_code == 405


def test_mapping_shows_its_conversion_backfills_and_can_be_undone(door: Door, unknown: UnmappedCode) -> None:
    client = browser("administrator")
    assert "(value × 60 /min)" in client.get("/fhir/").content.decode()
    before = Owed.objects.get(kind="twin").seq
    assert client.post("/fhir/codes/map/", {"code": unknown.pk, "metric": "heart_rate"}).status_code == 302
    series = Series.objects.get()
    assert (series.metric, series.scale) == ("heart_rate", 60.0)
    assert Owed.objects.get(kind="twin").seq == before + 1
    assert client.post("/fhir/codes/map/", {"code": unknown.pk, "metric": "heart_rate"}).status_code == 400
    found = content(door.get("Observation?code=pulse-x"))["entry"][0]["resource"]
    assert found["valueQuantity"]["value"].text == "1.25"
    assert client.post("/fhir/codes/unmap/", {"code": unknown.pk}).status_code == 302
    assert Series.objects.get().metric == ""
    assert AuditEvent.objects.filter(action__in=("map_code", "unmap_code"), actor_name="a-administrator").count() == 2


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"metric": "heart_rate"}, 404),
        ({"code": "x", "metric": "heart_rate"}, 404),
        ({"code": "99999999999999999999", "metric": "heart_rate"}, 404),
        ({"code": "own", "metric": "temperature"}, 400),
        ({"code": "own"}, 400),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(unknown: UnmappedCode, given: dict[str, str], status: int) -> None:
    said = {**given, **({"code": str(unknown.pk)} if given.get("code") == "own" else {})}
    assert browser("administrator").post("/fhir/codes/map/", said).status_code == status


def test_a_mapping_needs_the_forms_own_token(unknown: UnmappedCode) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": HTML})
    client.force_login(factories.make_person("boss", "administrator"))
    assert client.post("/fhir/codes/map/", {"code": unknown.pk, "metric": "heart_rate"}).status_code == 403


def test_units_are_never_guessed() -> None:
    assert [one.metric for one in choices_of("furlong")] == []
    assert choices_of("[degF]")
    assert all("temp" in one.metric for one in choices_of("[degF]"))


def test_systems_get_what_they_got(door: Door, db: None) -> None:
    assert door.get("").status_code == 405
    assert Client().get("/fhir/", headers={"accept": FHIR_JSON}).status_code == 405
    assert Client().get("/fhir/?_format=json", headers={"accept": HTML}).status_code == 405
    assert door.post("", {"resourceType": "Bundle", "type": "batch"}).status_code == 200


def test_the_page_has_no_inline_script_or_style(db: None) -> None:
    page = browser().get("/fhir/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)


def test_the_token_is_never_stored_by_the_page() -> None:
    text = (Path(__file__).resolve().parents[4] / "static/js/fhir.js").read_text(encoding="utf-8")
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB", text)
