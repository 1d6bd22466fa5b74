"""AuditEvent: one row of the audit trail as IHE Basic Audit Log Patterns (BALP 1.1): who, what, when, whose. Pure.

A profile is claimed only where all that it asks for is known. In BALP the side that data (or a query) flows from is
the source role: the server of a read, the client of everything else.
"""

import base64
from dataclasses import dataclass

from integrations.fhir.conclusions.codes import BASE, Json
from integrations.fhir.conclusions.concluded import Concluded, with_head
from integrations.fhir.primitives import LOCAL_REFERENCE
from recovery.selectors.fhir_audit import AuditSaid
from recovery.services.documents import instant

EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
OWN_ACTIONS = f"{BASE}/CodeSystem/audit-action"
ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
BALP = "https://profiles.ihe.net/ITI/BALP"

_PERSON = {"system": ENTITY_TYPES, "code": "1", "display": "Person"}
_SYSTEM_OBJECT = {"system": ENTITY_TYPES, "code": "2", "display": "System Object"}
_PATIENT = {"system": ROLES, "code": "1", "display": "Patient"}
_DOMAIN_RESOURCE = {"system": ROLES, "code": "4", "display": "Domain Resource"}
_QUERY = {"system": ROLES, "code": "24", "display": "Query"}
_SOURCE = {"system": DICOM, "code": "110153", "display": "Source Role ID"}
_DESTINATION = {"system": DICOM, "code": "110152", "display": "Destination Role ID"}


@dataclass(frozen=True, slots=True)
class _Kind:
    """`subtypes`: codes of R4 restful-interaction. `profile`: of BALP, "" when it has none."""

    subtypes: tuple[str, ...]
    action: str
    profile: str = ""


_READ = _Kind(("read",), "R", "Read")
_OPERATION = _Kind(("operation",), "E")
# What the trail calls a RESTful interaction
_REST = {
    "read": _READ,
    "vread": _Kind(("vread", "read"), "R", "Read"),
    "search": _Kind(("search-type", "search"), "E", "Query"),
    "history": _Kind(("history-instance", "history"), "R"),
    "create": _Kind(("create",), "C", "Create"),
    "update": _Kind(("update",), "U", "Update"),
    "patch": _Kind(("patch", "update"), "U", "Update"),
    "delete": _Kind(("delete",), "D", "Delete"),
    "ingest": _Kind(("transaction",), "C"),
    **dict.fromkeys(("everything", "lastn", "summary", "validate"), _OPERATION),
}
# R4 audit-event-outcome: 4 is a minor failure (the request was refused), 8 a serious one.
_OUTCOMES = {"success": "0", "denied": "4", "refused": "4", "failure": "4"}
# DICOM PS3.16: user authentication with its login, patient record, application activity
_LOGIN = ("110114", "110122")
_VIEWS = ("view", "export")
_OWN_TYPES = frozenset(("Batch", "Episode", "Connection", "Team", "User", "Pathway"))


def audit_event(found: AuditSaid) -> Concluded:
    kind = _REST.get(found.written.interaction if found.written else found.action)
    entities = _entities(found)
    body = {
        "type": {"system": EVENT_TYPES, "code": "rest", "display": "Restful Operation"} if kind else _own_type(found),
        "subtype": _subtypes(found, kind),
        "action": kind.action if kind else ("R" if found.action.startswith(_VIEWS) else "E"),
        "recorded": instant(found.at),
        "outcome": _OUTCOMES.get(found.outcome, "8"),
        "outcomeDesc": _outcome_words(found),
        "agent": _agents(found, kind),
        "source": {
            "site": "twinweb",
            "observer": {"display": "twinweb"},
            "type": [{"system": SOURCE_TYPES, "code": "4", "display": "Application Server"}],
        },
        "entity": entities,
    }
    profile = _profile(found, kind, entities)
    resource = with_head("AuditEvent", str(found.row_id), 1, instant(found.at), body, profile)
    return Concluded(found.row_id, 1, found.at, found.patient_id, resource)


