"""The hand-over of a shift goes into the record as it was read: one document a patient, once, by who may."""

import base64
from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.exact_json import loads
from recovery.models import AuditEvent, Document, EmergencyAccess
from tests import factories

pytestmark = pytest.mark.django_db


def read_form(client):
    """What the page would send: (common fields, key -> sheet)."""
    context = client.get(reverse("handover_file")).context
    common = {name: str(context[name]) for name in ("token", "at", "shift", "ward")}
    return common, {one.card.key: one for one in context["sheets"]}


def ticked(sheet, note=""):
    key = sheet.card.key
    return {f"{key}-file": "on", f"{key}-mark": sheet.mark, f"{key}-standing": sheet.standing, f"{key}-note": note}


def post(client, common, *parts):
    return client.post(reverse("handover_file"), common | {name: said for part in parts for name, said in part.items()})


def filed(episode):
    rows = Document.objects.filter(type="DocumentReference", patient=episode.patient).order_by("id")
    return [loads(row.content) for row in rows]


def test_what_was_read_is_filed_for_the_ticked_once_however_often_it_is_sent(scene):
    second = factories.make_episode(scene.episode.team, key="second", ended=scene.now, family_name="Sorel")
    client = scene.client("own")
    common, sheets = read_form(client)
    assert set(sheets) == {scene.episode.key, second.key}
    sheet = sheets[scene.episode.key]
    for _ in range(2):
        answer = post(client, common, ticked(sheet, "Family called."))
        assert answer.status_code == 302 and answer["Location"].endswith("filed=1")
    (document,) = filed(scene.episode)
    words, paper = (one["attachment"] for one in document["content"])
    assert base64.b64decode(words["data"]).decode() == f"{sheet.text}\n\nNote: Family called."
    assert "Hartmann" in sheet.text and scene.alert.headline in sheet.text and "Sorel" not in sheet.text
    assert base64.b64decode(paper["data"]).startswith(b"%PDF") and document["subject"]["reference"] == "Patient/ours"
    assert document["type"]["text"] == "Hand-over of a shift" and document["author"][0]["display"].startswith("own")
    assert AuditEvent.objects.filter(action="send_handover", patient=scene.episode.patient).count() == 1
    assert not filed(second) and "Filed in the record" in client.get(reverse("handover")).content.decode()


def test_filed_again_it_replaces_the_first_and_a_second_person_who_had_not_seen_it_is_told(scene):
    client = scene.client("own")
    common, sheets = read_form(client)
    late_common, late = read_form(client)
    post(client, common, ticked(sheets[scene.episode.key]))
    answer = post(client, late_common, ticked(late[scene.episode.key], "mine"))
    assert answer.status_code == 409 and len(filed(scene.episode)) == 1
    body = answer.content.decode()
    assert "Somebody else has filed a hand-over of this shift" in body and ">mine</textarea>" in body
    common, sheets = read_form(client)
    assert not sheets[scene.episode.key].is_ticked
    post(client, common, ticked(sheets[scene.episode.key]))
    first, then = filed(scene.episode)
    assert (first["status"], then["status"]) == ("superseded", "current")
    assert then["relatesTo"] == [
        {"code": "replaces", "target": {"reference": f"DocumentReference/{first['id']}"}},
    ]


def test_of_several_only_those_whose_words_have_changed_stay_behind(scene):
    second = factories.make_episode(scene.episode.team, key="second", ended=scene.now, family_name="Sorel")
    client = scene.client("own")
    common, sheets = read_form(client)
    factories.make_alert(scene.episode, scene.now, cause="fever", headline="Fever")
    answer = post(client, common, *(ticked(one, "Kept") for one in sheets.values()))
    assert answer.status_code == 409 and not filed(scene.episode) and len(filed(second)) == 1
    body = answer.content.decode()
    assert "1 was not filed</strong>, 1 was" in body and "Fever" in body and body.count(">Kept</textarea>") == 1


@pytest.mark.parametrize("minutes", [-10, 20])
def test_words_read_at_another_time_are_shown_anew(scene, minutes):
    client = scene.client("own")
    common, sheets = read_form(client)
    common["at"] = (scene.now - timedelta(minutes=minutes)).isoformat()
    assert post(client, common, ticked(sheets[scene.episode.key])).status_code == 409
    assert not filed(scene.episode)
    assert "Tick at least one patient" in post(client, common).content.decode()


def test_a_strangers_patient_is_not_filed_and_one_seen_in_an_emergency_is_not_listed(scene):
    common, sheets = read_form(scene.client("own"))
    sheet = sheets[scene.episode.key]
    EmergencyAccess.objects.create(
        user=scene.other,
        patient=scene.episode.patient,
        reason="cardiac arrest on the stairs",
        opened_at=scene.now - timedelta(minutes=1),
        until=scene.now + timedelta(hours=1),
    )
    assert scene.episode.key not in read_form(scene.client("other"))[1]
    post(scene.client("other"), common, ticked(sheet))
    assert not filed(scene.episode)
