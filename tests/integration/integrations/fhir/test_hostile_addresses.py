"""Addresses, parameters and patches that make no sense are refused or answered; none of them is a fault of ours."""

import pytest

from tests.integration.integrations.fhir.conftest import Door

PATHS = (
    "Patient/p1/$everything?_since=9999-12-31",
    "Patient/p1/$everything?_since=0001-01-01",
    "Patient/p1/$everything?start=0001&end=9999",
    "Observation/$lastn?patient=p1&date=9999",
    "Observation/$lastn?patient=p1&max=",
    "Observation?_lastUpdated=9999-12-31",
    "Observation?_lastUpdated=lt0001-01-01&patient=p1",
    "RiskAssessment?date=9999&_sort=-date",
    "Flag?_lastUpdated=9999-12-31",
    "Patient?_lastUpdated=gt9999-12-31",
    "DetectedIssue?_cursor=eyJ2IjpbMV19",
    "AuditEvent?_cursor=eyJ2IjpbXX0",
    "AuditEvent?_cursor=eyJ2IjpbMWUxMF19",
    "AuditEvent?_id=9999999999999999999",
    "AuditEvent?entity=%00",
    "AuditEvent?agent-name=%00",
    "Organization/_history?_since=%00",
)
BODIES = (
    "null",
    "[null]",
    '{"resourceType":"Parameters","parameter":[null]}',
    '{"resourceType":"Parameters","parameter":[{"name":"resource"}]}',
    '{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":{}}]}',
    '{"resourceType":"Parameters","parameter":[{"name":"resource","resource":[]}]}',
    '{"resourceType":"Parameters","parameter":[{"name":"_count","valueInteger":{}}]}',
)
PATCHES = (
    "null",
    "[null]",
    '[{"op":[]}]',
    '[{"op":{},"path":[]}]',
    f'[{{"op":"add","path":"/name","value":{"[" * 100}{"]" * 100}}}]',
    '[{"op":"add","path":"/meta","value":3}]',
    '[{"op":"add","path":"/meta/versionId","value":"zz"}]',
    '[{"op":"add","path":"/gender","value":"\\u0000"}]',
)


@pytest.mark.parametrize("path", PATHS)
def test_a_strange_address_is_answered(door: Door, patient: str, path: str) -> None:
    assert door.get(path).status_code < 500


@pytest.mark.parametrize("body", BODIES)
def test_a_strange_body_for_an_operation_is_answered(door: Door, patient: str, body: str) -> None:
    for path in ("Patient/$validate", "Patient/p1/$validate", "Patient/p1/$everything", "Observation/$lastn"):
        assert door.post(path, body).status_code < 500


@pytest.mark.parametrize("body", PATCHES)
def test_a_strange_patch_is_answered_and_changes_nothing(door: Door, patient: str, body: str) -> None:
    before = door.get("Patient/p1")["ETag"]
    assert door.send("PATCH", "Patient/p1", body, "application/json-patch+json").status_code < 500
    assert door.get("Patient/p1")["ETag"] == before
