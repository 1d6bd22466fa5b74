"""AuditEvent: one row of the audit trail after IHE BALP: who, what, when, whose, with which outcome. Pure."""

from typing import Any

from integrations.fhir.conclusions.concluded import Concluded, with_head
from integrations.fhir.primitives import LOCAL_REFERENCE
from recovery.selectors.fhir_audit import AuditSaid
from recovery.services.documents import instant

EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
OWN_ACTIONS = "https://twinweb.example/CodeSystem/audit-action"
ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"

# What the trail calls a RESTful interaction -> (code in R4 restful-interaction, AuditEvent.action)
_REST = {
    "read": ("read", "R"),
    "vread": ("vread", "R"),
    "search": ("search-type", "E"),
    "history": ("history-instance", "R"),
    "create": ("create", "C"),
    "update": ("update", "U"),
    "patch": ("patch", "U"),
    "delete": ("delete", "D"),
    "ingest": ("transaction", "C"),
    "everything": ("operation", "E"),
    "lastn": ("operation", "E"),
    "summary": ("operation", "E"),
    "validate": ("operation", "E"),
}
# R4 audit-event-outcome: 4 is a minor failure (the request was refused), 8 a serious one.
_OUTCOMES = {"success": "0", "denied": "4"}


def audit_event(found: AuditSaid) -> Concluded:
    rest = _REST.get(found.action)
    subtype = {"system": INTERACTIONS, "code": rest[0]} if rest else {"system": OWN_ACTIONS, "code": found.action}
    viewed = found.action.startswith(("view", "sign_in", "export"))
    body = {
        "type": {"system": EVENT_TYPES, "code": "rest"} if rest else _own_type(found),
        "subtype": [subtype],
        "action": rest[1] if rest else ("R" if viewed else "E"),
        "recorded": instant(found.at),
        "outcome": _OUTCOMES.get(found.outcome, "8"),
        "agent": [_agent(found)],
        "source": {"observer": {"display": "twinweb"}},
        "entity": _entities(found),
    }
    resource = with_head("AuditEvent", str(found.row_id), 1, instant(found.at), body)
    return Concluded(found.row_id, 1, found.at, found.patient_id, resource)


def _own_type(found: AuditSaid) -> dict[str, str]:
    """DICOM PS3.16 DCM: 110110 patient record, 110100 application activity."""
    return {"system": DICOM, "code": "110110" if found.patient_fhir_id else "110100"}


def _agent(found: AuditSaid) -> dict[str, Any]:
    system, code = (PARTICIPATION, "IRCP") if found.actor_kind == "user" else (DICOM, "110153")
    name = found.actor_name or "unknown"
    return {
        "type": {"coding": [{"system": system, "code": code}]},
        "who": {"display": name},
        "name": name,
        "requestor": True,
    }


def _entities(found: AuditSaid) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if found.patient_fhir_id:
        what = {"reference": f"Patient/{found.patient_fhir_id}"}
        person, role = {"system": ENTITY_TYPES, "code": "1"}, {"system": ROLES, "code": "1"}
        entities.append({"what": what, "type": person, "role": role})
    reference = found.entity.replace("Alert/", "DetectedIssue/", 1)
    if LOCAL_REFERENCE.fullmatch(reference) and not reference.startswith(("Batch/", "Episode/", "Connection/")):
        if reference != f"Patient/{found.patient_fhir_id}":
            entities.append({"what": {"reference": reference}, "type": {"system": ENTITY_TYPES, "code": "2"}})
    elif found.entity:
        entities.append({"type": {"system": ENTITY_TYPES, "code": "2"}, "name": found.entity})
    if found.request_id:
        identifier = {"system": "https://twinweb.example/request", "value": found.request_id}
        entities.append({"what": {"identifier": identifier}, "type": {"system": ENTITY_TYPES, "code": "4"}})
    return entities
