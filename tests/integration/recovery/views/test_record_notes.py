"""A summary is sent to the record as it was previewed, once, by who may, and comes back over FHIR."""

import base64
from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.exact_json import loads
from recovery.models import AuditEvent, Document, EmergencyAccess
from tests import factories

pytestmark = pytest.mark.django_db


def preview(client, scene):
    context = client.get(reverse("record_send", args=[scene.episode.key])).context
    shown = {"token": str(context["token"]), "at": context["at"], "mark": context["mark"]}
    return shown, context["text"]


def sent(scene):
    return [
        loads(row.content) for row in Document.objects.filter(type="DocumentReference", patient=scene.episode.patient)
    ]


def test_what_was_previewed_is_what_stands_in_the_record_once_however_often_it_is_sent(scene):
    client = scene.client("own")
    shown, text = preview(client, scene)
    for _ in range(2):
        answer = client.post(reverse("record_send", args=[scene.episode.key]), shown | {"note": "Seen at 02:00."})
        assert answer.status_code == 302
    (document,) = sent(scene)
    words, paper = (one["attachment"] for one in document["content"])
    assert base64.b64decode(words["data"]).decode() == f"{text}\n\nNote: Seen at 02:00."
    assert base64.b64decode(paper["data"]).startswith(b"%PDF") and document["subject"]["reference"] == "Patient/ours"
    assert document["author"][0]["display"].startswith("own")
    assert AuditEvent.objects.filter(action="send_summary", patient=scene.episode.patient).count() == 1
    assert b"Sent." in client.get(answer["Location"]).content


def test_a_summary_that_has_changed_since_it_was_shown_is_shown_again_and_not_sent(scene):
    client = scene.client("own")
    shown, _ = preview(client, scene)
    factories.make_alert(scene.episode, scene.now, cause="fever", headline="Fever")
    answer = client.post(reverse("record_send", args=[scene.episode.key]), shown | {"note": "Mine"})
    assert answer.status_code == 409 and not sent(scene)
    body = answer.content.decode()
    assert "Nothing was sent" in body and "Fever" in body and ">Mine</textarea>" in body


@pytest.mark.parametrize("minutes", [-10, 20])
def test_a_preview_of_another_time_is_made_anew(scene, minutes):
    client = scene.client("own")
    shown, _ = preview(client, scene)
    shown["at"] = (scene.now - timedelta(minutes=minutes)).isoformat()
    assert client.post(reverse("record_send", args=[scene.episode.key]), shown).status_code == 409
    assert not sent(scene)


def test_who_is_here_in_an_emergency_sends_nothing(scene):
    EmergencyAccess.objects.create(
        user=scene.other,
        patient=scene.episode.patient,
        reason="cardiac arrest on the stairs",
        opened_at=scene.now - timedelta(minutes=1),
        until=scene.now + timedelta(hours=1),
    )
    assert scene.client("other").get(reverse("record_send", args=[scene.episode.key])).status_code == 403
