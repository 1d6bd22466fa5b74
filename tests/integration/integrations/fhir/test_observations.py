"""Observations through the door: what is sent comes back, and the same reading twice is one reading."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from recovery.models import Batch, Document, Packet, Sample, Series
from recovery.services.lives import former
from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import heart_rate, json_of, observation_texts, sampled
from tests.unit.integrations.fhir.streams.test_template import exactly


def created(door: Door, text: str) -> str:
    response = door.post("Observation", text)
    assert response.status_code in (200, 201), response.content
    return response["Location"].split("/fhir/")[1].partition("/_history")[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=observation_texts())
def test_read_of_create_is_what_was_sent_plus_id_and_meta(door: Door, patient: str, text: str) -> None:
    Sample.objects.all().delete()  # each example for itself: the same reading again would keep its first `issued`
    Packet.objects.all().delete()
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


def standing() -> list[float]:
    return sorted(Sample.objects.filter(ended_batch__isnull=True).values_list("value", flat=True))


@pytest.mark.parametrize("chosen", [True, False])
def test_a_changed_reading_has_a_history_and_speaks_once(door: Door, patient: str, chosen: bool) -> None:
    if chosen:
        door.put("Observation/my-1", heart_rate(id="my-1"))
    address = "Observation/my-1" if chosen else created(door, json.dumps(heart_rate()))
    name = address.partition("/")[2]
    changed = heart_rate(id=name, valueQuantity={**heart_rate()["valueQuantity"], "value": 74})
    assert door.put(address, changed, If_Match='W/"1"').status_code == 200
    assert content(door.get(address))["valueQuantity"]["value"] == 74
    assert content(door.get(f"{address}/_history/1"))["valueQuantity"]["value"] == 72
    assert content(door.get(f"{address}/_history"))["total"] == 2
    assert standing() == [74.0]


def test_a_reading_entered_in_error_stops_speaking_and_stays_readable(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    void = heart_rate(id=address.partition("/")[2], status="entered-in-error")
    assert door.put(address, void).status_code == 200
    assert content(door.get(address))["status"] == "entered-in-error" and standing() == []


def test_a_deleted_reading_sent_again_is_revived_as_its_next_version(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    assert door.delete(address).status_code == 204
    assert door.get(address).status_code == 410 and standing() == []
    assert door.delete(address).status_code == 204
    again = door.post("Observation", heart_rate())
    assert (again.status_code, again["ETag"]) == (201, 'W/"3"') and standing() == [72.0]
    assert content(door.get(address))["meta"]["versionId"] == "3"
    methods = [one["request"]["method"] for one in content(door.get(f"{address}/_history"))["entry"]]
    assert methods == ["PUT", "DELETE", "PUT"]
    assert door.post("Observation", heart_rate())["ETag"] == 'W/"3"' and standing() == [72.0]


def test_a_reading_entered_in_error_and_sent_again_speaks_again(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    door.put(address, heart_rate(id=address.partition("/")[2], status="entered-in-error"))
    assert standing() == []
    again = door.post("Observation", heart_rate())
    assert again["Location"].endswith(f"{address}/_history/3") and standing() == [72.0]


def test_a_retry_does_not_undo_a_correction(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    right = {**heart_rate()["valueQuantity"], "value": 74}
    door.put(address, heart_rate(id=address.partition("/")[2], valueQuantity=right))
    again = door.post("Observation", heart_rate())
    assert (again.status_code, again["ETag"]) == (200, 'W/"2"') and standing() == [74.0]


@pytest.mark.parametrize("said", [heart_rate(), sampled()])
def test_a_packet_or_number_deleted_and_sent_twice_over_keeps_every_life(
    door: Door, patient: str, said: dict[str, object]
) -> None:
    address = created(door, json.dumps(said))
    for version in (3, 5):
        door.delete(address)
        assert standing() == []
        again = door.post("Observation", said)
        assert again["ETag"] == f'W/"{version}"' and standing()
    assert content(door.get(f"{address}/_history"))["total"] == 5


def test_an_earlier_life_is_known_as_of_its_time(door: Door, patient: str) -> None:
    noted = heart_rate(id="n-1", note=[{"text": "after a walk"}])
    heard = []
    for said in (noted, {**noted, "status": "entered-in-error"}, noted):
        door.put("Observation/n-1", said)
        heard.append(Batch.objects.latest("pk").received_at)
    series = Series.objects.get(metric="heart_rate")
    known = [
        [row.value for row in Sample.objects.known_at(at)] + [one[2] for one in former([series.pk], 0, 2**60, at)]
        for at in (*heard, None)
    ]
    assert known == [[72.0], [], [72.0], [72.0]]


def test_two_documents_say_one_number_and_voiding_either_leaves_the_other_speaking(door: Door, patient: str) -> None:
    one, other = (heart_rate(id=name, note=[{"text": name}]) for name in ("n-1", "n-2"))
    void = {"status": "entered-in-error"}
    for said, expected in (
        (one, [72.0]),
        (other, [72.0]),
        ({**one, **void}, [72.0]),
        ({**other, **void}, []),
        (other, [72.0]),
        (one, [72.0]),
        ({**one, **void}, [72.0]),
    ):
        assert door.put(f"Observation/{said['id']}", said).status_code in (200, 201)
        assert standing() == expected


@pytest.mark.parametrize("said", [heart_rate(), sampled()])
def test_one_reading_under_two_ids_is_read_under_both(door: Door, patient: str, said: dict[str, object]) -> None:
    for name in ("my-1", "my-2"):
        answer = door.put(f"Observation/{name}", {**said, "id": name})
        assert answer.status_code == 201 and f"/Observation/{name}/_history/1" in answer["Location"]
        assert content(door.get(f"Observation/{name}"))["id"] == name
        assert door.put(f"Observation/{name}", {**said, "id": name}).status_code == 200
    door.delete("Observation/my-1")
    assert door.get("Observation/my-1").status_code == 410
    assert door.get("Observation/my-2").status_code == 200 and standing()


def test_two_ids_for_one_reading_in_one_bundle_are_both_kept(door: Door, patient: str) -> None:
    entries = [
        {"resource": heart_rate(id=name), "request": {"method": "PUT", "url": f"Observation/{name}"}}
        for name in ("a", "b")
    ]
    answer = content(door.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    assert [one["response"]["location"] for one in answer["entry"]] == [
        "Observation/a/_history/1",
        "Observation/b/_history/1",
    ]
    assert content(door.get("Observation/b"))["valueQuantity"]["value"] == 72


def test_a_deleted_packet_takes_its_samples_with_it_but_not_those_of_another(door: Door, patient: str) -> None:
    later = {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T14:00:00Z"}
    address = created(door, json.dumps(sampled("70 71 72 73")))
    created(door, json.dumps(sampled("72 73 74 75", effectivePeriod=later)))
    assert door.delete(address).status_code == 204
    assert standing() == [72.0, 73.0, 74.0, 75.0]


def test_a_corrected_packet_says_again_what_it_shares_with_the_voided_one(door: Door, patient: str) -> None:
    address = created(door, json.dumps(sampled("70 71 72 73")))
    assert door.delete(address).status_code == 204
    created(door, json.dumps(sampled("70 71 72 99")))
    assert standing() == [70.0, 71.0, 72.0, 99.0]


def test_a_number_beyond_any_float_in_a_packet_is_kept_as_text_and_is_no_sample(door: Door, patient: str) -> None:
    address = created(door, json.dumps(sampled("70 1e999 72 -1e999")))
    assert content(door.get(address))["valueSampledData"]["data"] == "70 1e999 72 -1e999"
    assert standing() == [70.0, 72.0]


def test_a_number_of_a_deleted_document_speaks_again_when_another_document_says_it(door: Door, patient: str) -> None:
    noted = heart_rate(note=[{"text": "after a walk"}])
    address = created(door, json.dumps(noted))
    assert door.delete(address).status_code == 204 and standing() == []
    corrected = created(door, json.dumps(noted))
    assert standing() == [72.0]
    assert door.delete(corrected).status_code == 204 and standing() == []


def test_a_stale_version_is_not_overwritten(door: Door, patient: str) -> None:
    address = created(door, json.dumps(heart_rate()))
    name = address.partition("/")[2]
    changed = heart_rate(id=name, valueQuantity={**heart_rate()["valueQuantity"], "value": 74})
    assert door.put(address, changed, If_Match='W/"1"').status_code == 200
    again = {**changed, "status": "amended"}
    assert door.put(address, again, If_Match='W/"1"').status_code == 412
    assert content(door.get(address))["status"] == "final"


def test_a_document_that_says_a_number_takes_it_back_and_says_it_again(door: Door, patient: str) -> None:
    noted = heart_rate(id="n-1", note=[{"text": "after a walk"}])
    void = {**noted, "status": "entered-in-error"}
    for said, expected in ((noted, [72.0]), (void, []), (noted, [72.0])):
        assert door.put("Observation/n-1", said).status_code in (200, 201)
        assert standing() == expected


@pytest.mark.parametrize("said", [heart_rate(issued="2026-01-05T09:00:00Z"), sampled()])
def test_the_answer_to_a_create_is_what_a_read_gives(door: Door, patient: str, said: dict[str, object]) -> None:
    response = door.post("Observation", said)
    address = response["Location"].split("/fhir/")[1].partition("/_history")[0]
    assert response.content == door.get(address).content


_UNSAID = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
# 70 and 73 are what the data would be if the zero were 0; nobody said that it is.
_ASKED = {
    "patient=p1": 1,
    "code=8867-4": 1,
    "combo-value-quantity=70": 0,
    "combo-value-quantity=lt73.5": 0,
    "combo-value-quantity=gt69||/min": 0,
}


@pytest.mark.parametrize("more", [{}, {"_value": _UNSAID}], ids=["absent", "said to be unknown"])
@pytest.mark.parametrize("where", ["itself", "component"])
def test_sampled_data_whose_zero_has_no_value_is_kept_and_has_no_numbers(
    door: Door, patient: str, where: str, more: dict[str, object]
) -> None:
    """R4 lets SampledData.origin be a unit alone; what the data mean is then unknown: no Sample, no quantity found."""
    value = sampled()["valueSampledData"]
    value = {**value, "origin": {**{key: said for key, said in value["origin"].items() if key != "value"}, **more}}
    said = sampled(valueSampledData=value)
    if where == "component":
        said = {**sampled(valueSampledData=None), "component": [{"code": said["code"], "valueSampledData": value}]}
    answer = door.post("Observation", said)
    assert answer.status_code == 201, answer.content
    address = f"Observation/{content(answer)['id']}"
    read = content(door.get(address))
    assert (read["component"][0] if where == "component" else read)["valueSampledData"] == value
    assert not Sample.objects.exists() and not Packet.objects.exists()
    found = {query: content(door.get(f"Observation?{query}")).get("total") for query in _ASKED}
    assert found == _ASKED
    assert door.put(address, {**said, "id": content(answer)["id"], "status": "amended"}).status_code == 200
    assert content(door.get(f"{address}/_history"))["total"] == 2
    assert door.delete(address).status_code == 204


def dated_in(hours: float) -> dict[str, Any]:
    return heart_rate(effectiveDateTime=(datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds"))


@pytest.mark.parametrize(("hours", "severities"), [(3.0, ["information", "warning"]), (0.05, ["information"])])
def test_a_reading_dated_ahead_is_taken_with_a_warning_to_whom_asks(
    door: Door, patient: str, hours: float, severities: list[str]
) -> None:
    """Held out of the twin, not refused: the record is the sender's."""
    answer = door.post("Observation", dated_in(hours), Prefer="return=OperationOutcome")
    issues = content(answer)["issue"]
    assert answer.status_code == 201 and [one["severity"] for one in issues] == severities
    assert hours < 1 or "dated 3.0 hours ahead" in issues[1]["diagnostics"]
    again = {"resource": dated_in(hours), "request": {"method": "POST", "url": "Observation"}}
    sent = {"resourceType": "Bundle", "type": "batch", "entry": [again]}
    [entry] = content(door.post("", sent, Prefer="return=OperationOutcome"))["entry"]
    assert [one["severity"] for one in entry["response"]["outcome"]["issue"]] == severities
    assert Sample.objects.filter(ended_batch__isnull=True).exists()
