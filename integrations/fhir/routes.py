"""The table of what this server serves: type, shelf, interactions, search parameters. Nothing else says so.

URLs, CapabilityStatement, indexing and search are made from it. Paths name elements as in R4 search parameter
definitions: dots go down, lists are entered, `|` gives alternatives (the types of a choice element).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

# both: what others send, as documents, beside what this server concludes.
Shelf = Literal["documents", "streams", "views", "both"]
Kind = Literal["token", "string", "reference", "date", "quantity", "uri"]

# Kept beside every document, so they need no index: searchable on every type.
COMMON_PARAMS: Mapping[str, Kind] = MappingProxyType({"_id": "token", "_lastUpdated": "date"})
MIXED_INTERACTIONS = ("read", "vread", "history-instance", "create", "update", "patch", "delete", "search-type")
# A type's history is told where all of it is documents.
DOCUMENT_INTERACTIONS = (*MIXED_INTERACTIONS, "history-type")
VIEW_INTERACTIONS = ("read", "search-type")


@dataclass(frozen=True, slots=True)
class SearchParam:
    name: str
    kind: Kind
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One resource type. `patient`: path of the reference that puts a resource into a patient's compartment."""

    type: str
    shelf: Shelf
    interactions: tuple[str, ...]
    params: tuple[SearchParam, ...]
    patient: str = ""

    def param(self, name: str) -> SearchParam | None:
        return next((one for one in self.params if one.name == name), None)


_KINDS: Mapping[str, Kind] = {"t": "token", "s": "string", "r": "reference", "d": "date", "q": "quantity", "u": "uri"}


def _params(*lines: str) -> tuple[SearchParam, ...]:
    """Each line: `name:kind path`, with the path left out where it is the name."""
    found = []
    for line in lines:
        head, _, path = line.partition(" ")
        name, _, kind = head.partition(":")
        found.append(SearchParam(name, _KINDS[kind], tuple((path or name).split("|"))))
    return tuple(found)


def _document(type_name: str, patient: str, *lines: str, shelf: Shelf = "documents") -> Route:
    """A type whose resources have identifiers; with a patient path also the parameters patient and (for it) subject."""
    mine = ["identifier:t"] if type_name not in ("Provenance",) else []
    if patient:
        mine.append(f"patient:r {patient}")
    if patient == "subject":
        mine.append("subject:r")
    interactions = DOCUMENT_INTERACTIONS if shelf == "documents" else MIXED_INTERACTIONS
    return Route(type_name, shelf, interactions, _params(*mine, *lines), patient)


def _definition(type_name: str, *lines: str) -> Route:
    mine = ("url:u", "name:s", "title:s", "status:t", "version:t", "date:d", "publisher:s", "description:s")
    return Route(type_name, "views", VIEW_INTERACTIONS, _params(*mine, *lines))


_STATUS, _CODE, _CATEGORY, _TYPE = "status:t", "code:t", "category:t", "type:t"
_ENCOUNTER, _PERIOD, _ACTIVE = "encounter:r", "date:d period", "active:t"
_PERSON = ("name:s", "family:s name.family", "given:s name.given", "gender:t", _ACTIVE)
_MEDICATION = "code:t medicationCodeableConcept"

