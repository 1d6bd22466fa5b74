"""A patient's decision for one purpose as an R4 Consent. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from recovery.services.documents import instant

Json = dict[str, Any]

SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
REASONS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
LOINC = "http://loinc.org"
TYPES = "https://twinweb.example/CodeSystem/data-type"
# v3-ActReason: treatment, healthcare quality improvement, healthcare research
_REASON = {
    "care": ("TREAT", "treatment"),
    "improvement": ("HQUALIMP", "health quality improvement"),
    "research": ("HRESCH", "healthcare research"),
}
_SCOPE = {"care": "patient-privacy", "improvement": "patient-privacy", "research": "research"}
_WORDS = {
    "activity": "Activity and sleep",
    "vitals": "Pulse, breathing, oxygen and temperature",
    "implant": "Readings of an implant",
    "answers": "Answers and reports of the patient",
    "records": "Hospital records and blood values",
}


def consent(fhir_id: str, patient: str, purpose: str, allowed: Mapping[str, bool], said_by: str, now: datetime) -> Json:
    """`allowed`: of every type of data. The whole is denied, and what is allowed stands as an exception to it."""
    code, words = _REASON[purpose]
    permitted = [kind for kind, yes in allowed.items() if yes]
    provision: Json = {"type": "deny", "purpose": [{"system": REASONS, "code": code, "display": words}]}
    if permitted:
        provision["provision"] = [{"type": "permit", "code": [_type(kind) for kind in permitted]}]
    return {
        "resourceType": "Consent",
        "id": fhir_id,
        "status": "active",
        "scope": {"coding": [{"system": SCOPES, "code": _SCOPE[purpose]}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": instant(now),
        "performer": [{"display": said_by}],
        "policyRule": {"text": "Asked and answered in the patient's portal; enforced by this server."},
        "provision": provision,
    }


def _type(kind: str) -> Json:
    return {"coding": [{"system": TYPES, "code": kind, "display": _WORDS[kind]}], "text": _WORDS[kind]}
