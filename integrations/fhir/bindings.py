"""Required bindings and reference targets of R4 4.0.1 that the R4B models leave out or widen.

Codes: the value sets named in the R4 resource definitions. Where the model's own list is complete it is used
(`resources.Element.codes`); this table holds the types whose short text ends in "+".
"""

import re
from collections.abc import Mapping

_EVENT_STATUS = frozenset("preparation in-progress not-done on-hold stopped completed entered-in-error unknown".split())
_REQUEST_STATUS = frozenset("draft active on-hold revoked completed entered-in-error unknown".split())
_REQUEST_INTENT = frozenset(
    "proposal plan directive order original-order reflex-order filler-order instance-order option".split()
)
_OBSERVATION_STATUS = frozenset(
    "registered preliminary final amended corrected cancelled entered-in-error unknown".split()
)
_COMPARATOR = frozenset("< <= >= >".split())
# event-timing (v3-TimingEvent and R4's own)
_WHEN = frozenset(
    "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM CD CV AC ACM"
    " ACD ACV PC PCM PCD PCV".split()
)
_PRIORITY = frozenset("routine urgent asap stat".split())

# Type.element -> codes
CODES: Mapping[str, frozenset[str]] = {
    "Observation.status": _OBSERVATION_STATUS,
    "DiagnosticReport.status": frozenset(
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown".split()
    ),
    "Encounter.status": frozenset(
        "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown".split()
    ),
    "EpisodeOfCare.status": frozenset("planned waitlist active onhold finished cancelled entered-in-error".split()),
    "Procedure.status": _EVENT_STATUS,
    "Communication.status": _EVENT_STATUS,
    "CommunicationRequest.status": _REQUEST_STATUS,
    "CommunicationRequest.priority": _PRIORITY,
    "Communication.priority": _PRIORITY,
    "ServiceRequest.status": _REQUEST_STATUS,
    "ServiceRequest.intent": _REQUEST_INTENT,
    "ServiceRequest.priority": _PRIORITY,
    "CarePlan.status": _REQUEST_STATUS,
    "CarePlan.intent": frozenset("proposal plan order option".split()),
    "CareTeam.status": frozenset("proposed active suspended inactive entered-in-error".split()),
    "Goal.lifecycleStatus": frozenset(
        "proposed planned accepted active on-hold completed cancelled entered-in-error rejected".split()
    ),
    "Task.status": frozenset(
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
        " entered-in-error".split()
    ),
    "Task.intent": frozenset(
        "unknown proposal plan order original-order reflex-order filler-order instance-order option".split()
    ),
    "Task.priority": _PRIORITY,
    "Device.status": frozenset("active inactive entered-in-error unknown".split()),
    "DeviceUseStatement.status": frozenset("active completed entered-in-error intended stopped on-hold".split()),
    "MedicationStatement.status": frozenset(
        "active completed entered-in-error intended stopped on-hold unknown not-taken".split()
    ),
    "MedicationRequest.status": frozenset(
        "active on-hold cancelled completed entered-in-error stopped draft unknown".split()
    ),
    "MedicationRequest.intent": frozenset(
        "proposal plan order original-order reflex-order filler-order instance-order option".split()
    ),
    "MedicationAdministration.status": frozenset(
        "in-progress not-done on-hold completed entered-in-error stopped unknown".split()
    ),
    "QuestionnaireResponse.status": frozenset("in-progress completed amended entered-in-error stopped".split()),
    "Media.status": _EVENT_STATUS,
    "ImagingStudy.status": frozenset("registered available cancelled entered-in-error unknown".split()),
    "Immunization.status": frozenset("completed entered-in-error not-done".split()),
    "DocumentReference.status": frozenset("current superseded entered-in-error".split()),
    "Consent.status": frozenset("draft proposed active rejected inactive entered-in-error".split()),
    "RiskAssessment.status": _OBSERVATION_STATUS,
    "DetectedIssue.status": _OBSERVATION_STATUS,
    "Flag.status": frozenset("active inactive entered-in-error".split()),
    "Questionnaire.status": frozenset("draft active retired unknown".split()),
    "AllergyIntolerance.criticality": frozenset("low high unable-to-assess".split()),
    "AllergyIntolerance.category": frozenset("food medication environment biologic".split()),
    "Identifier.use": frozenset("usual official temp secondary old".split()),
    "HumanName.use": frozenset("usual official temp nickname anonymous old maiden".split()),
    "Address.use": frozenset("home work temp old billing".split()),
    "ContactPoint.system": frozenset("phone fax email pager url sms other".split()),
    "ContactPoint.use": frozenset("home work temp old mobile".split()),
    "EncounterStatusHistory.status": frozenset(
        "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown".split()
    ),
    "DeviceUdiCarrier.entryType": frozenset("barcode rfid manual card self-reported unknown".split()),
    "QuestionnaireItem.type": frozenset(
        "group display boolean decimal integer date dateTime time string text url choice open-choice attachment"
        " reference quantity".split()
    ),
    "AuditEvent.action": frozenset("C R U D E".split()),
    "AuditEvent.outcome": frozenset("0 4 8 12".split()),
    "AuditEventAgentNetwork.type": frozenset("1 2 3 4 5".split()),
    "Composition.confidentiality": frozenset("U L M N R V".split()),
    "TimingRepeat.when": _WHEN,
    **{f"{name}.comparator": _COMPARATOR for name in ("Quantity", "Age", "Count", "Distance", "Duration")},
    # Open sets, though their short texts read like lists: FORMS holds them to their form.
    "Expression.language": frozenset(),
    "CapabilityStatement.format": frozenset(),
}

