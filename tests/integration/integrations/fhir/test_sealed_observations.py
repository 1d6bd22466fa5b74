"""What a patient withdrew from care is kept, and read by nobody, until they allow it again."""

import pytest
from django.utils import timezone

from recovery.audit import Actor
from recovery.models import Document, Patient, Sample
from recovery.services import consents
from tests.integration.integrations.fhir.conftest import content


def observation(patient: str, code: str, value: float, **more) -> dict:
    said = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-03T10:00:00Z",
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "/min"},
    }
    return said | more


def decide(patient: str, allowed: bool, kind: str = "vitals") -> None:
    row = Patient.objects.get(fhir_id=patient)
    consents.decide(
        patient_id=row.pk,
        choices={("care", kind): allowed},
        said_by="Ida",
        actor=Actor.system("test"),
        now=timezone.now(),
    )


@pytest.fixture
def streamed(door, patient) -> str:
    return content(door.post("Observation", observation(patient, "8867-4", 80)))["id"]


@pytest.fixture
def documented(door, patient) -> str:
    """A number with a note, which makes it a document from which a sample is drawn."""
    said = observation(
        patient,
        "9279-1",
        14,
        component=[
            observation(patient, "8867-4", 81)
            and {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "valueQuantity": {"value": 81, "system": "http://unitsofmeasure.org", "code": "/min"},
            }
        ],
    )
    made = content(door.post("Observation", said))["id"]
    assert Document.objects.filter(fhir_id=made).exists() and Sample.objects.filter(fhir_id=made).exists()
    return made


def total(door, patient: str) -> int:
    return content(door.get(f"Observation?patient={patient}&_total=accurate"))["total"]


def test_a_sealed_reading_is_in_no_search_and_at_no_address(door, patient, streamed, documented):
    assert total(door, patient) == 2
    decide(patient, False)
    assert total(door, patient) == 0
    for name in (streamed, documented):
        for past in ("", "/_history", "/_history/1"):
            assert door.get(f"Observation/{name}{past}").status_code == 404, past
    assert not [
        one
        for one in content(door.get(f"Patient/{patient}/$everything"))["entry"]
        if one["resource"]["resourceType"] == "Observation"
    ]
    decide(patient, True)
    assert total(door, patient) == 2
    assert door.get(f"Observation/{streamed}").status_code == 200


def test_another_type_is_not_sealed_with_it(door, patient, streamed):
    decide(patient, False, "activity")
    assert total(door, patient) == 1 and door.get(f"Observation/{streamed}").status_code == 200


def test_a_sender_may_send_and_correct_what_is_sealed(door, patient):
    decide(patient, False)
    body = observation(patient, "8867-4", 85, id="mine")
    assert door.put("Observation/mine", body).status_code == 201
    assert door.put("Observation/mine", body).status_code == 200
    assert door.get("Observation/mine").status_code == 404


def test_the_decision_is_read_as_a_consent(door, patient):
    decide(patient, False)
    found = content(door.get(f"Consent?patient={patient}"))["entry"]
    assert [one["resource"]["status"] for one in found] == ["active"]


@pytest.mark.parametrize("url", ["Observation/_history", "_history"])
def test_a_sealed_reading_is_in_no_history(door, patient, streamed, documented, url):
    """Nor is what it was before: a corrected document has two versions."""
    body = content(door.get(f"Observation/{documented}"))
    assert door.put(f"Observation/{documented}", body | {"note": [{"text": "again"}]}).status_code == 200

    def told() -> set[str]:
        entries = content(door.get(f"{url}?_count=500")).get("entry", [])
        return {one["fullUrl"].rpartition("/")[2] for one in entries if "/Observation/" in one["fullUrl"]}

    assert told() == {streamed, documented}
    decide(patient, False)
    assert told() == set()
    decide(patient, False, "answers")
    decide(patient, True)
    assert told() == {streamed, documented}


def test_answers_that_were_withdrawn_are_read_by_nobody(door, patient):
    said = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
    }
    said |= {"item": [{"linkId": "pain", "answer": [{"valueInteger": 7}]}]}
    made = content(door.post("QuestionnaireResponse", said))["id"]
    asked = f"QuestionnaireResponse?patient={patient}&_total=accurate"

    def seen() -> list[int]:
        everything = content(door.get(f"Patient/{patient}/$everything"))["entry"]
        past = content(door.get("QuestionnaireResponse/_history")).get("entry", [])
        return [
            content(door.get(asked))["total"],
            door.get(f"QuestionnaireResponse/{made}").status_code,
            door.get(f"QuestionnaireResponse/{made}/_history/1").status_code,
            sum(one["resource"]["resourceType"] == "QuestionnaireResponse" for one in everything),
            len(past),
        ]

    assert seen() == [1, 200, 200, 1, 1]
    decide(patient, False, "answers")
    assert seen() == [0, 404, 404, 0, 0]
    assert door.put(f"QuestionnaireResponse/{made}", said | {"id": made}).status_code == 200
    decide(patient, True, "answers")
    assert seen()[:4] == [1, 200, 200, 1]


def test_no_include_brings_what_is_sealed(door, patient, streamed, documented):
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Vital signs"}}
    report["subject"] = {"reference": f"Patient/{patient}"}
    report["result"] = [{"reference": f"Observation/{one}"} for one in (streamed, documented)]
    assert door.post("DiagnosticReport", report).status_code == 201

    def brought() -> int:
        found = content(door.get(f"DiagnosticReport?patient={patient}&_include=DiagnosticReport:result"))["entry"]
        return sum(one["resource"]["resourceType"] == "Observation" for one in found)

    assert brought() == 2
    decide(patient, False)
    assert brought() == 0


@pytest.mark.parametrize(
    "asked",
    [
        "Observation?_id={one}",
        "Observation?_id={two}",
        "Observation?patient={patient}&_id={one},{two}",
        "Observation/$lastn?patient={patient}",
        "Observation?patient={patient}&code=8867-4",
        "Patient/{patient}/Observation",
        "Patient?_id={patient}&_has:Observation:patient:code=8867-4",
        "Patient?_id={patient}&_has:Observation:patient:code=9279-1",
        "Patient?_id={patient}&_revinclude=Observation:patient&active=true",
        "DiagnosticReport?patient={patient}&result.code=9279-1",
        "Bundle",
    ],
)
def test_no_question_finds_what_is_sealed_by_another_way(door, patient, streamed, documented, asked):
    said = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Vital signs"}}
    said |= {"subject": {"reference": f"Patient/{patient}"}, "result": [{"reference": f"Observation/{documented}"}]}
    assert door.post("DiagnosticReport", said).status_code == 201
    url = asked.format(patient=patient, one=streamed, two=documented)

    def found() -> int:
        if asked == "Bundle":
            batch = {"resourceType": "Bundle", "type": "batch"}
            batch["entry"] = [{"request": {"method": "GET", "url": f"Observation?patient={patient}"}}]
            return len(content(door.post("", batch))["entry"][0]["resource"].get("entry", []))
        entries = content(door.get(url)).get("entry", [])
        return sum(one["resource"]["resourceType"] != "Patient" or "_has" in asked for one in entries)

    before = found()
    decide(patient, False)
    assert found() == 0, before
