"""The audit trail is read and searched as AuditEvents, newest first, and written by nobody from outside."""

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