# A code: no space at its ends, single spaces inside (datatypes.html#code).
CODE = re.compile(r"\S+( \S+)*")
_MIME = r"[A-Za-z0-9!#$&^_.+\-]+/[A-Za-z0-9!#$&^_.+\-]+(\s*;.*)?"
# Codes of open sets, held to their form: BCP 47 languages, ISO 4217 currencies, MIME types (RFC 6838). A format may be
# said in the short words of http.html#mime-type as well.
FORMS: Mapping[str, re.Pattern[str]] = {
    "Expression.language": CODE,
    "language": re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"),
    "Money.currency": re.compile(r"[A-Z]{3}"),
    "contentType": re.compile(_MIME),
    "CapabilityStatement.format": re.compile(rf"xml|json|ttl|{_MIME}"),
    "CapabilityStatement.patchFormat": re.compile(_MIME),
}

_TERMS = "http://terminology.hl7.org/CodeSystem/"
# Type.element of type CodeableConcept with a required binding -> (system, codes)
CONCEPTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "Condition.clinicalStatus": (
        f"{_TERMS}condition-clinical",
        frozenset("active recurrence relapse inactive remission resolved".split()),
    ),
    "Condition.verificationStatus": (
        f"{_TERMS}condition-ver-status",
        frozenset("unconfirmed provisional differential confirmed refuted entered-in-error".split()),
    ),
    "AllergyIntolerance.clinicalStatus": (
        f"{_TERMS}allergyintolerance-clinical",
        frozenset("active inactive resolved".split()),
    ),
    "AllergyIntolerance.verificationStatus": (
        f"{_TERMS}allergyintolerance-verification",
        frozenset("unconfirmed confirmed refuted entered-in-error".split()),
    ),
    "AdverseEvent.severity": (f"{_TERMS}adverse-event-severity", frozenset("mild moderate severe".split())),
    "AdverseEvent.outcome": (
        f"{_TERMS}adverse-event-outcome",
        frozenset("resolved recovering ongoing resolvedWithSequelae fatal unknown".split()),
    ),
}

# Type.element -> target types, where R4 allows fewer than R4B.
TARGETS: Mapping[str, tuple[str, ...]] = {
    "Observation.subject": ("Patient", "Group", "Device", "Location"),
    "Procedure.subject": ("Patient", "Group"),
    "DiagnosticReport.subject": ("Patient", "Group", "Device", "Location"),
}