_ROUTES = (
    Route(
        "Patient",
        "documents",
        DOCUMENT_INTERACTIONS,
        _params(
            "identifier:t",
            *_PERSON,
            "birthdate:d birthDate",
            "death-date:d deceasedDateTime",
            "general-practitioner:r generalPractitioner",
            "organization:r managingOrganization",
        ),
        "id",
    ),
    _document("Practitioner", "", *_PERSON),
    _document(
        "PractitionerRole",
        "",
        "practitioner:r",
        "organization:r",
        "role:t code",
        "specialty:t",
        _ACTIVE,
        _PERIOD,
    ),
    _document("Organization", "", "name:s", _TYPE, _ACTIVE),
    _document("Location", "", "name:s", _TYPE, _STATUS, "organization:r managingOrganization"),
    _document("RelatedPerson", "patient", "name:s", "relationship:t", _ACTIVE),
    _document("Encounter", "subject", _STATUS, "class:t", _TYPE, _PERIOD, "reason-code:t reasonCode"),
    _document("EpisodeOfCare", "patient", _STATUS, _TYPE, _PERIOD),
    _document(
        "Procedure",
        "subject",
        _CODE,
        _STATUS,
        _CATEGORY,
        _ENCOUNTER,
        "date:d performedDateTime|performedPeriod",
    ),
    _document(
        "Condition",
        "subject",
        _CODE,
        _CATEGORY,
        "severity:t",
        "clinical-status:t clinicalStatus",
        "verification-status:t verificationStatus",
        "onset-date:d onsetDateTime|onsetPeriod",
        "recorded-date:d recordedDate",
        _ENCOUNTER,
    ),
    _document(
        "Device",
        "patient",
        _TYPE,
        _STATUS,
        "manufacturer:s",
        "model:s modelNumber",
        "device-name:s deviceName.name",
        "udi-carrier:s udiCarrier.carrierHRF",
        "udi-di:s udiCarrier.deviceIdentifier",
        "organization:r owner",
    ),
    _document("DeviceMetric", "", _TYPE, "category:t", "source:r", "parent:r"),
    _document("DeviceUseStatement", "subject", "device:r"),
    _document(
        "Observation",
        "subject",
        _CODE,
        _CATEGORY,
        _STATUS,
        _ENCOUNTER,
        "date:d effectiveDateTime|effectivePeriod|effectiveInstant",
        "device:r",
        "performer:r",
        shelf="streams",
    ),
    _document("Questionnaire", "", _STATUS, "name:s", "title:s", "url:u", "version:t", "code:t item.code"),
    _document(
        "QuestionnaireResponse",
        "subject",
        _STATUS,
        "authored:d",
        "questionnaire:r",
        "author:r",
        _ENCOUNTER,
    ),
    _document("Medication", "", _CODE, _STATUS),
    _document(
        "MedicationStatement",
        "subject",
        _MEDICATION,
        _STATUS,
        _CATEGORY,
        "effective:d effectiveDateTime|effectivePeriod",
    ),
    _document(
        "MedicationRequest",
        "subject",
        _MEDICATION,
        _STATUS,
        "intent:t",
        "authoredon:d authoredOn",
        _ENCOUNTER,
    ),
    _document(
        "MedicationAdministration",
        "subject",
        _MEDICATION,
        _STATUS,
        "effective-time:d effectiveDateTime|effectivePeriod",
    ),
    _document(
        "DiagnosticReport",
        "subject",
        _CODE,
        _CATEGORY,
        _STATUS,
        "date:d effectiveDateTime|effectivePeriod",
        "issued:d",
        _ENCOUNTER,
    ),
    _document("DocumentReference", "subject", _TYPE, _CATEGORY, _STATUS, "date:d"),
    _document("ImagingStudy", "subject", _STATUS, "started:d", "modality:t series.modality", _ENCOUNTER),
    _document("Media", "subject", _STATUS, _TYPE, "created:d createdDateTime|createdPeriod", "device:r"),
    _document("CarePlan", "subject", _STATUS, "intent:t", _CATEGORY, _PERIOD, _ENCOUNTER, "goal:r", shelf="both"),
    _document(
        "Goal",
        "subject",
        "lifecycle-status:t lifecycleStatus",
        _CATEGORY,
        "start-date:d startDate",
        "achievement-status:t achievementStatus",
        "target-date:d target.dueDate",
        shelf="both",
    ),
    _document(
        "Task",
        "for",
        _STATUS,
        "intent:t",
        _CODE,
        "authored-on:d authoredOn",
        "owner:r",
        "focus:r",
        "subject:r for",
    ),
    _document("CareTeam", "subject", _STATUS, _CATEGORY, _PERIOD, "participant:r participant.member"),
    _document("Communication", "subject", _STATUS, _CATEGORY, "sent:d", "received:d", "sender:r", "recipient:r"),
    _document(
        "CommunicationRequest",
        "subject",
        _STATUS,
        _CATEGORY,
        "authored:d authoredOn",
        "sender:r",
        "recipient:r",
    ),
    _document("Consent", "patient", _STATUS, _CATEGORY, "scope:t", "date:d dateTime"),
    _document(
        "Provenance",
        "",
        "target:r",
        # R4: the targets that are a Patient; the extension is R5's Provenance.patient.
        "patient:r target|extension.valueReference",
        "agent:r agent.who",
        "agent-type:t agent.type",
        "entity:r entity.what",
        "recorded:d",
        shelf="both",
    ),
    _document("ServiceRequest", "subject", _CODE, _CATEGORY, _STATUS, "intent:t", "authored:d authoredOn", _ENCOUNTER),
    _document(
        "AllergyIntolerance",
        "patient",
        _CODE,
        "category:t",
        "clinical-status:t clinicalStatus",
        "verification-status:t verificationStatus",
        "criticality:t",
        "date:d recordedDate",
    ),
    _document("Immunization", "patient", _STATUS, "vaccine-code:t vaccineCode", "date:d occurrenceDateTime"),
    _document("Specimen", "subject", _TYPE, _STATUS, "collected:d collection.collectedDateTime"),
    _document("BodyStructure", "patient", "location:t"),
    _document("DeviceRequest", "subject", "code:t codeCodeableConcept", _STATUS, "intent:t", _ENCOUNTER),
    _document("NutritionOrder", "patient", _STATUS, "datetime:d dateTime", _ENCOUNTER),
    _document("FamilyMemberHistory", "patient", _STATUS, "relationship:t", "date:d"),
    _document("ClinicalImpression", "subject", _STATUS, "date:d effectiveDateTime|effectivePeriod", _ENCOUNTER),
    _document("AdverseEvent", "subject", "actuality:t", "category:t", "date:d", "event:t"),
    _document("Composition", "subject", _STATUS, _TYPE, "date:d", _ENCOUNTER),
    # Billing comes along in whole-patient bundles; it is kept so that one such entry does not undo a transaction.
    _document("Claim", "patient", _STATUS, "created:d"),
    _document("ExplanationOfBenefit", "patient", _STATUS, "created:d"),
    _document("Coverage", "beneficiary", _STATUS, _TYPE),
    _document("Group", "", _TYPE, "actual:t", _CODE, "member:r member.entity"),
    _document(
        "RiskAssessment", "subject", "date:d occurrenceDateTime|occurrencePeriod", _ENCOUNTER, "method:t", shelf="both"
    ),
    _document(
        "DetectedIssue",
        "patient",
        _CODE,
        _STATUS,
        "identified:d identifiedDateTime|identifiedPeriod",
        "implicated:r",
        "author:r",
        shelf="both",
    ),
    Route(
        "AuditEvent",
        "views",
        VIEW_INTERACTIONS,
        _params(
            "patient:r entity.what",
            "entity:r entity.what",
            "date:d recorded",
            "action:t",
            "outcome:t",
            _TYPE,
            "subtype:t",
            "agent-name:s agent.name",
        ),
    ),
    _document("Flag", "subject", _STATUS, _CATEGORY, _CODE, "date:d period", _ENCOUNTER, "author:r", shelf="both"),
)

# What the published guide (docs/fhir) defines, served so that a claimed profile or code can be looked up here.
_DEFINITIONS = (
    _definition("StructureDefinition", "type:u", "kind:t", "base:r baseDefinition"),
    _definition("CodeSystem", "code:t concept.code", "system:u url"),
    _definition("ValueSet", "reference:u compose.include.system"),
    _definition("OperationDefinition", "code:t", "type:t", "instance:t", "base:r"),
    _definition("ImplementationGuide", "resource:r definition.resource.reference"),
)

ROUTES: Mapping[str, Route] = MappingProxyType({route.type: route for route in (*_ROUTES, *_DEFINITIONS)})


def route_of(type_name: str) -> Route | None:
    return ROUTES.get(type_name)
