"""What enrolment says in FHIR: an R4 Patient and an R4 Procedure, as an EHR would have sent them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recovery.services.documents import instant
from recovery.twin.profile import CATALOGUE, PROCEDURES, SNOMED

Json = dict[str, Any]

IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
SURGEON = {"system": SNOMED, "code": "304292004", "display": "Surgeon"}
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
    timeless = {key: value for key, value in resource.items() if not key.startswith(("performed", "_performed"))}
    return _without_versions(timeless) | performed(start, end, now)


def operated_by(resource: Mapping[str, Any], name: str, reference: str) -> Json:
    """The same Procedure by another surgeon, or by nobody who is named; who else took part stays. `reference`: the
    Practitioner, or blank where there is only a name."""
    kept = _without_versions(resource)
    others = kept.pop("performer", [])
    others = [one for one in others if not _operated(one, len(others))]
    actor = {"reference": reference, "display": name} if reference else {"display": name}
    performers = [{"function": {"coding": [SURGEON]}, "actor": actor}] if name else []
    return kept | ({"performer": [*performers, *others]} if performers or others else {})


def _operated(performer: Mapping[str, Any], count: int) -> bool:
    """The surgeon, as integrations.fhir.documents.surgeon reads a Procedure: by function, or the only one without."""
    function = performer.get("function") or {}
    codes = {one.get("code") for one in function.get("coding", ()) if one.get("system") == SNOMED}
    texts = [function.get("text"), *(one.get("display") for one in function.get("coding", ()))]
    words = {str(one).casefold().strip() for one in texts if one}
    if codes & {"304292004", "158966004"} or words & {"surgeon", "operating surgeon"}:
        return True
    return not function and count == 1


def _without_versions(resource: Mapping[str, Any]) -> Json:
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    return {key: value for key, value in resource.items() if key != "meta"} | ({"meta": meta} if meta else {})


def _code(key: str, text: str) -> Json:
    known = PROCEDURES.get(key)
    if known is None:
        return {"text": text}
    codings = [{"system": SNOMED, "code": code} for code in known.snomed[:1]]
    return {"coding": [*codings, {"system": CATALOGUE, "code": key, "display": known.label}], "text": text}
