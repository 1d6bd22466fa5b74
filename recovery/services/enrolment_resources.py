"""What enrolment says in FHIR: an R4 Patient and an R4 Procedure, as an EHR would have sent them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recovery.services.documents import instant
from recovery.twin.profile import CATALOGUE, PROCEDURES, SNOMED

Json = dict[str, Any]

IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
SURGICAL = {"system": SNOMED, "code": "387713003", "display": "Surgical procedure"}
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


@dataclass(frozen=True, slots=True)
class NewPerson:
    record_number: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    is_synthetic: bool = False


def patient(fhir_id: str, person: NewPerson, system: str) -> Json:
    """`system`: whose numbers the record numbers are."""
    said: Json = {
        "resourceType": "Patient",
        "id": fhir_id,
        "identifier": [
            {
                "use": "usual",
                "type": {"coding": [{"system": IDENTIFIER_TYPES, "code": "MR", "display": "Medical record number"}]},
                "system": system,
                "value": person.record_number,
            }
        ],
        "active": True,
        "name": [{"use": "official", "family": person.family_name, "given": person.given_name.split()}],
        "gender": person.sex,
        "birthDate": person.birth_date.isoformat(),
    }
    if not person.given_name.split():
        del said["name"][0]["given"]
    return said | ({"meta": {"security": [TEST_DATA]}} if person.is_synthetic else {})


def procedure(
    fhir_id: str, patient_id: str, key: str, text: str, *, start: datetime | None, end: datetime, now: datetime
) -> Json:
    """An operation of the catalogue, or one that only has words. Its time is estimated while it is to come (R4:
    "estimated or actual date")."""
    return {
        "resourceType": "Procedure",
        "id": fhir_id,
        "category": {"coding": [SURGICAL]},
        "code": _code(key, text),
        "subject": {"reference": f"Patient/{patient_id}"},
    } | performed(start, end, now)


def performed(start: datetime | None, end: datetime, now: datetime) -> Json:
    """Status and time: what ends in the past is done, what ends later is being prepared."""
    period = {"start": instant(start)} if start is not None else {}
    return {
        "status": "completed" if end <= now else "preparation",
        "performedPeriod": period | {"end": instant(end)},
    }


def moved(resource: Mapping[str, Any], start: datetime | None, end: datetime, now: datetime) -> Json:
    """The same Procedure at another time."""
    kept = {key: value for key, value in resource.items() if not key.startswith(("performed", "_performed"))}
    kept["meta"] = {k: v for k, v in kept.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    if not kept["meta"]:
        del kept["meta"]
    return kept | performed(start, end, now)


def _code(key: str, text: str) -> Json:
    known = PROCEDURES.get(key)
    if known is None:
        return {"text": text}
    codings = [{"system": SNOMED, "code": code} for code in known.snomed[:1]]
    return {"coding": [*codings, {"system": CATALOGUE, "code": key, "display": known.label}], "text": text}
