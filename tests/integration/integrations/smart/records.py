"""One record of every type that is sent here, for two patients: ours, and one whom a token must not reach.

Whatever is the stranger's says MARK somewhere, so that a leak shows in any answer, whatever it is wrapped in.
"""

from typing import Any

from integrations.fhir.routes import ROUTES

MARK = "STRANGERSECRET"
VITAL, LAB = "vital-signs", "laboratory"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
Json = dict[str, Any]


def sent_types() -> list[str]:
    return [route.type for route in ROUTES.values() if "create" in route.interactions]


def concept(text: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": text}


def record(type_name: str, whose: str, mark: str) -> Json:
    """A valid resource with the id `whose`-Type. `mark` stands in its tag and, where there is one, in its text."""
    subject = {"reference": f"Patient/{whose}-Patient"}
    code = {"text": mark or "ours"}
    made = _content(type_name, subject, code, whose, mark)
    tag = {"system": "urn:test:owner", "code": mark or "ours"}
    return {"resourceType": type_name, "id": f"{whose}-{type_name}", "meta": {"tag": [tag]}, **made}


def _content(type_name: str, subject: Json, code: Json, whose: str, mark: str) -> Json:
    name = mark or "Ours"
    mine = {"subject": subject}
    patient = {"patient": subject}
    group = {"type": "person", "actual": True, "member": [{"entity": subject}]}
    money = {
        "status": "active",
        "type": code,
        "use": "claim",
        "created": "2026-01-01",
        "insurer": {"display": "x"},
        "provider": {"display": "x"},
    }
    insured = {"insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}]}
    clinical = "http://terminology.hl7.org/CodeSystem"
    texts: dict[str, Json] = {
        "Patient": {"name": [{"family": name, "given": ["A"]}], "birthDate": "1950-01-01"},
        "RelatedPerson": {**patient, "name": [{"family": name}]},
        "Encounter": {**mine, "status": "finished", "class": {"code": "IMP"}, "reasonCode": [code]},
        "EpisodeOfCare": {**patient, "status": "active"},
        "Procedure": {**mine, "status": "preparation", "code": code},
        "Condition": {**mine, "code": code},
        "Device": {**patient, "status": "active", "deviceName": [{"name": name, "type": "other"}]},
        "DeviceMetric": {
            "type": code,
            "category": "measurement",
            "source": {"reference": f"Device/{whose}-Device"},
        },
        "DeviceUseStatement": {**mine, "status": "active", "device": {"reference": f"Device/{whose}-Device"}},
        "Observation": {
            **mine,
            "status": "final",
            "category": [{"coding": [{"system": _CATEGORY, "code": VITAL}]}],
            "code": concept(name),
            "effectiveDateTime": "2026-01-02T10:00:00Z",
            "valueQuantity": {"value": 71, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
            "encounter": {"reference": f"Encounter/{whose}-Encounter"},
            "note": [{"text": name}],
        },
        "QuestionnaireResponse": {**mine, "status": "completed", "authored": "2026-01-02"},
        "MedicationStatement": {**mine, "status": "active", "medicationCodeableConcept": code},
        "MedicationRequest": {**mine, "status": "active", "intent": "order", "medicationCodeableConcept": code},
        "MedicationAdministration": {
            **mine,
            "status": "completed",
            "medicationCodeableConcept": code,
            "effectiveDateTime": "2026-01-02",
        },
        "DiagnosticReport": {**mine, "status": "final", "code": code},
        "DocumentReference": {**mine, "status": "current", "content": [{"attachment": {"title": name}}]},
        "ImagingStudy": {**mine, "status": "available"},
        "Media": {**mine, "status": "completed", "content": {"title": name}},
        "CarePlan": {**mine, "status": "active", "intent": "plan"},
        "Goal": {**mine, "lifecycleStatus": "active", "description": code},
        "Task": {"for": subject, "status": "requested", "intent": "order"},
        "CareTeam": {**mine, "status": "active"},
        "Communication": {**mine, "status": "completed", "payload": [{"contentString": name}]},
        "CommunicationRequest": {**mine, "status": "active", "payload": [{"contentString": name}]},
        "Consent": {
            **patient,
            "status": "active",
            "scope": code,
            "category": [code],
            "policyRule": code,
        },
        "Provenance": {
            "target": [subject],
            "recorded": "2026-01-02T10:00:00Z",
            "agent": [{"who": {"display": name}}],
        },
        "ServiceRequest": {**mine, "status": "active", "intent": "order", "code": code},
        "AllergyIntolerance": {
            **patient,
            "clinicalStatus": {"coding": [{"system": f"{clinical}/allergyintolerance-clinical", "code": "active"}]},
            "code": code,
        },
        "Immunization": {**patient, "status": "completed", "vaccineCode": code, "occurrenceDateTime": "2026-01-02"},
        "Specimen": {**mine, "type": code},
        "BodyStructure": {**patient, "morphology": code},
        "DeviceRequest": {**mine, "intent": "order", "codeCodeableConcept": code},
        "NutritionOrder": {
            **patient,
            "status": "active",
            "intent": "order",
            "dateTime": "2026-01-02",
            "oralDiet": {"type": [code]},
        },
        "FamilyMemberHistory": {**patient, "status": "completed", "relationship": code},
        "ClinicalImpression": {**mine, "status": "completed"},
        "AdverseEvent": {**mine, "actuality": "actual", "event": code},
        "Composition": {
            **mine,
            "status": "final",
            "type": code,
            "date": "2026-01-02",
            "author": [{"display": name}],
            "title": name,
        },
        "Claim": {**patient, **money, **insured, "priority": code},
        "ExplanationOfBenefit": {
            **patient,
            **money,
            "outcome": "complete",
            "insurance": [{"focal": True, "coverage": {"display": "x"}}],
        },
        "Coverage": {"beneficiary": subject, "status": "active", "payor": [{"display": name}]},
        "Group": group,
        "RiskAssessment": {**mine, "status": "final"},
        "DetectedIssue": {**patient, "status": "final", "detail": name},
        "Flag": {**mine, "status": "active", "code": code},
    }
    return texts[type_name]


# About no patient: everybody may read them, so they hold no secret here.
SHARED: dict[str, Json] = {
    "Practitioner": {"name": [{"family": "Staff"}]},
    "PractitionerRole": {"active": True},
    "Organization": {"name": "Ward"},
    "Location": {"name": "Ward"},
    "Questionnaire": {"status": "active"},
    "Medication": {"status": "active"},
}
# Kept by doors of their own (a Subscription is its client's alone).
ELSEWHERE = frozenset(("Subscription",))