def _profile(found: AuditSaid, kind: _Kind | None, entities: list[Json]) -> str:
    roles = {one.get("role", {}).get("code") for one in entities}
    needed = "24" if kind and kind.profile == "Query" else "4"
    whole = kind is not None and kind.profile and (needed in roles or found.entity.startswith("Patient/"))
    if not whole or kind is None or found.outcome != "success" or found.actor_kind != "connection":
        return ""
    whose = "Patient" if found.patient_fhir_id else ""
    return f"{BALP}/StructureDefinition/IHE.BasicAudit.{whose}{kind.profile}"


def _subtypes(found: AuditSaid, kind: _Kind | None) -> list[Json]:
    if kind:
        return [{"system": INTERACTIONS, "code": code} for code in kind.subtypes]
    own = {"system": OWN_ACTIONS, "code": found.action}
    login = {"system": DICOM, "code": _LOGIN[1], "display": "Login"}
    return [login, own] if _is_login(found) else [own]


def _is_login(found: AuditSaid) -> bool:
    return found.action in ("sign_in", "authenticate")


def _own_type(found: AuditSaid) -> Json:
    if _is_login(found):
        return {"system": DICOM, "code": _LOGIN[0], "display": "User Authentication"}
    code, words = ("110110", "Patient Record") if found.patient_fhir_id else ("110100", "Application Activity")
    return {"system": DICOM, "code": code, "display": words}


def _outcome_words(found: AuditSaid) -> str:
    """Why it was refused, in words without anything of a patient."""
    if found.outcome == "success":
        return ""
    status = found.detail.get("status")
    return f"{found.outcome} (HTTP {status})" if status else found.outcome


def _agents(found: AuditSaid, kind: _Kind | None) -> list[Json]:
    """Who asked, and this server where a system asked over REST."""
    name = found.actor_name or "unknown"
    who: Json = {"display": name}
    if found.actor_kind == "connection":
        who = {"identifier": {"system": f"{BASE}/connection", "value": name}, "display": name}
    client_is_source = kind is None or kind.profile != "Read"
    if found.actor_kind == "user":
        role = {"system": PARTICIPATION, "code": "IRCP", "display": "information recipient"}
    else:
        role = _SOURCE if client_is_source else _DESTINATION
    asked = {"type": {"coding": [role]}, "who": who, "name": name, "requestor": True}
    if kind is None:
        return [asked]
    server = _DESTINATION if client_is_source else _SOURCE
    return [asked, {"type": {"coding": [server]}, "who": {"display": "twinweb"}, "requestor": False}]


def _entities(found: AuditSaid) -> list[Json]:
    entities: list[Json] = []
    if found.patient_fhir_id:
        what = {"reference": f"Patient/{found.patient_fhir_id}"}
        entities.append({"what": what, "type": _PERSON, "role": _PATIENT})
    entities += _data(found)
    if found.request_id:
        identifier = {"system": f"{BASE}/request", "value": found.request_id}
        kind = {"system": f"{BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
        entities.append({"what": {"identifier": identifier}, "type": kind})
    return entities


def _data(found: AuditSaid) -> list[Json]:
    """What it was about: a resource, a query, or the words of the trail."""
    query = found.detail.get("query")
    if found.action == "search" and isinstance(query, str):
        encoded = base64.b64encode(query.encode()).decode()
        return [{"type": _SYSTEM_OBJECT, "role": _QUERY, "description": found.entity, "query": encoded}]
    reference = found.written.reference if found.written else found.entity.replace("Alert/", "DetectedIssue/", 1)
    if LOCAL_REFERENCE.fullmatch(reference) and reference.partition("/")[0] not in _OWN_TYPES:
        if reference == f"Patient/{found.patient_fhir_id}":
            return []
        return [{"what": {"reference": reference}, "type": _SYSTEM_OBJECT, "role": _DOMAIN_RESOURCE}]
    return [{"type": _SYSTEM_OBJECT, "name": found.entity}] if found.entity else []
