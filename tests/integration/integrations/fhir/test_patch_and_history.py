"""Patches hold to versions and to R4; histories tell every version and deletion once, newest first."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from recovery.models import Document, Episode, Patient, Snapshot
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate, sampled

PATCH = "application/json-patch+json"


def send(door: Door, path: str, *operations: dict[str, object], **headers: str):
    return door.send("PATCH", path, json.dumps(operations), PATCH, **headers)


def replace(path: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": path, "value": value}


def test_a_patch_makes_the_next_version(door: Door, patient: str) -> None:
    answer = send(door, "Patient/p1", {"op": "test", "path": "/gender", "value": "female"}, replace("/gender", "male"))
    assert answer.status_code == 200 and answer["ETag"] == 'W/"2"'
    assert content(door.get("Patient/p1"))["gender"] == "male"


def test_a_patch_that_changes_nothing_makes_no_version(door: Door, patient: str) -> None:
    assert send(door, "Patient/p1", replace("/gender", "female"))["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("operation", "headers", "status"),
    [
        (replace("/gender", "male"), {"If_Match": 'W/"7"'}, 412),
        (replace("/gender", "male"), {"If_Match": 'W/"1"'}, 200),
        ({"op": "test", "path": "/gender", "value": "male"}, {}, 422),
        (replace("/gender", "purple"), {}, 400),
        (replace("/id", "p2"), {}, 400),
        (replace("/id", "\ud800"), {}, 400),
        (replace("/resourceType", "Device"), {}, 400),
        ({"op": "fly", "path": "/gender"}, {}, 400),
    ],
)
def test_what_a_patch_may_and_may_not(
    door: Door, patient: str, operation: dict[str, object], headers: dict[str, str], status: int
) -> None:
    assert send(door, "Patient/p1", operation, **headers).status_code == status
    assert door.get("Patient/p1")["ETag"] == ('W/"2"' if status == 200 else 'W/"1"')


def test_other_bodies_and_addresses_are_refused(door: Door, patient: str) -> None:
    body = json.dumps([replace("/gender", "male")])
    assert door.send("PATCH", "Patient/p1", body).status_code == 415
    assert door.send("PATCH", "Patient/p1", "{", PATCH).status_code == 400
    assert send(door, "Patient/none", replace("/gender", "male")).status_code == 404
    assert send(door, "Patient", replace("/gender", "male")).status_code == 400
    assert send(door, "Patient?identifier=none", replace("/gender", "male")).status_code == 404
    blind = Door(token_for("system/Patient.u", "blind"))
    assert send(blind, "Patient/p1", {"op": "test", "path": "/gender", "value": "male"}).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"gender": "male", "birthDate": None}, 200),
        ({"id": "p2"}, 400),
        ({"resourceType": "Device"}, 400),
        ({"gender": "purple"}, 400),
        ([], 400),
    ],
)
@pytest.mark.parametrize("kind", ["application/merge-patch+json", "application/json"])
def test_a_merge_patch_says_what_changes(door: Door, patient: str, changes: object, status: int, kind: str) -> None:
    """As fhirpy sends it."""
    assert door.send("PATCH", "Patient/p1", json.dumps(changes), kind).status_code == status
    held = content(door.get("Patient/p1"))
    assert held["meta"]["versionId"] == ("2" if status == 200 else "1")
    if status == 200:
        assert held["gender"] == "male" and "birthDate" not in held


def test_a_patch_by_conditions(door: Door, patient: str) -> None:
    assert send(door, "Patient?gender=female", replace("/gender", "other")).status_code == 200
    assert content(door.get("Patient/p1"))["gender"] == "other"


def test_a_patched_reading_becomes_a_document_with_its_history(door: Door, patient: str) -> None:
    fhir_id = content(door.post("Observation", heart_rate()))["id"]
    answer = send(door, f"Observation/{fhir_id}", replace("/status", "entered-in-error"))
    assert answer.status_code == 200 and content(answer)["status"] == "entered-in-error"
    history = content(door.get(f"Observation/{fhir_id}/_history"))
    assert [one["resource"]["status"] for one in history["entry"]] == ["entered-in-error", "final"]


@pytest.fixture
def changes(door: Door, patient: str) -> str:
    """Three organisations; o1 changed twice, o2 deleted: six versions."""
    for name in ("o1", "o2", "o3"):
        door.put(f"Organization/{name}", {"resourceType": "Organization", "id": name, "name": "first"})
    middle = str(content(door.get("Organization/o3"))["meta"]["lastUpdated"])
    for word in ("second", "third"):
        door.put("Organization/o1", {"resourceType": "Organization", "id": "o1", "name": word})
    door.delete("Organization/o2")
    return middle


def entries(door: Door, url: str) -> list[str]:
    found = []
    while url:
        page = content(door.get(url))
        found += [f"{one['request']['method']} {one['fullUrl'].rpartition('/')[2]}" for one in page.get("entry", [])]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    return found


@pytest.mark.parametrize("count", [1, 2, 4, 100])
def test_the_history_of_a_type(door: Door, changes: str, count: int) -> None:
    told = entries(door, f"Organization/_history?_count={count}")
    assert told == ["DELETE o2", "PUT o1", "PUT o1", "PUT o3", "PUT o2", "PUT o1"]


def test_history_since_a_time(door: Door, changes: str) -> None:
    since = entries(door, f"Organization/_history?_since={changes}")
    assert since[:3] == ["DELETE o2", "PUT o1", "PUT o1"] and 3 <= len(since) <= 6
    assert entries(door, "Organization/_history?_since=2100-01-01T00:00:00Z") == []
    assert entries(door, "Organization/o1/_history?_since=2100-01-01") == []


@pytest.mark.parametrize("address", ["Organization/o2/_history", "Organization/_history"])
@pytest.mark.parametrize("count", [1, 100])
def test_what_came_back_after_a_deletion_was_created_again(door: Door, changes: str, address: str, count: int) -> None:
    again = {"resourceType": "Organization", "id": "o2", "name": "again"}
    assert door.put("Organization/o2", again).status_code == 201
    assert door.put("Organization/o2", again | {"name": "changed"}).status_code == 200
    told, url = [], f"{address}?_count={count}"
    while url:
        page = content(door.get(url))
        told += [one["response"]["status"] for one in page["entry"] if one["fullUrl"].endswith("/o2")]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    assert told == ["200", "201", "204", "201"]


@pytest.mark.parametrize("count", [1, 2, 100])
def test_the_history_of_one_resource_in_pages(door: Door, changes: str, count: int) -> None:
    told = entries(door, f"Organization/o1/_history?_count={count}")
    assert len(told) == 3 and content(door.get("Organization/o1/_history"))["total"] == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Organization/_history?_count=x", 400),
        ("Organization/_history?_since=never", 400),
        ("Organization/_history?_before=1-2", 400),
        ("Organization/_history?_before=99999999999999999999-1-1", 400),
        ("Organization/_history?_before=999999999999999999-1-1", 400),
        ("Organization/_history?_before=1-999999999999999999-999999999999999999", 200),
        ("Organization/_history?_since=0001-01-01", 200),
        ("Organization/_history?_since=9999-12-31", 200),
        ("Organization/_history?_count=0", 200),
        ("Organization/_history?_before=1-2-3~~~", 400),
        ("Organization/_history?_before=~1-1-1-7ff8000000000000-1", 400),
        ("Observation/_history?_before=~1-1-m1-3ff0000000000000-1~5-x", 200),
        ("Organization/_history?_at=2026-99", 400),
        ("Organization/_history?_at=2026", 200),
        ("AuditEvent/_history", 405),
        ("Nonsense/_history", 404),
    ],
)
def test_histories_that_cannot_be_told(door: Door, changes: str, path: str, status: int) -> None:
    assert door.get(path).status_code == status


def test_the_history_of_observations_tells_readings_packets_and_documents(door: Door, patient: str) -> None:
    first = content(door.post("Observation", heart_rate()))["id"]
    packet = content(door.post("Observation", sampled()))["id"]
    noted = content(door.post("Observation", heart_rate(note=[{"text": "after a walk"}])))["id"]
    second = content(door.post("Observation", heart_rate(effectiveDateTime="2026-01-05T09:00:00Z")))["id"]
    void = heart_rate(id=first, status="entered-in-error")
    door.put(f"Observation/{first}", void)
    door.delete(f"Observation/{second}")
    expected = [
        f"DELETE {second}",
        f"PUT {first}",
        f"PUT {second}",
        f"PUT {noted}",
        f"PUT {packet}",
        f"PUT {first}",
    ]
    for count in (1, 2, 3, 100):
        assert entries(door, f"Observation/_history?_count={count}") == expected


def test_pages_of_the_history_of_readings_neither_repeat_nor_lose_while_others_write(door: Door, patient: str) -> None:
    def send(first: int) -> None:
        sent = [
            {
                "resource": heart_rate(effectiveDateTime=f"2026-01-05T08:{minute:02d}:00Z"),
                "request": {"method": "POST", "url": "Observation"},
            }
            for minute in range(first, first + 5)
        ]
        door.post("", {"resourceType": "Bundle", "type": "batch", "entry": sent})

    send(0)
    send(5)
    told, url = [], "Observation/_history?_count=3"
    for _ in range(20):
        page = content(door.get(url))
        told += [one["resource"]["effectiveDateTime"][14:16] for one in page.get("entry", [])]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
        if not url:
            break
        send(len(told) + 10)
    assert sorted(told) == [f"{minute:02d}" for minute in range(10)]


def test_the_history_of_everything_tells_all_types_that_the_caller_may_see(door: Door, changes: str) -> None:
    door.post("Observation", heart_rate())
    told = entries(door, "_history?_count=4")
    assert len(told) == len(set(told)) + 2  # o1 was made and changed twice
    assert told[1:4] == ["DELETE o2", "PUT o1", "PUT o1"] and told[0].startswith("PUT r-")
    assert {one.split()[1] for one in told[4:]} >= {"o3", "o2", "o1", "d1", "p1"}
    narrow = Door(token_for("system/Device.rs", "narrow"))
    assert entries(narrow, "_history") == ["PUT d1"]
    assert Door(token_for("system/Device.c", "blind")).get("_history").status_code == 403


def test_the_history_at_a_time_tells_what_stood_then(door: Door, changes: str) -> None:
    assert entries(door, f"Organization/_history?_at={changes}")[-3:] == ["PUT o3", "PUT o2", "PUT o1"]
    assert entries(door, "Organization/_history?_at=2100-01-01") == ["DELETE o2", "PUT o1", "PUT o3"]
    assert entries(door, "Organization/_history?_at=2001") == []
    assert entries(door, "Organization/o1/_history?_at=2100") == ["PUT o1"]
    year = changes[:4]
    assert len(entries(door, f"Organization/_history?_at={year}")) == 6
    assert len(entries(door, f"Organization/o1/_history?_at={year}")) == 3


def test_who_replays_a_history_elsewhere_keeps_the_ids(door: Door, changes: str) -> None:
    posted = content(door.post("Organization", {"resourceType": "Organization", "name": "posted"}))["id"]
    for path in ("Organization/_history", "_history?_count=7", "Organization/o1/_history"):
        told = content(door.get(path))["entry"]
        first = [one for one in told if one["response"]["etag"] == 'W/"1"']
        assert {one["response"]["status"] for one in first} == {"201"} and len(first) < len(told)
        for one in told:
            method = "PUT" if "resource" in one else "DELETE"
            assert one["request"] == {"method": method, "url": one["fullUrl"].partition("/fhir/")[2]}
    kept = {one["resource"]["id"] for one in content(door.get("Organization"))["entry"]}
    assert kept == {"o1", "o3", posted}
    told = content(door.get("Organization/_history"))["entry"]
    Document.objects.filter(type="Organization").delete()  # as a server that has none of them
    for one in reversed(told):
        replayed = {name: said for name, said in one.items() if name != "response"}
        answers = content(door.post("", {"resourceType": "Bundle", "type": "batch", "entry": [replayed]}))["entry"]
        answered = answers[0]["response"]
        assert answered["status"][:3] == one["response"]["status"] and answered["etag"] == one["response"]["etag"]
    assert {one["resource"]["id"] for one in content(door.get("Organization"))["entry"]} == kept


def test_every_version_that_a_history_tells_is_read_by_its_version(door: Door, changes: str) -> None:
    for name, versions in (("o1", 3), ("o2", 2), ("o3", 1)):
        for one in content(door.get(f"Organization/{name}/_history"))["entry"]:
            version = one["response"]["etag"][3:-1]
            answer = door.get(f"Organization/{name}/_history/{version}")
            assert answer.status_code == (410 if one["request"]["method"] == "DELETE" else 200)
            assert int(version) <= versions
            if answer.status_code == 200:
                assert content(answer) == one["resource"]


def test_a_deleted_resource_comes_back_as_its_next_version(door: Door, changes: str) -> None:
    answer = door.put("Organization/o2", {"resourceType": "Organization", "id": "o2", "name": "again"})
    assert (answer.status_code, answer["ETag"]) == (201, 'W/"3"')
    assert entries(door, "Organization/o2/_history") == ["PUT o2", "DELETE o2", "PUT o2"]


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_history_tells_conclusions_beside_what_others_said(door: Door, patient: str, count: int) -> None:
    at = datetime(2026, 1, 9, 12, tzinfo=UTC)
    keys = []
    for number in range(3):
        person = Patient.objects.get(fhir_id="p1")
        episode = Episode.objects.create(patient=person, fhir_id=f"op-{number}", surgery_end=at, status="active")
        risk = {"outcome": "complication", "label": "any complication", "horizon_h": 168, "probability": 0.1}
        made = at + timedelta(hours=number // 2)  # two at one moment
        Snapshot.objects.create(
            episode=episode, hour=1, made_at=made, model_version="m1", current=True, content={"risks": [risk]}
        )
        keys.append(str(episode.key))
    said = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/p1"}}
    sent = content(door.post("RiskAssessment", said))["id"]
    told = [one.split()[1] for one in entries(door, f"RiskAssessment/_history?_count={count}")]
    assert told == [sent, keys[2], *sorted(keys[:2], reverse=True)]
    everything = entries(door, f"_history?_count={count}")
    assert everything == entries(door, "_history?_count=1000")
    assert set(told) <= {one.split()[1] for one in everything}
