"""$validate, $everything, $lastn and $summary: what they hold, what they keep back, and that no input breaks them."""

from datetime import UTC, datetime

import pytest

from integrations.fhir import validation, wire
from recovery.models import AuditEvent
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate

SUBJECT = {"reference": "Patient/p1"}


@pytest.fixture
def record(door: Door, patient: str) -> str:
    """p1 with five readings, a condition, an alert; and a stranger."""
    for minute in range(5):
        assert door.post("Observation", heart_rate(effectiveDateTime=f"2026-01-05T08:0{minute}:00Z")).status_code == 201
    concept = {"text": "<b>Asthma</b>"}
    door.put("Condition/c1", {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "code": concept})
    other = factories.make_episode(key="stranger")
    factories.make_alert(other, datetime(2026, 1, 5, tzinfo=UTC))
    return patient


def listed(answer: dict[str, object]) -> list[str]:
    found = answer.get("entry", [])
    return [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in found]  # type: ignore[attr-defined]


def everything(door: Door, url: str) -> list[str]:
    found = []
    while url:
        page = content(door.get(url))
        found += listed(page)
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_everything_of_a_patient_comes_once_whatever_the_page(door: Door, record: str, count: int) -> None:
    found = everything(door, f"Patient/p1/$everything?_count={count}")
    ours = [one for one in found if not one.startswith("Provenance/")]
    assert len(found) == len(set(found)) and len(ours) == 8 and len(found) == 16
    assert found[0] == "Patient/p1" and {"Device/d1", "Condition/c1"} < set(found)
    assert sum(one.startswith("Observation/") for one in found) == 5


def test_everything_can_be_narrowed_by_type_and_time(door: Door, record: str) -> None:
    assert everything(door, "Patient/p1/$everything?_type=Condition") == ["Condition/c1"]
    late = everything(door, "Patient/p1/$everything?_type=Observation&start=2026-01-05T08:03:00Z")
    assert len(late) == 2
    assert everything(door, "Patient/p1/$everything?_since=2100-01-01&_type=Condition,Observation") == []


def test_everything_holds_only_what_the_token_may_search(door: Door, record: str) -> None:
    narrow = Door(token_for("system/Patient.rs system/Condition.s", "narrow"))
    assert everything(narrow, "Patient/p1/$everything") == ["Patient/p1", "Condition/c1"]
    assert Door(token_for("system/Condition.s", "narrower")).get("Patient/p1/$everything").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "Patient/p1/$everything?_count=x",
        "Patient/p1/$everything?_count=0",
        "Patient/p1/$everything?_type=Nonsense",
        "Patient/p1/$everything?_cursor=W10",
        "Patient/p1/$everything?_cursor=%00",
        "Patient/p1/$everything?_since=yesterday",
        "Patient/p1/$everything?start=2026-13-01",
        "Patient/$everything",
        "Observation/$lastn",
        "Observation/$lastn?patient=p1&max=0",
        "Observation/$lastn?patient=p1&max=many",
        "Observation/$lastn?patient=p1,p2",
        "Observation/$lastn?patient=p1&nonsense=1",
    ],
)
def test_what_an_operation_cannot_use_is_refused(door: Door, record: str, path: str) -> None:
    answer = door.get(path)
    assert answer.status_code == 400 and content(answer)["resourceType"] == "OperationOutcome"


def test_operations_on_nobody_are_not_found(door: Door, record: str) -> None:
    assert door.get("Patient/nobody/$everything").status_code == 404
    assert door.get("Patient/nobody/$summary").status_code == 404
    assert "entry" not in content(door.get("Observation/$lastn?patient=nobody"))


def test_the_newest_of_each_code(door: Door, record: str) -> None:
    temperature = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
    for day in (1, 2):
        body = {"resourceType": "Observation", "status": "final", "subject": SUBJECT, "code": temperature}
        door.post("Observation", {**body, "effectiveDateTime": f"2026-01-0{day}", "valueString": "warm"})
    found = content(door.get("Observation/$lastn?patient=p1"))
    assert sorted(one["resource"]["effectiveDateTime"] for one in found["entry"]) == [
        "2026-01-02",
        "2026-01-05T08:04:00Z",
    ]
    three = content(door.get("Observation/$lastn?subject=Patient/p1&code=http://loinc.org|8867-4&max=3"))
    times = [one["resource"]["effectiveDateTime"][14:16] for one in three["entry"]]
    assert times == ["04", "03", "02"] and three["total"] == 3


