"""Finding a patient, the theme, the tour, the summary: what stands around every page of the workspace."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from recovery.models import Alert, AlertTransition, AuditEvent, Desk, Finding
from tests import factories

pytestmark = pytest.mark.django_db


def find(scene, words: str, who: str = "own"):
    return scene.client(who).post(reverse("search"), {"q": words})


@pytest.mark.parametrize("words", ["hartm", "S-1", "ida HART", "hart s-1"])
def test_a_patient_is_found_by_any_part_of_name_or_number(scene, words):
    assert [one.name for one, _ in find(scene, words).context["rows"]] == ["Ida Hartmann"]


def test_letters_beyond_ascii_are_found_whatever_their_case(scene):
    factories.make_episode(scene.episode.team, key="z", ended=scene.now, given_name="Žofie", family_name="ÖSTERREICHER")
    assert len(find(scene, "žofie österreicher").context["rows"]) == 1


def test_a_strangers_patient_is_never_found(scene):
    assert find(scene, "Quill").context["rows"] == []
    assert find(scene, "quill", "other").context["rows"] != []


def test_the_words_stand_in_no_address_and_no_audit_row(scene):
    find(scene, "Hartmann")
    row = AuditEvent.objects.get(action="search_patients")
    assert row.detail == {"episodes": [str(scene.episode.key)], "found": 1}
    assert scene.client("own").get(reverse("search") + "?q=Hartmann").context["rows"] == []
    assert b'method="get"' not in scene.client("own").get(reverse("search")).content


def test_markup_in_the_words_is_shown_as_text(scene):
    assert b"<b>x" not in find(scene, "<b>x").content


def test_a_chosen_theme_holds_on_the_next_page_and_on_the_next_device(scene):
    client = scene.client("own")
    answer = client.post(reverse("theme"), {"theme": "dark", "next": "/patients/"})
    assert answer["Location"] == "/patients/" and Desk.objects.get().theme == "dark"
    body = client.get("/patients/").content.decode()
    assert '<html lang="en" data-theme="dark">' in body and "css/theme." in body
    another = scene.client("own")
    another.get("/patients/")
    assert 'data-theme="dark"' in another.get("/patients/").content.decode()
    client.post(reverse("theme"), {"theme": "system"})
    assert "data-theme" not in client.get("/patients/").content.decode()


@pytest.mark.parametrize("wanted", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_the_theme_leads_to_no_other_site(scene, wanted):
    assert scene.client("own").post(reverse("theme"), {"theme": "dark", "next": wanted})["Location"] == "/"


def test_a_cookie_from_elsewhere_writes_nothing_into_the_page(scene):
    client = scene.client("own")
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/patients/").content.decode()


def test_the_themes_hold_the_tokens_of_the_sheet():
    root = settings.BASE_DIR / "static" / "css"
    tokens = [
        set(re.findall(r"--[\w-]+: [^;]+;", part)) for part in (root / "theme.css").read_text().split("html[")[1:3]
    ]
    sheet = (root / "twin.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.S)[:2]
    for own, theirs in zip(tokens, (light, dark), strict=True):
        assert set(re.findall(r"--[\w-]+: [^;]+;", theirs)) - own <= {"--radius: 10px;", "--gap: 16px;"}


def test_the_tour_is_offered_once_and_its_alert_is_stored_nowhere(scene):
    client = scene.client("own")
    assert "Two minutes round" in client.get("/patients/").content.decode()
    before = Alert.objects.count(), AlertTransition.objects.count()
    said = client.post(reverse("tour_practise"), {"answer": "snooze"}).content.decode()
    assert "That is what it does." in said and "stored nowhere" in said
    assert (Alert.objects.count(), AlertTransition.objects.count()) == before
    client.post(reverse("tour_end"))
    assert "Two minutes round" not in client.get("/patients/").content.decode()


def test_the_summary_is_text_to_copy_and_a_pdf(scene):
    client = scene.client("own")
    text = client.get(f"/patients/{scene.episode.key}/").context["summary"]
    for part in ("Ida Hartmann [synthetic patient]", "State: On track", "12 in 100", "Heart rate: 82 /min", "as of"):
        assert part.lower() in text.lower()
    answer = client.get(reverse("patient_summary", args=[scene.episode.key]))
    assert answer.content.startswith(b"%PDF-1.") and "S-1" not in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(action="export_summary", patient=scene.episode.patient).count() == 1


def test_a_patient_without_anything_computed_has_a_summary_too(scene):
    scene.episode.snapshots.all().delete()
    assert scene.client("own").get(reverse("patient_summary", args=[scene.episode.key])).status_code == 200


def test_discharge_and_diagnoses_are_marked_on_the_charts(scene):
    scene.episode.discharged_at = scene.now - timedelta(hours=6)
    scene.episode.save()
    Finding.objects.create(
        patient=scene.episode.patient,
        document_type="Condition",
        fhir_id="c1",
        kind="complication",
        key="pneumonia",
        text="Pneumonia",
        recorded_at=scene.now - timedelta(hours=3),
    )
    body = scene.client("own").get(f"/patients/{scene.episode.key}/").content.decode()
    assert "<title>discharged</title>" in body and "<title>Pneumonia</title>" in body  # a word beside it: where it fits
