"""The audit trail is read and searched as AuditEvents, newest first, and written by nobody from outside."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from integrations.fhir import validation, wire
from recovery.audit import Actor, record
from recovery.models import AuditEvent, Patient
from tests.integration.integrations.fhir.conftest import Door, content, token_for

AT = datetime(2026, 1, 9, 12, tzinfo=UTC)


def ids(door: Door, query: str) -> list[str]:
    return [one["resource"]["id"] for one in content(door.get(f"AuditEvent?{query}")).get("entry", [])]


@pytest.fixture
def row(door: Door, patient: str) -> str:
    """A nurse looked at an alert of p1."""
    person = Patient.objects.get(fhir_id="p1").pk
    record(actor=Actor("user", 7, "nora"), now=AT, action="view_alert", patient_ids=[person], entity="Alert/k1")
    return str(AuditEvent.objects.get(action="view_alert").pk)


def test_it_says_who_what_when_and_whose(door: Door, row: str) -> None:
    answer = door.get(f"AuditEvent/{row}")
    said = content(answer)
    assert validation.check(wire.parse_object(answer.content)) == "AuditEvent"
    assert (said["recorded"], said["outcome"], said["agent"][0]["name"]) == ("2026-01-09T12:00:00.000Z", "0", "nora")
    assert [one["what"]["reference"] for one in said["entity"]] == ["Patient/p1", "DetectedIssue/k1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("date=2026-01-09", True),
        ("date=lt2026-01-09", False),
        ("_lastUpdated=2026-01-09", True),
        ("entity=DetectedIssue/k1", True),
        ("entity=DetectedIssue/k2", False),
        ("entity=Patient/p1&date=2026-01", True),
        ("patient=p1&agent-name=nor", True),
        ("patient=other", False),
        ("agent-name=nobody", False),
        ("subtype=view_alert", True),
        ("outcome=0&date=2026-01", True),
        ("outcome=8", False),
        ("entity:missing=true&date=2026-01", False),
    ],
)
def test_it_is_found_by_what_it_says(door: Door, row: str, query: str, found: bool) -> None:
    assert (row in ids(door, query)) is found


def test_every_answer_of_the_door_is_valid(door: Door, row: str) -> None:
    door.get("Patient/p1")
    door.get("Patient/p1/_history")
    Door("wrong").get("Patient/p1")
    for one in ids(door, "_count=100"):
        assert validation.check(wire.parse_object(door.get(f"AuditEvent/{one}").content)) == "AuditEvent"


@pytest.mark.parametrize("query", ["patient=p1", "patient=p1&outcome=0", "patient=p1&date=ge2026"])
def test_pages_go_through_the_trail_without_repeats(door: Door, row: str, query: str) -> None:
    for _ in range(4):
        door.get("Patient/p1")
    newest = AuditEvent.objects.order_by("-pk").first()
    assert newest is not None
    wanted = [
        str(pk) for pk in AuditEvent.objects.filter(patient__fhir_id="p1").order_by("-pk").values_list("pk", flat=True)
    ]
    found, url = [], f"AuditEvent?{query}&_count=2"
    while url:
        page = content(door.get(url))
        found += [one["resource"]["id"] for one in page.get("entry", [])]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    assert found == wanted


@pytest.mark.parametrize("date", ["9999", "le9999-12-31", "gt9999-12-31T23:59:59Z", "0001", "lt0001-01-01", "ne2026"])
def test_the_ends_of_the_calendar_are_no_fault(door: Door, row: str, date: str) -> None:
    assert door.get(f"AuditEvent?date={date}").status_code == 200
    assert door.get(f"AuditEvent?_lastUpdated={date}&_summary=count").status_code == 200


def test_it_is_only_read(door: Door, row: str) -> None:
    assert door.post("AuditEvent", {"resourceType": "AuditEvent"}).status_code == 405
    assert door.delete(f"AuditEvent/{row}").status_code == 405
    assert door.get("AuditEvent/x").status_code == 404 and door.get("AuditEvent/0").status_code == 404
    assert door.get("AuditEvent/99999999999999999999999").status_code == 404
    assert content(door.get("AuditEvent?patient=p1&_summary=count"))["total"] >= 1
    assert Door(token_for("system/Patient.rs", "narrow")).get("AuditEvent").status_code == 403


def newest(door: Door, query: str) -> dict:
    answer = door.get(f"AuditEvent?{query}&_count=1")
    return content(answer)["entry"][0]["resource"]


def roles(event: dict) -> dict[str, dict]:
    return {one["role"]["code"]: one for one in event["entity"] if "role" in one}


BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


@pytest.mark.parametrize(
    ("method", "subtype", "action", "profile"),
    [("create", "create", "C", "Create"), ("update", "update", "U", "Update"), ("delete", "delete", "D", "Delete")],
)
def test_a_single_write_is_told_as_what_it_was(
    door: Door, patient: str, method: str, subtype: str, action: str, profile: str
) -> None:
    body = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}
    door.put("Condition/c1", body)
    if method != "create":
        door.put("Condition/c1", {**body, "code": {"text": "asthma"}})
    if method == "delete":
        door.delete("Condition/c1")
    event = newest(door, f"entity=Condition/c1&patient=p1&subtype={subtype}")
    assert event["action"] == action and event["meta"]["profile"] == [f"{BALP}Patient{profile}"]
    assert roles(event)["4"]["what"] == {"reference": "Condition/c1"}
    assert roles(event)["1"]["what"] == {"reference": "Patient/p1"}


def test_in_a_read_the_server_is_the_source_and_in_a_query_the_client(door: Door, patient: str) -> None:
    door.get("Device/d1")
    door.get("Device?patient=p1")
    for query, client in (("subtype=read&entity=Device/d1", "110152"), ("subtype=search&patient=p1", "110153")):
        asker, server = newest(door, query)["agent"]
        assert asker["type"]["coding"][0]["code"] == client and asker["requestor"] is True
        assert server["type"]["coding"][0]["code"] == {"110152": "110153", "110153": "110152"}[client]
        assert asker["who"]["identifier"]["value"] == "test system"


def test_a_search_is_kept_as_it_was_asked(door: Door, patient: str) -> None:
    door.get("Device?patient=p1&status=active&_count=3")
    door.get("Device?patient=p1")
    event = newest(door, "subtype=search-type&patient=p1")
    said = roles(event)["24"]
    assert b64decode(said["query"]).decode() == "patient=p1" and said["description"] == "Device"
    assert "name" not in said and event["meta"]["profile"] == [f"{BALP}PatientQuery"]


def test_what_was_refused_is_a_minor_failure_without_a_profile(door: Door, patient: str) -> None:
    assert Door(token_for("system/Device.rs", "narrow")).get("Patient/p1").status_code == 403
    event = newest(door, "outcome=4&agent-name=narrow")
    assert event["outcomeDesc"].startswith("denied") and "profile" not in event["meta"]


def test_a_sign_in_is_a_login(door: Door, patient: str) -> None:
    record(actor=Actor("user", 7, "nora"), now=AT, action="sign_in", outcome="failure")
    event = newest(door, "subtype=110122&agent-name=nora")
    assert event["type"]["code"] == "110114" and event["outcome"] == "4"