def test_a_resource_is_validated_without_being_stored(door: Door, patient: str) -> None:
    good = {"resourceType": "Condition", "subject": SUBJECT}
    answer = door.post("Condition/$validate", good)
    assert answer.status_code == 200
    assert [one["severity"] for one in content(answer)["issue"]] == ["information"]
    wrong = content(door.post("Condition/$validate", {"resourceType": "Condition", "subject": "p1"}))
    assert wrong["issue"][0]["severity"] == "error" and wrong["issue"][0]["expression"] == ["Condition.subject"]
    assert "entry" not in content(door.get("Condition"))


@pytest.mark.parametrize(
    ("path", "mode", "resource", "severity"),
    [
        ("Condition/$validate", "create", {"resourceType": "Condition", "subject": SUBJECT}, "information"),
        ("Condition/$validate", "update", {"resourceType": "Condition", "subject": SUBJECT}, "error"),
        ("Patient/p1/$validate", "update", {"resourceType": "Patient", "id": "p2"}, "error"),
        ("Patient/p1/$validate", "update", {"resourceType": "Patient", "id": "p1"}, "information"),
        ("Patient/$validate", "create", {"resourceType": "Condition", "subject": SUBJECT}, "error"),
        ("Patient/p1/$validate", "delete", None, "information"),
        ("Patient/none/$validate", "delete", None, "error"),
        ("Patient/$validate", "delete", None, "error"),
    ],
)
def test_validate_looks_at_what_is_meant_to_be_done(
    door: Door, patient: str, path: str, mode: str, resource: object, severity: str
) -> None:
    given = [{"name": "mode", "valueCode": mode}]
    if resource:
        given.append({"name": "resource", "resource": resource})  # type: ignore[dict-item]
    answer = door.post(path, {"resourceType": "Parameters", "parameter": given})
    assert answer.status_code == 200 and content(answer)["issue"][0]["severity"] == severity


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"resourceType":"Parameters"}', '{"resourceType":"Parameters","parameter":3}']
)
def test_validate_of_nothing_is_refused(door: Door, patient: str, body: str) -> None:
    assert door.post("Patient/$validate", body).status_code == 400


def test_a_profile_nobody_knows_is_said_to_be_unknown(door: Door, patient: str) -> None:
    answer = content(door.post("Patient/$validate?profile=urn:x", {"resourceType": "Patient"}))
    assert answer["issue"][0]["severity"] == "warning"


def test_a_summary_is_a_document_with_its_required_sections(door: Door, record: str) -> None:
    answer = door.get("Patient/p1/$summary")
    found = content(answer)
    assert (found["type"], listed(found)[1]) == ("document", "Patient/p1")
    sections = {one["code"]["coding"][0]["code"]: one for one in found["entry"][0]["resource"]["section"]}
    assert sections["11450-4"]["entry"] == [{"reference": "http://testserver/fhir/Condition/c1"}]
    assert sections["48765-2"]["emptyReason"]["coding"][0]["code"] == "unavailable"
    assert sections["10160-0"]["emptyReason"] and len(sections["8716-3"]["entry"]) == 5
    assert "&lt;b&gt;" in sections["11450-4"]["text"]["div"]
    assert validation.check(wire.parse_object(answer.content)) == "Bundle"


def test_a_summary_names_no_allergy_that_is_over_or_was_never_true(door: Door, record: str) -> None:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
    kinds = {"held": "active", "over": "resolved", "never": "refuted", "error": "entered-in-error"}
    for name, code in kinds.items():
        field = "clinicalStatus" if code in ("active", "resolved") else "verificationStatus"
        said = {field: {"coding": [{"system": f"{system}{field.removesuffix('Status')}", "code": code}]}}
        if code == "refuted":
            said["clinicalStatus"] = {"coding": [{"system": f"{system}clinical", "code": "active"}]}
        body = {"resourceType": "AllergyIntolerance", "id": name, "patient": SUBJECT, "code": {"text": name}, **said}
        assert door.put(f"AllergyIntolerance/{name}", body).status_code == 201
    found = content(door.get("Patient/p1/$summary"))
    assert [one for one in listed(found) if one.startswith("Allergy")] == ["AllergyIntolerance/held"]


def test_a_summary_says_what_the_scopes_keep_back(door: Door, record: str) -> None:
    found = content(Door(token_for("system/Patient.r", "narrow")).get("Patient/p1/$summary"))
    assert listed(found)[1] == "Patient/p1" and len(found["entry"]) == 3
    reasons = [one["emptyReason"]["coding"][0]["code"] for one in found["entry"][0]["resource"]["section"]]
    assert reasons == ["withheld"] * 3


