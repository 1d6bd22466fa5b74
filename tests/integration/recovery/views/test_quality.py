"""Data quality: from a square on the map to the message it stands for, in two clicks, for one's own patients alone."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from integrations.fhir import wire
from integrations.fhir.receiving import Tray, Wish
from recovery.audit import Actor
from recovery.services.ingestion import deliver

pytestmark = pytest.mark.django_db
UCUM = "http://unitsofmeasure.org"


def observation(scene, at, **value) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{scene.episode.patient.fhir_id}"},
        **value,
    } | ({"effectiveDateTime": at.isoformat()} if at else {})


def sent(scene, resource) -> None:
    tray = Tray()
    tray.take(wire.parse_object(json.dumps(resource).replace("83.5", "83.50").encode()), Wish(0, "create", None))
    receipt = deliver(delivery=tray.delivery("fhir"), actor=Actor.system("test"), now=scene.now, atomic=True)
    assert {one.status for one in receipt.outcomes.values()} == {"created"}


def single(scene, at):
    return observation(scene, at, valueQuantity={"value": 83.5, "unit": "/min", "system": UCUM, "code": "/min"})


def packet(scene, at):
    period = {"start": at.isoformat(), "end": (at + timedelta(minutes=2)).isoformat()}
    sampled = {
        "origin": {"value": 0, "system": UCUM, "code": "/min"},
        "period": 60000,
        "dimensions": 1,
        "data": "83.5 84 85",
    }
    return observation(scene, None, effectivePeriod=period, valueSampledData=sampled)


def click(client, page: str, pattern: str) -> str:
    href = unescape(re.search(f'href="({pattern})"', page)[1])
    answer = client.get(href)
    assert answer.status_code == 200, href
    return answer.content.decode()


@pytest.mark.parametrize("made", [single, packet])
def test_a_square_leads_to_the_very_message_in_two_clicks(scene, made):
    resource = made(scene, (scene.now - timedelta(hours=2)).replace(microsecond=0))
    sent(scene, resource)
    client = scene.client("own")
    quality = client.get(reverse("quality"), {"metric": "heart_rate"}).content.decode()
    listed = click(client, quality, r"/patients/[^\"]*/readings/heart_rate/\?day=[^\"]*")
    assert "Only those of" in listed
    reading = click(client, listed, r"/patients/[^\"]*/readings/heart_rate/[^\"?]+/")
    shown = unescape(re.search(r"<pre[^>]*>(.*?)</pre>", reading, re.S)[1])
    assert "83.50" in shown, "as it was sent, to the digit"
    message = json.loads(shown.replace("83.50", "83.5"))
    del message["id"], message["meta"]
    assert message == json.loads(json.dumps(resource))


def test_another_day_shows_none_and_what_is_no_day_shows_all(scene):
    sent(scene, single(scene, scene.now - timedelta(hours=2)))
    client, address = scene.client("own"), reverse("readings", args=[scene.episode.key, "heart_rate"])
    assert "have been received on that day" in client.get(address, {"day": "2020-02-02"}).content.decode()
    for nonsense in ("0001-01-01", "9999-12-31", "x", "2020-13-40"):
        page = client.get(address, {"day": nonsense}).content.decode()
        assert "83.5" in page or "84" in page
        assert "Only those of" not in page


def test_a_message_sent_twice_is_counted_beside_its_source_and_one_source_alone_is_compared_with_none(scene):
    resource = single(scene, (scene.now - timedelta(hours=2)).replace(microsecond=0))
    before = scene.client("own").get(reverse("quality"), {"metric": "heart_rate"}).content.decode()
    assert "came again" not in before
    sent(scene, resource)
    tray = Tray()
    tray.take(wire.parse_object(json.dumps(resource).replace("83.5", "83.50").encode()), Wish(0, "create", None))
    deliver(delivery=tray.delivery("fhir"), actor=Actor.system("test"), now=scene.now, atomic=True)
    page = scene.client("own").get(reverse("quality"), {"metric": "heart_rate"}).content.decode()
    assert "1 reading of all measures came again" in page
    assert "by fhir" in page
    assert "No patient here has two sources of this measure" in page
