"""Where things came from is told per delivery and patient, and of conclusions by model and readings."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from integrations.fhir import guide, validation, wire
from recovery.models import AuditEvent, Episode, Snapshot
from recovery.services import refresh
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate

SUBJECT = {"reference": "Patient/p1"}


def resources(door: Door, query: str) -> list[dict]:
    return [one["resource"] for one in content(door.get(query)).get("entry", [])]


def targets(resource: dict) -> list[str]:
    return [one["reference"] for one in resource["target"]]


@pytest.fixture
def reading(door: Door, patient: str) -> str:
    other = Door(token_for("system/*.cruds", "ward gateway"))
    sent = other.post("Observation", heart_rate(device={"reference": "Device/d1"}))
    assert sent.status_code == 201, sent.content
    return f"Observation/{content(sent)['id']}"


def test_a_reading_says_which_system_and_device_brought_it(door: Door, reading: str) -> None:
    (found,) = resources(door, f"Provenance?target={reading}")
    assert targets(found) == [reading]
    assert found["agent"][0]["who"]["display"] == "ward gateway"
    assert found["agent"][1]["who"] == {"reference": "Device/d1"}
    answer = door.get(f"Provenance/{found['id']}")
    assert validation.check(wire.parse_object(answer.content)) == "Provenance" and content(answer) == found


def test_every_version_of_a_document_says_so(door: Door, patient: str) -> None:
    for gender in ("female", "other"):
        door.put("Patient/p1", {"resourceType": "Patient", "id": "p1", "gender": gender})
    door.put("Patient/p1", {"resourceType": "Patient", "id": "p1", "gender": "other"})  # unchanged
    assert len(resources(door, "Provenance?target=Patient/p1")) == 2


def test_a_packet_and_a_document_in_one_bundle_have_one_origin(door: Door, patient: str) -> None:
    condition = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "code": {"text": "asthma"}}
    entry = [
        {"request": {"method": "PUT", "url": "Condition/c1"}, "resource": condition},
        {"request": {"method": "POST", "url": "Observation"}, "resource": heart_rate()},
    ]
    assert door.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entry}).status_code == 200
    (found,) = resources(door, "Provenance?target=Condition/c1")
    assert len(found["target"]) == 2


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("patient=p1", 3),
        ("patient=Patient/p1&agent-type=transmitter", 3),
        ("patient=p1&agent=Device/d1", 1),
        ("patient=nobody", 0),
        ("target=Observation/none", 0),
        ("target=r-1-1-1", 0),
        ("recorded=lt2020", 0),
        ("patient=p1&recorded=ge2020&_total=accurate", 3),
        ("_id=none", 0),
        ("_id=arrival-0,arrival-x,arrival-99999999999999999999,twin-x", 0),
    ],
)
def test_it_is_found_by_what_it_says(door: Door, reading: str, query: str, hits: int) -> None:
    assert len(resources(door, f"Provenance?{query}")) == hits


@pytest.mark.parametrize("count", [1, 2])
def test_pages_hold_each_once_beside_what_others_state(door: Door, reading: str, count: int) -> None:
    theirs = {"resourceType": "Provenance", "target": [SUBJECT], "recorded": "2026-01-05T08:00:00Z"}
    assert door.post("Provenance", {**theirs, "agent": [{"who": {"display": "them"}}]}).status_code == 201
    seen, url = [], f"Provenance?patient=p1&_count={count}"
    while url:
        page = content(door.get(url))
        seen += [one["resource"]["id"] for one in page["entry"]]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    # three deliveries of ours (the person, the device, the reading), their statement, and the delivery that brought it
    assert len(seen) == len(set(seen)) == len(resources(door, "Provenance?patient=p1")) >= 4


def test_what_was_sent_again_brought_nothing(door: Door, reading: str) -> None:
    before = len(resources(door, "Provenance?patient=p1"))
    door.post("Observation", heart_rate(device={"reference": "Device/d1"}))
    assert len(resources(door, "Provenance?patient=p1")) == before
    assert AuditEvent.objects.filter(action="ingest").count() == before + 1


def test_it_is_only_told_of_what_the_token_may_read(door: Door, reading: str) -> None:
    assert Door(token_for("system/Observation.rs", "narrow")).get("Provenance?patient=p1").status_code == 403
    assert door.delete(f"Provenance/{resources(door, 'Provenance?patient=p1')[0]['id']}").status_code == 405


def test_conclusions_name_the_model_and_the_readings_they_stand_on(door: Door, patient: str) -> None:
    person, operation = {"reference": "Patient/p1"}, {"resourceType": "Procedure", "id": "op", "status": "completed"}
    operation |= {"performedPeriod": {"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T07:00:00Z"}}
    operation |= {"category": {"coding": [{"system": "http://snomed.info/sct", "code": "387713003"}]}}
    assert door.put("Procedure/op", {**operation, "subject": person}).status_code == 201
    for hour in range(8, 12):
        reading = heart_rate(effectiveDateTime=f"2026-01-05T{hour:02d}:10:00Z")
        assert door.post("Observation", reading).status_code == 201
    refresh.refresh_owed(clock=lambda: datetime(2026, 1, 5, 12, tzinfo=UTC))
    episode = Episode.objects.get()
    risks = content(door.get(f"RiskAssessment/{episode.key}"))
    basis = [one["reference"] for one in risks["basis"]]
    assert basis[0] == f"Procedure/{episode.fhir_id}" and len(basis) > 1
    for reference in basis:
        assert door.get(reference).status_code == 200, reference
    (found,) = [one for one in resources(door, f"Provenance?target=RiskAssessment/{episode.key}")]
    assert found["agent"][0]["who"]["identifier"]["value"] == Snapshot.objects.get(current=True).model_version
    assert [one["what"]["reference"] for one in found["entity"]] == basis
    for reference in targets(found):
        assert door.get(reference).status_code == 200, reference
    day = resources(door, f"Observation?patient={episode.patient.fhir_id}&status=preliminary")[0]
    assert [one["reference"] for one in day["derivedFrom"]] == basis[1:]


def test_a_page_of_readings_brings_its_origins_along(door: Door, patient: str) -> None:
    for hour in (8, 9):
        reading = heart_rate(effectiveDateTime=f"2026-01-05T{hour:02d}:10:00Z")
        assert door.post("Observation", reading).status_code == 201
    entries = content(door.get("Observation?patient=p1&_revinclude=Provenance:target"))["entry"]
    matched = {f"Observation/{one['resource']['id']}" for one in entries if one["search"]["mode"] == "match"}
    brought = [one["resource"] for one in entries if one["search"]["mode"] == "include"]
    assert len(matched) == len(brought) == 2 and {target for one in brought for target in targets(one)} == matched
    narrow = Door(token_for("system/Observation.rs", "narrow"))
    alone = content(narrow.get("Observation?patient=p1&_revinclude=Provenance:target"))["entry"]
    assert {one["search"]["mode"] for one in alone} <= {"match", "outcome"}


def test_a_reading_taken_back_keeps_its_origin(door: Door, reading: str) -> None:
    assert door.delete(reading).status_code in (200, 204)
    names = [one["agent"][0]["who"]["display"] for one in resources(door, f"Provenance?target={reading}")]
    assert "ward gateway" in names


def test_a_validator_without_r5_finds_every_extension_of_ours_in_our_guide(door: Door, reading: str) -> None:
    """Validators of R4 refuse R5's cross-version addresses unless R5's definitions were loaded too."""
    (found,) = resources(door, f"Provenance?target={reading}")
    assert all(guide.profile(one["url"]) for one in found["extension"])
    told = [one for each in guide.definitions() for one in addresses(each)]
    assert told and not [one for one in told if "/fhir/5.0/" in one]


def addresses(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value.startswith("http") else []
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [one for each in inside for one in addresses(each)]