def test_operations_are_noted_and_claimed(door: Door, record: str) -> None:
    door.get("Patient/p1/$everything")
    door.get("Patient/p1/$summary")
    door.get("Observation/$lastn?patient=p1")
    for action in ("everything", "summary", "lastn"):
        assert AuditEvent.objects.get(action=action).patient.fhir_id == "p1"
    claimed = {one["type"]: one for one in content(door.get("metadata"))["rest"][0]["resource"]}
    assert [one["name"] for one in claimed["Patient"]["operation"]] == ["validate", "everything", "summary", "export"]
    assert [one["name"] for one in claimed["Observation"]["operation"]] == ["validate", "lastn"]


def test_everything_ends_with_what_the_record_refers_to(door: Door, record: str) -> None:
    for name, fhir_id in (("Practitioner", "doc"), ("Practitioner", "stranger"), ("Organization", "hospital")):
        named = {"name": "Hospital"} if name == "Organization" else {"active": True}
        assert door.put(f"{name}/{fhir_id}", {"resourceType": name, "id": fhir_id, **named}).status_code == 201
    assert door.put("Device/ward", {"resourceType": "Device", "id": "ward"}).status_code == 201
    encounter = {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "IMP"}}
    encounter |= {"subject": SUBJECT, "serviceProvider": {"reference": "Organization/hospital"}}
    encounter["participant"] = [{"individual": {"reference": "Practitioner/doc"}}]
    assert door.put("Encounter/e1", encounter).status_code == 201
    reading = heart_rate(effectiveDateTime="2026-01-05T09:00:00Z", device={"reference": "Device/ward"})
    assert door.post("Observation", reading).status_code == 201
    shared = ["Practitioner/doc", "Organization/hospital", "Device/ward"]
    for count in (1, 2, 100):
        found = everything(door, f"Patient/p1/$everything?_count={count}")
        assert found[-3:] == shared and len(found) == len(set(found)) and "Practitioner/stranger" not in found
    assert everything(door, "Patient/p1/$everything?_type=Practitioner,Condition") == [
        "Condition/c1",
        "Practitioner/doc",
    ]
    assert everything(door, "Patient/p1/$everything?_since=2100-01-01") == []
    narrow = Door(token_for("system/Patient.rs system/Practitioner.rs system/Organization.rs", "narrow"))
    assert everything(narrow, "Patient/p1/$everything") == ["Patient/p1"]


def test_everything_holds_the_audit_trail_only_when_asked(door: Door, record: str) -> None:
    assert not any(one.startswith("AuditEvent/") for one in everything(door, "Patient/p1/$everything"))
    found = listed(content(door.get("Patient/p1/$everything?_type=AuditEvent&_count=5")))
    assert len(found) == 5 and all(one.startswith("AuditEvent/") for one in found)


def test_observations_at_one_time_are_told_together(door: Door, record: str) -> None:
    for value in (90, 91):
        quantity = {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
        tie = heart_rate(effectiveDateTime="2026-01-05T09:04:00+01:00", valueQuantity=quantity)
        assert door.post("Observation", tie).status_code == 201
    found = content(door.get("Observation/$lastn?patient=p1&code=8867-4"))
    assert found["total"] == 3
    assert content(door.get("Observation/$lastn?patient=p1&code=8867-4&max=4"))["total"] == 4
    assert content(door.get("Observation/$lastn?patient=p1&category=laboratory"))["total"] == 0


def test_a_summary_resolves_every_reference_of_its_composition(door: Door, record: str) -> None:
    found = content(door.get("Patient/p1/$summary"))
    urls = [one["fullUrl"] for one in found["entry"]]
    composition = found["entry"][0]["resource"]
    said = [composition["subject"], *composition["author"]]
    said += [one for section in composition["section"] for one in section.get("entry", ())]
    assert {one["reference"] for one in said} <= set(urls) and len(set(urls)) == len(urls)
    assert all(("entry" in one) != ("emptyReason" in one) and one["text"] for one in composition["section"])


def test_a_summary_claims_the_ips_profiles_only_of_a_patient_with_a_name_and_birth_date(
    door: Door, record: str
) -> None:
    assert "meta" not in content(door.get("Patient/p1/$summary"))
    named = {"name": [{"family": "Hartmann"}], "birthDate": "1950-05-04"}
    door.put("Patient/p1", {"resourceType": "Patient", "id": "p1", **named})
    found = content(door.get("Patient/p1/$summary"))
    assert found["meta"]["profile"][0].endswith("/Bundle-uv-ips")
    assert found["entry"][0]["resource"]["meta"]["profile"][0].endswith("/Composition-uv-ips")


def test_the_mode_profile_needs_a_profile(door: Door, patient: str) -> None:
    assert door.post("Patient/$validate?mode=profile", {"resourceType": "Patient"}).status_code == 400
