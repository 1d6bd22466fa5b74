"""Observations through the door: what is sent comes back, and the same reading twice is one reading."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from recovery.models import Document, Packet, Sample
from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import heart_rate, json_of, observation_texts, sampled
from tests.unit.integrations.fhir.streams.test_template import exactly


def created(door: Door, text: str) -> str:
    response = door.post("Observation", text)
    assert response.status_code in (200, 201), response.content
    return response["Location"].split("/fhir/")[1].partition("/_history")[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=observation_texts())
def test_read_of_create_is_what_was_sent_plus_id_and_meta(door: Door, patient: str, text: str) -> None:
    address = created(door, text)
    found = content(door.get(address))
    sent = json_of(text)
    assert found["id"] == address.partition("/")[2]
    meta = {key: value for key, value in found.pop("meta").items() if key not in ("versionId", "lastUpdated")}
    sent_meta = {key: value for key, value in sent.pop("meta", {}).items() if key != "versionId"}
    found.pop("id")
    assert exactly(found) == exactly(sent) and meta == sent_meta


def test_the_same_reading_twice_is_one_reading(door: Door, patient: str) -> None:
    first, again = door.post("Observation", heart_rate()), door.post("Observation", heart_rate())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first["Location"] == again["Location"]
    assert Sample.objects.count() == 1 and Document.objects.filter(type="Observation").count() == 0


def test_the_same_packet_twice_is_one_packet(door: Door, patient: str) -> None:
    first, again = door.post("Observation", sampled()), door.post("Observation", sampled())
    assert (first.status_code, again.status_code) == (201, 200)
    assert Packet.objects.count() == 1 and Sample.objects.count() == 3


def test_a_component_observation_is_kept_whole_and_its_numbers_are_samples(door: Door, patient: str) -> None:
    part = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "valueQuantity": heart_rate()["valueQuantity"],
    }
    said = heart_rate(
        code={"coding": [{"system": "http://loinc.org", "code": "85353-1"}]}, valueQuantity=None, component=[part]
    )
    address = created(door, json.dumps(said))
    assert content(door.get(address))["component"] == [part]
    assert list(Sample.objects.values_list("value", "series__metric", "fhir_id")) == [
        (72.0, "heart_rate", address[12:])
    ]


def test_a_reading_of_an_unknown_patient_is_refused_with_the_remedy(door: Door) -> None:
    response = door.post("Observation", heart_rate())
    issue = content(response)["issue"][0]
    assert response.status_code == 422 and issue["expression"] == ["Observation.subject"]
    assert "send the Patient first" in issue["diagnostics"]


def test_an_observation_at_an_id_of_the_senders_is_read_there(door: Door, patient: str) -> None:
    assert door.put("Observation/my-1", heart_rate(id="my-1")).status_code == 201
    assert door.put("Observation/my-1", heart_rate(id="my-1")).status_code == 200
    found = content(door.get("Observation/my-1"))
    assert (found["id"], found["valueQuantity"]["value"]) == ("my-1", 72)


@pytest.mark.parametrize("prefer", ["return=minimal", "return=representation", "return=OperationOutcome"])
def test_the_answer_to_a_create_is_as_the_caller_prefers(door: Door, patient: str, prefer: str) -> None:
    response = door.post("Observation", heart_rate(), Prefer=prefer)
    assert response.status_code == 201 and response["ETag"] == 'W/"1"' and response["Last-Modified"]
    kind = None if not response.content else content(response)["resourceType"]
    assert kind == {"return=minimal": None, "return=representation": "Observation"}.get(prefer, "OperationOutcome")
