"""The page at /fhir/: open like metadata, closed where it changes something, and mapping feeds the twin."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db.models import F
from django.test import Client

from integrations.fhir.mapping_view import choices_of
from integrations.fhir.page import EXAMPLES
from integrations.fhir.routes import ROUTES
from recovery.models import AuditEvent, Owed, Series, Snapshot, UnmappedCode
from recovery.services import refresh
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
    preview = client.get("/fhir/codes/preview/", {"code": unknown.pk, "metric": "heart_rate"}).content.decode()
    assert "1 reading of 1 patient would go to 1 twin" in preview and "value × 60 /min" in preview and ">75<" in preview
    assert Series.objects.get().metric == "" and not AuditEvent.objects.filter(action="map_code").exists()
    Owed.objects.update(done_seq=F("seq"))
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


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("path", ["preview/?metric=heart_rate&code=", "progress/?x="])
def test_only_an_administrator_sees_what_a_mapping_would_do(unknown: UnmappedCode, who: str | None, path: str) -> None:
    answer = browser(who).get(f"/fhir/codes/{path}{unknown.pk}")
    assert answer.status_code == (200 if who == "administrator" else 403)
    assert ("pulse-x" in answer.content.decode()) is (who == "administrator" and path.startswith("preview"))


@pytest.mark.parametrize(
    ("given", "status"), [({}, 404), ({"code": "own"}, 400), ({"code": "own", "metric": "x"}, 400)]
)
def test_a_preview_of_what_cannot_be_is_refused(unknown: UnmappedCode, given: dict[str, str], status: int) -> None:
    said = {**given, **({"code": str(unknown.pk)} if given else {})}
    assert browser("administrator").get("/fhir/codes/preview/", said).status_code == status


def test_a_preview_says_how_many_readings_make_no_sense(door: Door, unknown: UnmappedCode) -> None:
    strange = {"coding": [{"system": "urn:vendor", "code": "pulse-x"}]}
    quantity = {"value": 100, "system": "http://unitsofmeasure.org", "code": "/s"}
    reading = heart_rate(code=strange, valueQuantity=quantity, effectiveDateTime="2026-01-05T09:00:00Z")
    assert door.post("Observation", reading).status_code == 201
    page = browser("administrator").get("/fhir/codes/preview/", {"code": unknown.pk, "metric": "heart_rate"})
    text = page.content.decode()
    assert "1 of 2 would lie outside the plausible range of 20 to 250 /min" in text and "not plausible" in text


@pytest.fixture
def in_documents(door: Door, unknown: UnmappedCode) -> UnmappedCode:
    """A code that comes only in components, with a note: never streamed."""
    quantity = {"value": 38.5, "system": "http://unitsofmeasure.org", "code": "Cel"}
    part = {"code": {"coding": [{"system": "urn:vendor", "code": "core-temp"}]}, "valueQuantity": quantity}
    panel = {"coding": [{"system": "urn:vendor", "code": "panel"}]}
    body = heart_rate(code=panel, component=[part], note=[{"text": "by hand"}])
    del body["valueQuantity"]
    assert door.post("Observation", body).status_code == 201
    return UnmappedCode.objects.get(code="core-temp")


def test_a_code_held_in_documents_only_is_mapped_and_its_readings_go_to_the_twin(
    door: Door, in_documents: UnmappedCode
) -> None:
    client = browser("administrator")
    assert "all in documents" in client.get("/fhir/").content.decode()
    preview = client.get("/fhir/codes/preview/", {"code": in_documents.pk, "metric": "temperature"}).content.decode()
    assert "1 of them in documents" in preview
    assert client.post("/fhir/codes/map/", {"code": in_documents.pk, "metric": "temperature"}).status_code == 302
    refresh.refresh_owed(clock=lambda: datetime(2026, 1, 5, 12, tzinfo=UTC))
    said = Snapshot.objects.get(current=True).content["metrics"]["temperature"]
    assert said["now"] == 38.5
    assert content(door.get(f"Observation/{said['reading']}"))["component"][0]["valueQuantity"]["value"].text == "38.5"
    assert client.post("/fhir/codes/unmap/", {"code": in_documents.pk}).status_code == 302
    refresh.refresh_owed(clock=lambda: datetime(2026, 1, 5, 12, 30, tzinfo=UTC))
    assert "temperature" not in Snapshot.objects.get(current=True).content["metrics"]


def test_later_documents_of_a_mapped_code_are_owed_to_the_twin(door: Door, in_documents: UnmappedCode) -> None:
    browser("administrator").post("/fhir/codes/map/", {"code": in_documents.pk, "metric": "temperature"})
    Owed.objects.update(done_seq=F("seq"))
    before = Owed.objects.get(kind="twin").seq
    quantity = {"value": 38.9, "system": "http://unitsofmeasure.org", "code": "Cel"}
    part = {"code": {"coding": [{"system": "urn:vendor", "code": "core-temp"}]}, "valueQuantity": quantity}
    panel = {"coding": [{"system": "urn:vendor", "code": "panel"}]}
    body = heart_rate(
        code=panel, component=[part], note=[{"text": "by hand"}], effectiveDateTime="2026-01-05T10:00:00Z"
    )
    del body["valueQuantity"]
    assert door.post("Observation", body).status_code == 201
    assert Owed.objects.get(kind="twin").seq == before + 1


def test_the_page_tells_how_far_the_twins_are(unknown: UnmappedCode) -> None:
    client = browser("administrator")
    client.post("/fhir/codes/map/", {"code": unknown.pk, "metric": "heart_rate"})
    assert client.get("/fhir/codes/progress/").json() == {"progress": {str(unknown.pk): [0, 1]}}
    assert "0 of 1 twins up to date" in client.get("/fhir/").content.decode()
    refresh.refresh_owed(clock=lambda: datetime(2026, 1, 5, 12, tzinfo=UTC))
    assert client.get("/fhir/codes/progress/").json() == {"progress": {str(unknown.pk): [1, 1]}}


@pytest.mark.parametrize("path", [path for _, path in EXAMPLES])
def test_every_example_runs(door: Door, patient: str, path: str) -> None:
    assert door.get(path.replace("PATIENT", "p1")).status_code == 200


def test_the_queue_says_when_nothing_waits(db: None) -> None:
    assert (
        "Every code and unit received so far has a metric." in browser("administrator").get("/fhir/").content.decode()
    )
