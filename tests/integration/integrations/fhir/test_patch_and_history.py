"""Patches hold to versions and to R4; histories tell every version and deletion once, newest first."""

import json

import pytest

from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate

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
    assert told == ["DELETE o2", "PUT o1", "PUT o1", "POST o3", "POST o2", "POST o1"]


def test_history_since_a_time(door: Door, changes: str) -> None:
    since = entries(door, f"Organization/_history?_since={changes}")
    assert since[:3] == ["DELETE o2", "PUT o1", "PUT o1"] and 3 <= len(since) <= 6
    assert entries(door, "Organization/_history?_since=2100-01-01T00:00:00Z") == []
    assert entries(door, "Organization/o1/_history?_since=2100-01-01") == []


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
        ("Observation/_history", 405),
        ("Nonsense/_history", 404),
    ],
)
def test_histories_that_cannot_be_told(door: Door, changes: str, path: str, status: int) -> None:
    assert door.get(path).status_code == status
