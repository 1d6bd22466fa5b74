"""The table of what this server serves: type, shelf, interactions, search parameters. Nothing else says so.

URLs, CapabilityStatement, indexing and search are made from it. A type's search parameters are the official ones
(`parameters`), and those that its line adds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from integrations.fhir.parameters import COMMON_PARAMS, META_PARAMS, Kind, SearchParam, official_params

__all__ = ["COMMON_PARAMS", "ROUTES", "Kind", "Route", "SearchParam", "Shelf", "route_of"]

# both: what others send, as documents, beside what this server concludes.
Shelf = Literal["documents", "streams", "views", "both"]
DOCUMENT_INTERACTIONS = tuple("read vread history-instance history-type create update patch delete search-type".split())
VIEW_INTERACTIONS = ("read", "search-type")


@dataclass(frozen=True, slots=True)
class Route:
    """One resource type. `patient`: path of the reference that puts a resource into a patient's compartment."""

    type: str
    shelf: Shelf
    interactions: tuple[str, ...]
    params: tuple[SearchParam, ...]
    patient: str = ""

    def param(self, name: str) -> SearchParam | None:
        return next((one for one in (*self.params, *META_PARAMS) if one.name == name), None)


_KINDS: Mapping[str, Kind] = {"t": "token", "s": "string", "r": "reference", "d": "date", "q": "quantity", "u": "uri"}


def _params(*lines: str) -> tuple[SearchParam, ...]:
    """Each line: `name:kind path`, with the path left out where it is the name."""
    found = []
    for line in lines:
        head, _, path = line.partition(" ")
        name, _, kind = head.partition(":")
        targets = ("Patient",) if name == "patient" else ()
        found.append(SearchParam(name, _KINDS[kind], tuple((path or name).split("|")), targets))
    return tuple(found)


def _document(type_name: str, patient: str = "", *lines: str, shelf: Shelf = "documents") -> Route:
    """A type that others send. `lines`: search parameters beside, or in place of, the official ones."""
    params = {param.name: param for param in (*official_params(type_name), *_params(*lines))}
    return Route(type_name, shelf, DOCUMENT_INTERACTIONS, tuple(params.values()), patient)


def _definition(type_name: str, *lines: str) -> Route:
    mine = ("url:u", "name:s", "title:s", "status:t", "version:t", "date:d", "publisher:s", "description:s")
    return Route(type_name, "views", VIEW_INTERACTIONS, _params(*mine, *lines))


# Whole-patient bundles bring billing along; it is kept so that one such entry does not undo a transaction.
_BILLING = (_document("Claim", "patient"), _document("ExplanationOfBenefit", "patient"))

_ROUTES = (
    _document("Patient", "id"),
    _document("Practitioner"),
    _document("PractitionerRole"),
    _document("Organization"),
    _document("Location"),
    _document("RelatedPerson", "patient"),
    _document("Encounter", "subject"),
    _document("EpisodeOfCare", "patient"),
    _document("Procedure", "subject"),
    _document("Condition", "subject"),
    _document("Device", "patient"),
    _document("DeviceMetric"),
    _document("DeviceUseStatement", "subject"),
    _document("Observation", "subject", shelf="streams"),
    _document("Questionnaire"),
    _document("QuestionnaireResponse", "subject"),
    _document("Medication"),
    _document("MedicationStatement", "subject"),
    _document("MedicationRequest", "subject"),
    _document("MedicationAdministration", "subject"),
    _document("DiagnosticReport", "subject"),
    _document("DocumentReference", "subject"),
    _document("ImagingStudy", "subject"),
    _document("Media", "subject"),
    _document("CarePlan", "subject", shelf="both"),
    _document("Goal", "subject", "achievement-status:t achievementStatus", shelf="both"),
    _document("Task", "for"),
    _document("CareTeam", "subject"),
    _document("Communication", "subject"),
    _document("CommunicationRequest", "subject"),
    _document("Consent", "patient"),
    # R4: the targets that are a Patient; the extension is our guide's provenance-patient.
    _document("Provenance", "", "patient:r target|extension.valueReference", shelf="both"),
    _document("ServiceRequest", "subject"),
    _document("AllergyIntolerance", "patient"),
    _document("Immunization", "patient"),
    _document("Specimen", "subject"),
    _document("BodyStructure", "patient"),
    _document("DeviceRequest", "subject"),
    _document("NutritionOrder", "patient"),
    _document("FamilyMemberHistory", "patient"),
    _document("ClinicalImpression", "subject"),
    _document("AdverseEvent", "subject"),
    _document("Composition", "subject"),
    *_BILLING,
    _document("Coverage", "beneficiary"),
    _document("Group"),
    _document("RiskAssessment", "subject", shelf="both"),
    _document("DetectedIssue", "patient", shelf="both"),
    Route("AuditEvent", "views", VIEW_INTERACTIONS, official_params("AuditEvent")),
    _document("Flag", "subject", shelf="both"),
    _document("Subscription"),
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
