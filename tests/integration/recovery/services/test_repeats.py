"""Readings that came again are held once and counted, whichever way they came."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.fhir import wire
from integrations.fhir.receiving import Tray, Wish
from recovery.audit import Actor
from recovery.models import Device, Repeated, Sample
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
AT = datetime(2026, 3, 4, 6, tzinfo=UTC)
UCUM = "http://unitsofmeasure.org"


def send(delivery: Delivery):
    return deliver(delivery=delivery, actor=Actor.system("test"), now=NOW, atomic=False)


def through_the_door(*resources: tuple[dict, str | None]) -> set[str]:
    tray = Tray()
    for index, (resource, fhir_id) in enumerate(resources):
        said = wire.parse_object(json.dumps(resource).encode())
        tray.take(said, Wish(index, "put" if fhir_id else "create", fhir_id))
    return {one.status for one in send(tray.delivery("fhir")).outcomes.values()}


def pulse(minute: int, value: float = 70, **more) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": (AT + timedelta(minutes=minute)).isoformat(),
        "valueQuantity": {"value": value, "unit": "/min", "system": UCUM, "code": "/min"},
    } | more


def pressure(**more) -> dict:
    """A blood pressure: a document, of which two samples are drawn."""
    said = pulse(5, **more)
    del said["valueQuantity"]
    said["code"] = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    said["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 120), ("8462-4", 80))
    ]
    return said


def counted() -> int:
    return sum(Repeated.objects.values_list("readings", flat=True))


@pytest.fixture(autouse=True)
def enrolled():
    send(d.enrolment())


def test_what_is_sent_once_is_not_counted():
    through_the_door((pulse(1), None), (pulse(2), None), (pressure(id="bp"), "bp"))
    assert Sample.objects.count() == 4
    assert not Repeated.objects.exists()


def test_readings_sent_again_are_dropped_and_counted_to_the_number():
    through_the_door(*((pulse(minute), None) for minute in range(10)))
    assert through_the_door(*((pulse(minute), None) for minute in range(5, 15))) == {"created", "unchanged"}
    assert (Sample.objects.count(), counted()) == (15, 5)
    through_the_door((pulse(3), None), (pulse(3), None))
    assert (Sample.objects.count(), counted()) == (15, 7)


def test_a_reading_twice_in_one_message_is_counted_once():
    through_the_door((pulse(1), None), (pulse(1), None))
    assert (Sample.objects.count(), counted()) == (1, 1)


def test_a_packet_sent_again_is_counted_as_one():
    for _ in range(2):
        send(Delivery("test", packets=(d.packet(0, 5, [80.0, 81.0, 82.0]),)))
    assert (Sample.objects.count(), counted()) == (3, 1)


def test_a_document_sent_again_counts_the_numbers_drawn_from_it_and_a_copy_under_another_name_too():
    through_the_door((pressure(id="bp"), "bp"))
    through_the_door((pressure(id="bp"), "bp"))
    assert counted() == 2
    through_the_door((pressure(id="copy"), "copy"))
    assert counted() == 4
    through_the_door((pressure(id="copy"), "copy"))
    assert (Sample.objects.count(), counted()) == (2, 6)


def test_a_reading_that_was_taken_back_and_is_said_again_speaks_again_and_is_not_counted():
    through_the_door((pressure(id="bp"), "bp"))
    through_the_door((pressure(id="bp", status="entered-in-error"), "bp"))
    assert Sample.objects.filter(ended_batch=None).count() == 0
    through_the_door((pressure(id="bp"), "bp"))
    assert Sample.objects.filter(ended_batch=None).count() == 2
    assert counted() == 0


def test_the_firmware_of_a_device_is_known_and_renewed():
    device = {
        "resourceType": "Device",
        "id": "w",
        "patient": {"reference": "Patient/p1"},
        "version": [{"type": {"text": "firmware"}, "value": "3.2.1"}, {"value": "B"}],
    }
    through_the_door((device, "w"))
    assert Device.objects.get(fhir_id="w").version == "firmware 3.2.1, B"
    through_the_door((device | {"version": [{"type": {"text": "firmware"}, "value": "4.0"}]}, "w"))
    assert Device.objects.get(fhir_id="w").version == "firmware 4.0"
