"""Taking a record along, and reading who has used it."""

import csv
import io
import json

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import AuditEvent, ErasureRequest, Patient
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d
from tests import factories
from tests.functional.ward import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def documented(scene) -> None:
    """The patient as the record knows them."""
    write = d.patient(0, scene.episode.patient.fhir_id)
    deliver(delivery=Delivery("test", documents=(write,)), actor=Actor.system("test"), now=scene.now, atomic=True)


def take(scene, what: str, password: str = PASSWORD):
    return scene.client("patient").post(reverse("me_record_take"), {"what": what, "password": password})


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(("what", "starts"), [("pdf", b"%PDF-"), ("csv", "\ufefftime (UTC)".encode()), ("ips", b"{")])
def test_each_file_is_what_it_says_and_is_noted(scene, what, starts):
    answer = take(scene, what)
    assert answer.status_code == 200 and body(answer).startswith(starts)
    assert answer["Content-Disposition"].startswith("attachment") and answer["Cache-Control"] == "no-store"
    row = AuditEvent.objects.get(action="record_taken")
    assert row.patient_id == scene.episode.patient_id and row.detail == {"what": what}


def test_the_summary_for_another_hospital_is_an_international_patient_summary(scene):
    bundle = json.loads(body(take(scene, "ips")))
    types = [one["resource"]["resourceType"] for one in bundle["entry"]]
    assert bundle["type"] == "document" and types[:2] == ["Composition", "Patient"]


def test_the_table_holds_every_reading(scene):
    factories.make_reading(scene.episode)
    rows = list(csv.reader(io.StringIO(body(take(scene, "csv")).decode("utf-8-sig"))))
    assert len(rows) == 2 and rows[1][-1] == "no"


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " "])
def test_without_the_password_nothing_is_taken(scene, password):
    answer = take(scene, "pdf", password)
    assert answer.status_code == 400 and "not your password" in answer.content.decode()
    assert not AuditEvent.objects.filter(action="record_taken").exists()


def test_who_signs_in_without_a_password_must_have_done_so_a_moment_ago(scene):
    scene.patient.set_unusable_password()
    scene.patient.save()
    client = scene.client("patient")
    assert client.post(reverse("me_record_take"), {"what": "pdf"}).status_code == 200
    scene.patient.last_login = scene.now.replace(year=2020)
    scene.patient.save()
    assert client.post(reverse("me_record_take"), {"what": "pdf"}).status_code == 400


def test_the_patient_reads_who_looked_in_plain_words(scene):
    scene.client("own").get(reverse("patient", args=[scene.episode.key]))
    scene.client("own").get(reverse("patient", args=[scene.episode.key]))
    page = scene.client("patient").get(reverse("me_record")).content.decode()
    assert "looked at your recovery page, 2 times" in page and "Care team, Ward 7" in page
    assert "view_patient" not in page


def test_an_earlier_month_is_asked_for_by_its_day(scene):
    page = scene.client("patient").get(reverse("me_record"), {"until": "2020-01-31"}).content.decode()
    assert "Nobody in these 30 days" in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_either_end_of_the_calendar_is_no_error(scene, day):
    assert scene.client("patient").get(reverse("me_record"), {"until": day}).status_code == 200


def test_a_wish_to_be_erased_is_answered_by_an_administrator_and_read_by_the_patient(scene):
    patient, admin = scene.client("patient"), scene.client("administrator")
    patient.post(reverse("me_erasure"))
    assert patient.post(reverse("me_erasure")).status_code == 409
    key = ErasureRequest.objects.get().key
    assert admin.post(reverse("erasure_hold", args=[key]), {"reason": ""}).status_code == 400
    admin.post(reverse("erasure_hold", args=[key]), {"reason": "Kept ten years by law."})
    assert "Kept ten years by law." in patient.get(reverse("me_record")).content.decode()
    assert scene.client("own").post(reverse("erasure_erase", args=[key])).status_code == 403
    admin.post(reverse("erasure_erase", args=[key]))
    assert patient.get(reverse("me_record")).status_code == 302
    assert Patient.objects.get(pk=scene.episode.patient_id).name == "Unnamed patient"
    assert "rows erased" in admin.get(reverse("erasures")).content.decode()
