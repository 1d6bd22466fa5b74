"""The guide's own definitions are served: by id, by address, to everybody who may read them, and written by nobody."""

import pytest

from integrations.fhir import guide, validation, wire
from integrations.fhir.conclusions.codes import profile
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.fhir.test_plans_as_fhir import AT, MILESTONE

IMPLANT = profile("smart-implant")


@pytest.mark.parametrize("name", guide.TYPES)
def test_every_definition_is_read_and_found_by_its_address(door: Door, name: str) -> None:
    mine = [one for one in guide.definitions() if one["resourceType"] == name]
    assert mine
    for one in mine:
        answer = door.get(f"{name}/{one['id']}")
        assert validation.check(wire.parse_object(answer.content)) == name
        found = content(door.get(f"{name}?url={one['url']}"))["entry"]
        assert [entry["resource"]["id"] for entry in found] == [one["id"]]
    assert content(door.get(f"{name}?_summary=count"))["total"] == len(mine)


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("StructureDefinition?type=Device", 1),
        ("StructureDefinition?name=smart", 1),
        ("StructureDefinition?url=urn:x", 0),
        ("CodeSystem?system=urn:twinweb:implant-metric", 1),
        ("CodeSystem?code=on-track", 1),
        ("ValueSet?reference=urn:twinweb:implant-metric", 1),
        ("OperationDefinition?code=lastn", 1),
    ],
)
def test_they_are_found_by_what_they_say(door: Door, query: str, hits: int) -> None:
    assert len(content(door.get(query)).get("entry", [])) == hits


def test_nobody_writes_them_and_they_need_a_scope(door: Door) -> None:
    held = door.get("StructureDefinition/smart-implant").content
    assert door.put("StructureDefinition/smart-implant", held).status_code == 405
    assert Door(token_for("system/Patient.rs", "narrow")).get("CodeSystem").status_code == 403


@pytest.mark.parametrize("url", [IMPLANT, f"{IMPLANT}|0.1.0"])
def test_a_resource_is_validated_against_a_profile_of_ours(door: Door, patient: str, url: str) -> None:
    device = {"resourceType": "Device", "patient": {"reference": "Patient/p1"}}
    issues = content(door.post(f"Device/$validate?profile={url}", device))["issue"]
    assert [one["expression"] for one in issues] == [["Device.udiCarrier"], ["Device.type"]]
    device |= {"udiCarrier": [{"deviceIdentifier": "1", "carrierHRF": "(01)1"}], "type": {"text": "implant"}}
    body = {"resource": device}
    given = [{"name": "profile", "valueUri": url}, {"name": "resource", **body}]
    issues = content(door.post("Device/$validate", {"resourceType": "Parameters", "parameter": given}))["issue"]
    assert [one["severity"] for one in issues] == ["information"]


def test_a_profile_that_a_resource_claims_is_looked_at(door: Door, patient: str) -> None:
    device = {"resourceType": "Device", "meta": {"profile": [IMPLANT]}, "patient": {"reference": "Patient/p1"}}
    issues = content(door.post("Device/$validate", device))["issue"]
    assert {one["severity"] for one in issues} == {"error"} and len(issues) == 2


def test_what_the_server_concludes_keeps_to_the_profiles_it_claims(door: Door) -> None:
    episode = factories.make_episode(key="p9")
    factories.make_snapshot(episode, AT, factories.said(milestones=[MILESTONE]))
    factories.make_alert(episode, AT)
    seen = 0
    for name in ("RiskAssessment", "DetectedIssue", "Flag", "CarePlan", "Goal", "Observation", "Provenance"):
        for entry in content(door.get(f"{name}?patient=p9"))["entry"]:
            (url,) = entry["resource"]["meta"]["profile"]
            text = door.get(f"{name}/{entry['resource']['id']}").content
            issues = content(door.post(f"{name}/$validate?profile={url}", text))["issue"]
            assert [one["severity"] for one in issues] == ["information"], (name, issues)
            seen += 1
    assert seen == 7
