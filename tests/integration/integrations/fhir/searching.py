"""A small ward to search in: two patients with readings on every shelf, and what stands around them."""

from typing import Any

from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import UCUM, heart_rate, sampled

Rows = list[tuple[str, str | None]]
# Conclusions that stand beside what was sent.
OURS = ("arrival-", "conclusion-")
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MR = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}


def ids(door: Door, query: str, mode: str = "match", **headers: str) -> list[str]:
    """Ids of the matches (or of what is included), in the order of the page."""
    response = door.get(query, **headers)
    assert response.status_code == 200, (query, response.content)
    entries = content(response).get("entry", [])
    return [one["resource"]["id"] for one in entries if one["search"]["mode"] == mode]


def put(door: Door, resource: dict[str, Any]) -> None:
    response = door.put(f"{resource['resourceType']}/{resource['id']}", resource)
    assert response.status_code in (200, 201), response.content


def coded(code: str, system: str = LOINC, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more}]}


def quantity(value: float, unit: str, code: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def temperature(fhir_id: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return heart_rate(id=fhir_id, code=coded("8310-5", display="Body temperature"), valueQuantity=value, **more)


def pressure(fhir_id: str, systolic: float, diastolic: float, **more: Any) -> dict[str, Any]:
    components = [
        {"code": coded("8480-6"), "valueQuantity": quantity(systolic, "mmHg", "mm[Hg]")},
        {"code": coded("8462-4"), "valueQuantity": quantity(diastolic, "mmHg", "mm[Hg]")},
    ]
    said = {"component": components, "code": coded("85354-9"), "valueQuantity": None, **more}
    return heart_rate(id=fhir_id, **said)


def ward() -> list[dict[str, Any]]:
    """Patients ann and bob; Observations as narrow rows (hr*, t*, steps), a packet (ecg) and documents."""
    ann, bob = {"reference": "Patient/ann"}, {"reference": "Patient/bob"}
    of_ann = {"subject": ann, "device": {"reference": "Device/watch"}}
    of_bob = {"subject": bob, "device": None}
    knee = coded("609588000", SNOMED, display="Total knee replacement") | {"text": "Knie-Prothese rechts"}
    return [
        {"resourceType": "Organization", "id": "org", "name": "Åre Hospital", "alias": ["Fjell"], "active": True},
        {
            "resourceType": "Practitioner",
            "id": "doc",
            "name": [{"family": "Surgeon", "given": ["Ada"]}],
            "identifier": [{"system": "urn:staff", "value": "77"}],
        },
        {
            "resourceType": "Patient",
            "id": "ann",
            "active": True,
            "name": [{"family": "Ångström", "given": ["Ann", "Zoë"]}],
            "gender": "female",
            "birthDate": "1957-03-14",
            "identifier": [{"type": {"coding": [MR], "text": "Record"}, "system": "urn:mrn", "value": "A,1|2"}],
            "telecom": [{"system": "email", "value": "ann@example.org"}, {"system": "phone", "value": "555"}],
            "address": [{"city": "Östersund", "postalCode": "83125", "use": "home"}],
            "managingOrganization": {"reference": "Organization/org"},
            "generalPractitioner": [{"reference": "Practitioner/doc"}],
            "meta": {"tag": [{"system": "urn:t", "code": "study"}], "profile": ["http://example.org/p/one"]},
        },
        {
            "resourceType": "Patient",
            "id": "bob",
            "name": [{"family": "Berg", "given": ["Bob"]}],
            "gender": "male",
            "birthDate": "1960",
            "deceasedDateTime": "2026-02-01",
            "identifier": [{"system": "urn:mrn", "value": "B1"}],
        },
        {"resourceType": "Device", "id": "watch", "patient": ann, "manufacturer": "Acme"},
        {
            "resourceType": "Encounter",
            "id": "stay",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": ann,
            "period": {"start": "2026-01-04T08:00:00Z", "end": "2026-01-09T08:00:00Z"},
            "serviceProvider": {"reference": "Organization/org"},
        },
        {
            "resourceType": "Encounter",
            "id": "open",
            "status": "in-progress",
            "class": {"code": "AMB"},
            "subject": bob,
            "period": {"start": "2026-01-06"},
        },
        {
            "resourceType": "Procedure",
            "id": "knee",
            "status": "completed",
            "code": knee,
            "subject": ann,
            "encounter": {"reference": "Encounter/stay"},
            "performedPeriod": {"start": "2026-01-04T09:00:00Z", "end": "2026-01-04T11:00:00Z"},
            "performer": [{"actor": {"reference": "Practitioner/doc"}}],
        },
        {
            "resourceType": "Condition",
            "id": "pain",
            "code": coded("22253000", SNOMED, display="Pain"),
            "subject": ann,
            "asserter": {"identifier": {"system": "urn:staff", "value": "77"}, "display": "Dr Surgeon"},
            "clinicalStatus": coded("active", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
        },
        heart_rate(**of_ann, id="hr1", effectiveDateTime="2026-01-05T08:00:00Z"),
        heart_rate(
            **of_ann,
            id="hr2",
            effectiveDateTime="2026-01-06T08:00:00Z",
            valueQuantity=quantity(104, "beats/minute", "/min"),
            identifier=[{"system": "urn:i", "value": "one"}],
        ),
        heart_rate(**of_bob, id="hr3", effectiveDateTime="2026-01-06T09:00:00Z", status="preliminary"),
        temperature("t1", quantity(37.0, "C", "Cel"), **of_ann, effectiveDateTime="2026-01-05T09:00:00Z"),
        temperature("t2", quantity(101.3, "F", "[degF]"), **of_ann, effectiveDateTime="2026-01-06T10:00:00Z"),
        temperature(
            "t3", quantity(38.5, "C", "Cel"), **of_bob, effectiveDateTime="2026-01-07T10:00:00Z", note=[{"text": "x"}]
        ),
        heart_rate(
            **of_ann,
            id="steps",
            code=coded("55423-8"),
            effectiveDateTime=None,
            effectivePeriod={"start": "2026-01-05T00:00:00Z", "end": "2026-01-06T00:00:00Z"},
            valueQuantity=quantity(3000, "steps", "{steps}"),
        ),
        sampled(
            **of_ann,
            id="ecg",
            effectivePeriod={"start": "2026-01-07T00:00:00Z", "end": "2026-01-07T04:00:00Z"},
        ),
        pressure("bp1", 128, 82, **of_ann, effectiveDateTime="2026-01-05T10:00:00Z"),
        pressure("bp2", 162, 95, **of_ann, effectiveDateTime="2026-01-06T11:00:00Z"),
        heart_rate(
            **of_ann,
            id="pale",
            code=coded("39107-8"),
            valueQuantity=None,
            valueCodeableConcept=coded("274643008", SNOMED) | {"text": "Pale skin"},
            effectiveDateTime="2026-01-05T11:00:00Z",
        ),
        {
            "resourceType": "DiagnosticReport",
            "id": "report",
            "status": "final",
            "code": {"text": "Recovery summary"},
            "subject": ann,
            "effectiveDateTime": "2026-01-07",
            "result": [{"reference": "Observation/bp2"}, {"reference": "Observation/hr2"}],
            "encounter": {"reference": "Encounter/stay"},
        },
        {
            "resourceType": "RiskAssessment",
            "id": "risk",
            "status": "final",
            "subject": ann,
            "prediction": [{"outcome": {"text": "Infection"}, "probabilityDecimal": 0.12}],
        },
        {
            "resourceType": "Questionnaire",
            "id": "form",
            "status": "active",
            "url": "http://example.org/forms/knee",
            "version": "1.2",
        },
        {
            "resourceType": "QuestionnaireResponse",
            "id": "answers",
            "status": "completed",
            "questionnaire": "http://example.org/forms/knee|1.2",
            "subject": ann,
            "authored": "2026-01-06T12:00:00Z",
        },
        {
            "resourceType": "Provenance",
            "id": "origin",
            "target": [{"reference": "Observation/bp1"}, {"reference": "Observation/hr2"}],
            "recorded": "2026-01-06T12:00:00Z",
            "agent": [{"who": {"reference": "Practitioner/doc"}}],
        },
        {"resourceType": "Group", "id": "cohort", "type": "person", "actual": True, "member": [{"entity": ann}]},
    ]


def fill(door: Door) -> Door:
    """All of the ward in one transaction."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}} for one in ward()
    ]
    response = door.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert response.status_code == 200, response.content
    return door


def check(ward: Door, rows: Rows) -> None:
    """Each row: a search, and the ids that it must find, whatever their order; None: it must be refused."""
    found: dict[str, str | None] = {}
    for query, expected in rows:
        if expected is None:
            found[query] = None if ward.get(query).status_code == 400 else "answered"
        else:
            held = [one for one in ids(ward, query, Prefer="handling=strict") if not one.startswith(OURS)]
            found[query] = " ".join(sorted(held))
    wanted = {query: expected and " ".join(sorted(expected.split())) for query, expected in rows}
    wrong = {query: (found[query], wanted[query]) for query in found if found[query] != wanted[query]}
    assert not wrong, wrong
