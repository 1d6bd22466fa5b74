"""What other systems read of a reading that the care team has marked as wrong."""

import json

import pytest
from django.utils import timezone

from recovery.audit import Actor
from recovery.exceptions import Conflict
from recovery.models import Patient, Sample
from recovery.services import marking
from recovery.services.marking import WrongReading
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.test_observations import created
from tests.unit.integrations.fhir.observations import heart_rate

pytestmark = pytest.mark.django_db
NURSE = Actor("user", None, "noor")


def wrong(value: float = 72.0) -> WrongReading:
    row = Sample.objects.get(value=value)
    return WrongReading(Patient.objects.get().pk, (row.series_id, row.at_ms, row.value, row.digits))


def test_it_reads_as_entered_in_error_and_back_again_after_an_undo(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    marking.mark_reading(reading=wrong(), reason="Device fault", actor=NURSE, now=timezone.now())
    told = content(door.get(address))
    assert (told["status"], told["meta"]["versionId"]) == ("entered-in-error", "2")
    assert told["valueQuantity"] == heart_rate()["valueQuantity"]
    marking.unmark_reading(reading=wrong(), actor=NURSE, now=timezone.now())
    told = content(door.get(address))
    assert (told["status"], told["meta"]["versionId"]) == ("final", "3")


def test_a_search_leaves_it_out_and_a_retry_does_not_bring_it_back(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    marking.mark_reading(reading=wrong(), reason="Device fault", actor=NURSE, now=timezone.now())
    assert content(door.get(f"Observation?patient={patient}&_summary=count"))["total"] == 0
    again = door.post("Observation", heart_rate())
    assert again.status_code == 200 and address in again["Location"]
    assert content(door.get(address))["status"] == "entered-in-error"


def test_a_correction_of_its_sender_speaks(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    marking.mark_reading(reading=wrong(), reason="Device fault", actor=NURSE, now=timezone.now())
    right = {**heart_rate()["valueQuantity"], "value": 74}
    put = door.put(address, heart_rate(id=address.partition("/")[2], valueQuantity=right))
    assert put.status_code == 200
    assert list(Sample.objects.filter(ended_batch__isnull=True).values_list("value", flat=True)) == [74.0]
    with pytest.raises(Conflict, match="changed or taken back"):
        marking.unmark_reading(reading=wrong(72.0), actor=NURSE, now=timezone.now())
