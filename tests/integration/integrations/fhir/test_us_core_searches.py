"""The search combinations that US Core and IPA ask of a server, for the types served: declared, and answered.

Combinations: "Quick Start" sections of US Core 9 (SHALL and SHOULD) and the IPA 1.1 capability statement.
"""

from typing import Any

import pytest

from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.searching import fill, ids

DATES = ["ge2026-01-01", "lt2026-02-01"]
# type -> the combinations; a name ending in + is a date, given twice as a period.
COMBINATIONS: dict[str, list[str]] = {
    "AllergyIntolerance": ["patient", "patient clinical-status"],
    "CarePlan": [
        "patient category",
        "patient category date+",
        "patient category status",
        "patient category status date+",
    ],
    "CareTeam": ["patient status", "patient role"],
    "Condition": [
        *("patient", "patient category", "patient category clinical-status", "patient clinical-status"),
        *("patient code", "patient onset-date+", "patient recorded-date+", "patient abatement-date+"),
        *("patient asserted-date+", "patient category encounter", "patient _lastUpdated+"),
    ],
    "Coverage": ["patient"],
    "Device": ["patient", "patient type", "patient status"],
    "DiagnosticReport": [
        *("patient category", "patient code", "patient code date+", "patient category date+", "patient status"),
        "patient category _lastUpdated+",
    ],
    "DocumentReference": [
        *("_id", "patient", "patient category", "patient category date+", "patient type", "patient status"),
        "patient type period+",
    ],
    "Encounter": [
        *("_id", "identifier", "patient", "patient date+", "class patient", "patient type", "patient status"),
        *("patient location", "patient discharge-disposition", "patient _lastUpdated+"),
    ],
    "Goal": ["patient", "patient lifecycle-status", "patient target-date+", "patient description"],
    "Immunization": ["patient", "patient date+", "patient status"],
    "Location": ["name", "address", "address-city", "address-state", "address-postalcode"],
    "MedicationRequest": [
        *("patient intent", "patient intent status", "patient intent encounter", "patient intent authoredon+"),
        "patient status",
    ],
    "MedicationStatement": ["patient", "patient status"],
    "Observation": [
        *(
            "patient category",
            "patient code",
            "patient category date+",
            "patient category status",
            "patient code date+",
        ),
        "patient category _lastUpdated+",
    ],
    "Organization": ["name", "address", "identifier"],
    "Patient": [
        *("_id", "identifier", "name", "birthdate family", "birthdate name", "gender name", "death-date+ family"),
        *("family gender", "race", "ethnicity", "gender-identity"),
    ],
    "Practitioner": ["_id", "name", "identifier"],
    "PractitionerRole": ["specialty", "practitioner"],
    "Procedure": ["patient", "patient date+", "patient status", "patient code date+"],
    "Provenance": ["patient", "target"],
    "QuestionnaireResponse": [
        *("_id", "patient", "patient status", "patient authored+", "patient questionnaire", "patient tag"),
    ],
    "RelatedPerson": ["_id", "patient", "patient name"],
    "ServiceRequest": [
        *("_id", "patient", "patient category", "patient category authored+", "patient code", "patient code authored+"),
        "patient status",
    ],
    "Specimen": ["_id", "patient"],
}


def _query(names: str, values: dict[str, str]) -> str:
    said = []
    for name in names.split():
        if name.endswith("+"):
            said += [f"{name[:-1]}={date}" for date in DATES]
        else:
            said.append(f"{name}={values.get(name, 'x')}")
    return "&".join(said)


def test_every_combination_is_declared_and_answered(door: Door, patient: str) -> None:
    statement = content(door.get("metadata"))["rest"][0]["resource"]
    declared = {one["type"]: {param["name"] for param in one["searchParam"]} for one in statement}
    values = {"patient": patient, "birthdate": "1960", "target": "Observation/x"}
    for type_name, combinations in COMBINATIONS.items():
        for names in combinations:
            names = names.replace("tag", "_tag")
            asked = {name.rstrip("+") for name in names.split()}
            assert asked <= declared[type_name], (type_name, asked - declared[type_name])
            response = door.get(f"{type_name}?{_query(names, values)}", Prefer="handling=strict")
            assert response.status_code == 200, (type_name, names, response.content)


def test_revinclude_of_provenance_is_declared_for_every_type(door: Door) -> None:
    for one in content(door.get("metadata"))["rest"][0]["resource"]:
        assert "Provenance:target" in one["searchRevInclude"]
        assert all(name == "*" or name.startswith(one["type"]) for name in one["searchInclude"])


def test_declared_parameters_name_their_definition(door: Door) -> None:
    statement = content(door.get("metadata"))["rest"][0]["resource"]
    by_type = {one["type"]: {param["name"]: param for param in one["searchParam"]} for one in statement}
    assert by_type["Observation"]["code"]["definition"] == "http://hl7.org/fhir/SearchParameter/clinical-code"
    assert by_type["Patient"]["race"]["definition"].startswith("http://hl7.org/fhir/us/core/SearchParameter/")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?race=http://example.org|2028-9", ["us"]),
        ("Patient?ethnicity=2186-5", ["us"]),
        ("Condition?patient=us&asserted-date=2026-01", ["c"]),
        ("CareTeam?patient=us&role=nurse", ["team"]),
        ("Encounter?patient=us&discharge-disposition=home", ["out"]),
    ],
)
def test_the_parameters_of_us_core_find_what_they_say(door: Door, query: str, expected: list[str]) -> None:
    core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
    about: dict[str, Any] = {"subject": {"reference": "Patient/us"}}

    def kind(name: str, code: str) -> dict[str, Any]:
        value = {"system": "http://example.org", "code": code}
        return {"url": f"{core}{name}", "extension": [{"url": "ombCategory", "valueCoding": value}]}

    asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
    for one in (
        {"resourceType": "Patient", "id": "us", "extension": [kind("race", "2028-9"), kind("ethnicity", "2186-5")]},
        {
            "resourceType": "Condition",
            "id": "c",
            **about,
            "extension": [{"url": asserted, "valueDateTime": "2026-01-05"}, {"url": "urn:x", "valueDateTime": "2020"}],
        },
        {
            "resourceType": "CareTeam",
            "id": "team",
            **about,
            "participant": [{"role": [{"coding": [{"code": "nurse"}]}], "member": {"reference": "Patient/us"}}],
        },
        {
            "resourceType": "Encounter",
            "id": "out",
            "status": "finished",
            "class": {"code": "IMP"},
            **about,
            "hospitalization": {"dischargeDisposition": {"coding": [{"code": "home"}]}},
        },
    ):
        response = door.put(f"{one['resourceType']}/{one['id']}", one)
        assert response.status_code == 201, response.content
    assert ids(door, query) == expected


def test_an_ipa_reader_finds_the_vitals_of_a_period(door: Door) -> None:
    ward = fill(door)
    query = (
        "Observation?patient=ann&category=vital-signs&date=ge2026-01-05&date=le2026-01-05&code=http://loinc.org|8310-5"
    )
    assert ids(ward, query) == ["t1"]
