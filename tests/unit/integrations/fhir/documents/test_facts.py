"""What documents tell the domain, and what they do not."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from integrations.fhir import codes
from integrations.fhir.documents.facts import facts_of
from recovery.services.intake import DeviceFacts, EpisodeFacts, FindingFacts, PatientFacts
from recovery.twin.incidence import NAMED
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.risk_inputs import HISTORY_LABELS, RiskFactors

SNOMED = "http://snomed.info/sct"
SUBJECT = {"reference": "Patient/p1"}


def coded(code: str, system: str = SNOMED, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **more}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def patient(**elements: Any) -> PatientFacts:
    found = facts_of("Patient", {"resourceType": "Patient", **elements})
    assert isinstance(found, PatientFacts)
    return found


def procedure(**elements: Any) -> EpisodeFacts | None:
    base = {"resourceType": "Procedure", "status": "completed", "code": coded("609588000"), "subject": SUBJECT}
    found = facts_of("Procedure", {**base, **elements})
    assert found is None or isinstance(found, EpisodeFacts)
    return found


def condition(code: str, system: str = SNOMED, **elements: Any) -> FindingFacts | None:
    found = facts_of(
        "Condition", {"resourceType": "Condition", "code": coded(code, system), "subject": SUBJECT, **elements}
    )
    assert found is None or isinstance(found, FindingFacts)
    return found


def factor(code: str, **value: Any) -> FindingFacts | None:
    base = {
        "resourceType": "Observation",
        "status": "final",
        "code": coded(code, "http://loinc.org"),
        "subject": SUBJECT,
    }
    found = facts_of("Observation", {**base, "issued": "2026-01-04T12:00:00Z", **value})
    assert found is None or isinstance(found, FindingFacts)
    return found


def test_a_person_has_the_official_name_and_the_medical_record_number() -> None:
    mr = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    found = patient(
        name=[{"use": "nickname", "given": ["Ida"]}, {"use": "official", "family": "Hartmann", "given": ["Ida", "M"]}],
        identifier=[{"value": "X1"}, {"type": mr, "value": "MR7"}],
        gender="female",
        birthDate="1950-02-01",
        deceasedDateTime="2026-02-01T10:00:00+01:00",
    )
    assert (found.given_name, found.family_name, found.record_number) == ("Ida M", "Hartmann", "MR7")
    assert (found.sex, found.birth_date, found.died_at) == ("female", date(1950, 2, 1), at(2026, 2, 1, 9))


@pytest.mark.parametrize("born", ["1950", "1950-02", None])
def test_a_birth_date_that_nobody_said_is_not_made_up(born: str | None) -> None:
    assert patient(**({"birthDate": born} if born else {})).birth_date is None


def test_origin_and_test_data_are_read_from_meta() -> None:
    system, code = codes.TEST_DATA
    tag = {"system": codes.ORIGIN, "code": "import", "display": "LifeSnaps, CC BY 4.0"}
    found = patient(meta={"tag": [tag], "security": [{"system": system, "code": code}]})
    assert (found.origin, found.is_synthetic) == ("LifeSnaps, CC BY 4.0", True)
    assert (patient().origin, patient().is_synthetic) == ("", False)


def test_an_operation_is_an_episode_whose_day_zero_is_its_end() -> None:
    found = procedure(performedPeriod={"start": "2026-01-05T06:00:00Z", "end": "2026-01-05T07:30:00Z"})
    assert found == EpisodeFacts("knee_replacement", "", at(2026, 1, 5, 6), at(2026, 1, 5, 7, 30), "active")


@pytest.mark.parametrize(
    ("status", "expected"), [("preparation", "planned"), ("not-done", "cancelled"), ("entered-in-error", "cancelled")]
)
def test_an_operation_that_is_not_done_is_no_running_episode(status: str, expected: str) -> None:
    found = procedure(status=status)
    assert found is not None and found.status == expected


def test_an_unknown_operation_counts_when_it_is_filed_as_surgical_and_a_blood_test_never() -> None:
    unknown = procedure(code=coded("123"), category=coded("387713003"))
    assert unknown is not None and unknown.procedure == ""
    assert procedure(code=coded("396550006")) is None


def test_a_date_alone_means_the_end_of_that_day() -> None:
    found = procedure(performedDateTime="2026-01-05")
    assert found is not None and found.surgery_end == at(2026, 1, 5, 23, 59, 59, 999_000)


@pytest.mark.parametrize(
    ("code", "system", "elements", "kind", "key"),
    [
        ("433202001", SNOMED, {}, "complication", "ssi"),
        ("44054006", SNOMED, {}, "comorbidity", "diabetes"),
        ("49436004", SNOMED, {}, "comorbidity", "atrial_fibrillation"),
        ("49436004", SNOMED, {"category": [coded("encounter-diagnosis", "urn:c")]}, "complication", "af"),
        ("I26.99", "http://hl7.org/fhir/sid/icd-10-cm", {}, "complication", "vte"),
        ("E11.9", "http://hl7.org/fhir/sid/icd-10-cm", {}, "comorbidity", "diabetes"),
        ("1", SNOMED, {}, "comorbidity", ""),
        ("1", SNOMED, {"category": [coded("encounter-diagnosis", "urn:c")]}, "complication", ""),
    ],
)
def test_a_condition_is_a_complication_or_a_comorbidity(
    code: str, system: str, elements: dict[str, Any], kind: str, key: str
) -> None:
    found = condition(code, system, **elements)
    assert found is not None and (found.kind, found.key) == (kind, key)


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_diagnosis_taken_back_tells_nothing(status: str) -> None:
    assert condition("433202001", verificationStatus=coded(status, "urn:v")) is None


def test_a_condition_keeps_when_it_began_and_when_it_became_known() -> None:
    found = condition("433202001", onsetDateTime="2026-01-09", recordedDate="2026-01-10T08:00:00Z")
    assert found is not None and (found.onset_at, found.recorded_at) == (at(2026, 1, 9), at(2026, 1, 10, 8))


@pytest.mark.parametrize(
    ("code", "value", "key", "number"),
    [
        ("97816-3", {"valueInteger": 3}, "asa", 3.0),
        ("39156-5", {"valueQuantity": {"value": 27, "code": "kg/m2"}}, "bmi", 27.0),
        ("55103-6", {"valueQuantity": {"value": 250, "code": "mL"}}, "blood_loss_ml", 250.0),
        ("66555-4", {"valueInteger": 6}, "skin_tone", 6.0),
        ("72166-2", {"valueCodeableConcept": coded("77176002")}, "smoker", 1.0),
        ("72166-2", {"valueCodeableConcept": coded("266919005")}, "smoker", 0.0),
    ],
)
def test_baseline_factors_are_found(code: str, value: dict[str, Any], key: str, number: float) -> None:
    found = factor(code, **value)
    assert found is not None and (found.kind, found.key, found.number) == ("factor", key, number)
    assert found.recorded_at == at(2026, 1, 4, 12)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("39156-5", {"valueQuantity": {"value": 27, "code": "[lb_av]/[sft_i]"}}),
        ("55103-6", {"valueQuantity": {"value": 2, "code": "L"}}),
        ("55103-6", {"valueQuantity": {"value": 250, "code": "mL", "comparator": "<"}}),
        ("72166-2", {"valueCodeableConcept": coded("1")}),
        ("97816-3", {}),
        ("97816-3", {"valueInteger": 3, "status": "entered-in-error"}),
        ("8867-4", {"valueQuantity": {"value": 72, "code": "/min"}}),
    ],
)
def test_a_factor_in_another_unit_or_without_a_known_answer_is_not_guessed(code: str, value: dict[str, Any]) -> None:
    assert factor(code, **value) is None


def test_a_stay_in_hospital_is_found_and_a_visit_is_none() -> None:
    base = {
        "resourceType": "Encounter",
        "status": "finished",
        "period": {"start": "2026-01-05T06:00:00Z", "end": "2026-01-08"},
    }
    stay = facts_of("Encounter", {**base, "class": {"code": "IMP"}})
    assert isinstance(stay, FindingFacts) and (stay.kind, stay.key, stay.onset_at) == (
        "stay",
        "inpatient",
        at(2026, 1, 5, 6),
    )
    assert facts_of("Encounter", {**base, "class": {"code": "AMB"}}) is None
    assert facts_of("Encounter", {**base, "class": {"code": "IMP"}, "status": "cancelled"}) is None


@pytest.mark.parametrize(
    ("code", "tier"), [("86407004", "implant"), ("448703006", "cleared"), ("706767009", "consumer")]
)
def test_a_device_is_trusted_by_what_it_is(code: str, tier: str) -> None:
    found = facts_of("Device", {"resourceType": "Device", "type": coded(code), "udiCarrier": [{"carrierHRF": "(01)1"}]})
    assert isinstance(found, DeviceFacts) and (found.tier, found.udi) == (tier, "(01)1")


def test_the_keys_given_to_the_domain_are_words_that_it_knows() -> None:
    assert set(codes.COMORBIDITIES.values()) <= set(HISTORY_LABELS)
    assert set(NAMED) - {"leak"} <= set(codes.COMPLICATIONS.values())
    fields = set(RiskFactors.__dataclass_fields__) | set(Profile.__dataclass_fields__)
    assert set(codes.FACTORS.values()) <= fields
    for system, code in ((SNOMED, code) for one in PROCEDURES.values() for code in one.snomed):
        assert codes.procedure_of([(system, code)])


@pytest.mark.parametrize("said", ["9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1816"])
def test_an_operation_at_the_end_of_the_calendar_has_no_day_zero(said: str) -> None:
    assert procedure(performedDateTime=said).surgery_end is None
    found = procedure(performedPeriod={"start": said, "end": said})
    assert (found.surgery_start, found.surgery_end) == (None, None)
