"""Rules of R4 beyond the models: each has an example that keeps it and one that breaks it, refused by its element."""

import json
from typing import Any

import pytest

from integrations.fhir import validation
from integrations.fhir.outcomes import FhirError
from tests.unit.integrations.fhir.observations import heart_rate, json_of, sampled

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"


def of(kind: str, **said: Any) -> dict[str, Any]:
    return {"resourceType": kind, **said}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def condition(**said: Any) -> dict[str, Any]:
    return of("Condition", subject={"reference": "Patient/p1"}, **said)


def allergy(**said: Any) -> dict[str, Any]:
    return of("AllergyIntolerance", patient={"reference": "Patient/p1"}, **said)


def goal(**target: Any) -> dict[str, Any]:
    return of(
        "Goal",
        lifecycleStatus="active",
        description={"text": "walk"},
        subject={"reference": "Patient/p1"},
        target=[target],
    )


def data(**changes: Any) -> dict[str, Any]:
    whole = {**sampled()["valueSampledData"], **changes}
    return sampled(valueSampledData=whole, note=[{"text": "a document"}])


def with_repeat(**repeat: Any) -> dict[str, Any]:
    timing = {"timing": {"repeat": repeat}}
    return of(
        "MedicationStatement",
        status="active",
        medicationCodeableConcept={"text": "x"},
        subject={"reference": "Patient/p1"},
        dosage=[timing],
    )


def risk(said: Any) -> dict[str, Any]:
    prediction = [{"probabilityDecimal": said}]
    return of("RiskAssessment", status="final", subject={"reference": "Patient/p1"}, prediction=prediction)


BROKEN = [
    (heart_rate(valueQuantity={"value": 1, "code": "/min"}), "Observation.valueQuantity.system", "qty-3"),
    (heart_rate(referenceRange=[{"appliesTo": [{"text": "x"}]}]), "Observation.referenceRange[0]", "obs-3"),
    (
        heart_rate(referenceRange=[{"text": "x", "age": {"low": {"value": 9}, "high": {"value": 3}}}]),
        "Observation.referenceRange[0].age.high",
        "rng-2",
    ),
    (
        heart_rate(valueQuantity=None, valueRatio={"numerator": {"value": 1}}),
        "Observation.valueRatio",
        "rat-1",
    ),
    (of("Patient", extension=[{"url": "urn:x"}]), "Patient.extension[0]", "ext-1"),
    (
        of("Patient", extension=[{"url": "urn:x", "valueCode": "a", "extension": [{"url": "y", "valueCode": "b"}]}]),
        "Patient.extension[0].extension",
        "ext-1",
    ),
    (of("Patient", telecom=[{"value": "1"}]), "Patient.telecom[0].system", "cpt-2"),
    (of("Patient", photo=[{"data": "aGk="}]), "Patient.photo[0].contentType", "att-1"),
    (of("Patient", contact=[{"gender": "male"}]), "Patient.contact[0]", "pat-1"),
    (of("Organization", active=True), "Organization", "org-1"),
    (
        of("Patient", contained=[of("Organization", id="o", name="x", meta={"versionId": "1"})]),
        "Patient.contained[0].meta.versionId",
        "dom-4",
    ),
    (
        condition(clinicalStatus=concept(CLINICAL, "active"), abatementDateTime="2026"),
        "Condition.clinicalStatus",
        "con-4",
    ),
    (
        condition(clinicalStatus=concept(CLINICAL, "active"), verificationStatus=concept(VERIFIED, "entered-in-error")),
        "Condition.clinicalStatus",
        "con-5",
    ),
    (allergy(), "AllergyIntolerance.clinicalStatus", "ait-1"),
    (goal(detailInteger=3), "Goal.target[0].measure", "gol-1"),
    (risk(101), "RiskAssessment.prediction[0].probabilityDecimal", "ras-2"),
    (with_repeat(duration=3), "MedicationStatement.dosage[0].timing.repeat.durationUnit", "tim-1"),
    (with_repeat(period=-3, periodUnit="d"), "MedicationStatement.dosage[0].timing.repeat.period", "tim-5"),
    (data(period=0), "Observation.valueSampledData.period", "greater than zero"),
    (data(period=-5), "Observation.valueSampledData.period", "greater than zero"),
    (data(data="1,5 2"), "Observation.valueSampledData.data", "E, U, L"),
    (data(data="1 x 2"), "Observation.valueSampledData.data", "E, U, L"),
    (data(data="1 2 3", dimensions=2), "Observation.valueSampledData.data", "no multiple"),
]
KEPT = [
    heart_rate(valueQuantity={"value": 1, "unit": "beats"}),
    heart_rate(referenceRange=[{"low": {"value": 3}, "high": {"value": 3}}]),
    of("Patient", telecom=[{"system": "phone", "value": "1"}], contact=[{"telecom": [{"system": "fax"}]}]),
    of("Organization", name="x"),
    condition(clinicalStatus=concept(CLINICAL, "resolved"), abatementDateTime="2026"),
    condition(verificationStatus=concept(VERIFIED, "entered-in-error")),
    allergy(clinicalStatus=concept(ALLERGY + "clinical", "active")),
    allergy(verificationStatus=concept(ALLERGY + "verification", "entered-in-error")),
    goal(measure={"text": "steps"}, detailInteger=3),
    risk(100),
    with_repeat(period=3, periodUnit="d", when=["PHS"]),
    data(data="1 2 3 E", dimensions=2),
]


