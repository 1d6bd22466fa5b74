"""What a resource points at on this server is here, or the sender is told which reference names nothing."""

from typing import Any

import pytest

from recovery.models import Document, Sample, Series
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.test_bundles import bundle, post, statuses
from tests.unit.integrations.fhir.observations import heart_rate

NOBODY = {"reference": "Practitioner/nobody"}


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        (heart_rate(performer=[NOBODY]), "Observation.performer[0]"),
        (heart_rate(device={"reference": "Device/none"}), "Observation.device"),
        (heart_rate(encounter={"reference": "Encounter/none"}, note=[{"text": "x"}]), "Observation.encounter"),
        (heart_rate(derivedFrom=[{"reference": "Observation/none"}]), "Observation.derivedFrom[0]"),
        ({"resourceType": "Patient", "generalPractitioner": [NOBODY]}, "Patient.generalPractitioner[0]"),
        (
            {
                "resourceType": "Patient",
                "contained": [{"resourceType": "PractitionerRole", "id": "g", "practitioner": NOBODY}],
            },
            "Patient.contained[0].practitioner",
        ),
        ({"resourceType": "PractitionerRole", "practitioner": NOBODY}, "PractitionerRole.practitioner"),
        (
            {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/nobody/_history/1"}},
            "PractitionerRole.practitioner",
        ),
    ],
)
def test_a_reference_that_names_nothing_is_refused_by_its_element(
    door: Door, patient: str, resource: dict[str, Any], where: str
) -> None:
    answer = door.post(resource["resourceType"], resource)
    assert answer.status_code == 422
    issue = content(answer)["issue"][0]
    assert issue["expression"] == [where] and "is not known here: send it first" in issue["diagnostics"]
    assert Series.objects.count() == 0 and Sample.objects.count() == 0


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "https://elsewhere.example/fhir/Practitioner/nobody"},
        {"identifier": {"system": "urn:x", "value": "7"}},
        {"display": "Dr. Nobody"},
        {"reference": "Substance/1"},
    ],
)
def test_what_points_elsewhere_is_not_looked_up(door: Door, patient: str, reference: dict[str, Any]) -> None:
    target = "basedOn" if "Substance" in str(reference) else "performer"
    resource = {
        "resourceType": "Communication",
        "status": "completed",
        **({"about": [reference]} if target == "basedOn" else {"sender": reference}),
    }
    assert door.post("Communication", resource).status_code == 201


def test_what_was_deleted_is_not_there_to_be_referred_to(door: Door, patient: str) -> None:
    door.put("Practitioner/dr", {"resourceType": "Practitioner", "id": "dr"})
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/dr"}}
    assert door.post("PractitionerRole", role).status_code == 201
    door.delete("Practitioner/dr")
    assert door.post("PractitionerRole", role).status_code == 422


def test_a_transaction_may_refer_to_what_it_brings_and_to_itself_in_circles(door: Door, patient: str) -> None:
    one = {"resourceType": "Organization", "id": "one", "name": "One", "partOf": {"reference": "Organization/two"}}
    two = {"resourceType": "Organization", "id": "two", "name": "Two", "partOf": {"reference": "Organization/one"}}
    sent = bundle(
        *({"resource": r, "request": {"method": "PUT", "url": f"Organization/{r['id']}"}} for r in (one, two))
    )
    assert statuses(door.post("", sent)) == ["201", "201"]
    own = {"resourceType": "Organization", "id": "own", "name": "Own", "partOf": {"reference": "Organization/own"}}
    assert door.put("Organization/own", own).status_code == 201


def test_one_dangling_reference_undoes_a_transaction_and_is_named(door: Door, patient: str) -> None:
    answer = door.post(
        "", bundle(post(heart_rate()), post({"resourceType": "PractitionerRole", "practitioner": NOBODY}))
    )
    assert answer.status_code == 422 and Sample.objects.count() == 0
    assert content(answer)["issue"][0]["expression"] == ["Bundle.entry[1].resource.practitioner"]


def test_a_transaction_cannot_refer_to_what_it_deletes(door: Door, patient: str) -> None:
    door.put("Practitioner/dr", {"resourceType": "Practitioner", "id": "dr"})
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/dr"}}
    sent = bundle({"request": {"method": "DELETE", "url": "Practitioner/dr"}}, post(role))
    assert door.post("", sent).status_code == 422
    assert door.get("Practitioner/dr").status_code == 200


def test_in_a_batch_a_dangling_reference_costs_only_its_entry_and_order_does_not_matter(
    door: Door, patient: str
) -> None:
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/dr"}}
    put = {
        "resource": {"resourceType": "Practitioner", "id": "dr"},
        "request": {"method": "PUT", "url": "Practitioner/dr"},
    }
    sent = bundle(post(role), post(heart_rate(performer=[NOBODY])), put, post(heart_rate()), kind="batch")
    assert statuses(door.post("", sent)) == ["201", "422", "201", "201"]
    assert Document.objects.filter(type="PractitionerRole").count() == 1 and Sample.objects.count() == 1


def test_a_streamed_reading_and_a_conclusion_may_be_referred_to(door: Door, patient: str) -> None:
    reading = content(door.post("Observation", heart_rate()))["id"]
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Day 1"},
        "result": [{"reference": f"Observation/{reading}"}],
    }
    assert door.post("DiagnosticReport", report).status_code == 201


def test_a_reference_to_our_own_address_is_a_reference_to_what_is_here(door: Door, patient: str) -> None:
    base = "http://testserver/fhir"
    said = heart_rate(subject={"reference": f"{base}/Patient/p1"}, device=None)
    made = door.post("Observation", said)
    assert made.status_code == 201 and content(made)["subject"] == said["subject"]
    assert Sample.objects.get().series.patient.fhir_id == "p1"
    assert content(door.get("Observation?patient=p1"))["total"] == 1
    strange = heart_rate(subject={"reference": f"{base}/Patient/none"}, device=None)
    assert door.post("Observation", strange).status_code == 422
    assert statuses(door.post("", bundle(post(said), kind="batch"))) == ["201"]
