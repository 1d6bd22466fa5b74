"""The topics that can be subscribed to. CapabilityStatement, admission and docs/topics say what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from recovery.services.outbox import ALERT_RAISED, RISK_CHANGE

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Topic:
    """`type`: of what its events are about. `filter_by`: search parameters that narrow it."""

    url: str
    title: str
    type: str
    filter_by: tuple[str, ...] = ("patient",)


_TOPICS = (
    Topic(
        RISK_CHANGE,
        "A risk of a patient has changed by five percentage points or more",
        "RiskAssessment",
        ("patient", "subject"),
    ),
    Topic(ALERT_RAISED, "An alert about a patient was raised, or stands open again", "DetectedIssue"),
)
TOPICS: Mapping[str, Topic] = MappingProxyType({one.url: one for one in _TOPICS})