@pytest.mark.parametrize(("resource", "where", "rule"), BROKEN, ids=[f"{case[2]} {case[1]}" for case in BROKEN])
def test_a_broken_rule_is_named_with_its_element(resource: dict[str, Any], where: str, rule: str) -> None:
    with pytest.raises(FhirError) as caught:
        validation.check(json_of(json.dumps(resource)))
    issue = caught.value.issues[0]
    assert issue.expression == where and rule in issue.diagnostics


@pytest.mark.parametrize("resource", KEPT)
def test_what_keeps_the_rules_is_taken(resource: dict[str, Any]) -> None:
    assert validation.check(resource) == resource["resourceType"]


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        (of("Patient", language="not a language"), "Patient.language"),
        (of("Patient", photo=[{"contentType": "jpeg", "url": "urn:x"}]), "Patient.photo[0].contentType"),
        (
            of("Device", udiCarrier=[{"deviceIdentifier": "1", "entryType": "guess"}]),
            "Device.udiCarrier[0].entryType",
        ),
        (
            of("Questionnaire", status="active", item=[{"linkId": "1", "type": "slider"}]),
            "Questionnaire.item[0].type",
        ),
        (
            of(
                "Encounter",
                status="finished",
                **{"class": {"code": "IMP"}},
                statusHistory=[{"status": "done", "period": {"start": "2026"}}],
            ),
            "Encounter.statusHistory[0].status",
        ),
        (
            of(
                "AdverseEvent",
                actuality="actual",
                subject={"reference": "Patient/p1"},
                severity=concept("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "awful"),
            ),
            "AdverseEvent.severity.coding[0].code",
        ),
        (with_repeat(when=["LUNCH"]), "MedicationStatement.dosage[0].timing.repeat.when[0]"),
        (heart_rate(valueQuantity={"value": 1, "comparator": "~"}), "Observation.valueQuantity.comparator"),
        (heart_rate(performer=[{"reference": "Medication/1"}]), "Observation.performer[0].reference"),
        (heart_rate(basedOn=[{"reference": "Patient/1"}]), "Observation.basedOn[0].reference"),
        (of("Patient", generalPractitioner=[{"reference": "Patient/1"}]), "Patient.generalPractitioner[0].reference"),
    ],
)
def test_required_bindings_and_reference_targets_are_held(resource: dict[str, Any], where: str) -> None:
    with pytest.raises(FhirError) as caught:
        validation.check(resource)
    assert caught.value.issues[0].expression == where
