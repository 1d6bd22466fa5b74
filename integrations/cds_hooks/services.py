"""The CDS services (CDS Hooks 2.0.1): discovery and addresses are made from this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Focus = Literal["now", "ahead"]
PREFETCH = {"patient": "Patient/{{context.patientId}}"}


@dataclass(frozen=True, slots=True)
class Service:
    """`focus`: what its cards are about: how the patient is now, or what lies ahead."""

    id: str
    hook: str
    title: str
    description: str
    focus: Focus

    def as_json(self) -> dict[str, object]:
        return {
            "hook": self.hook,
            "title": self.title,
            "description": self.description,
            "id": self.id,
            "prefetch": dict(PREFETCH),
            "usageRequirements": "Works from prefetch alone: the patient with identifiers. It never calls the EHR.",
        }


_SERVICES = (
    Service(
        "postop-recovery-patient-view",
        "patient-view",
        "Postoperative recovery: how the patient is now",
        "Where a patient stands after an operation against the own expected course, the risk of a complication with "
        "its interval, and open alerts.",
        "now",
    ),
    Service(
        "postop-recovery-discharge",
        "encounter-discharge",
        "Postoperative recovery: before discharge",
        "Open alerts, what may still happen within 30 days, and which milestones are to come, before a patient leaves.",
        "ahead",
    ),
    Service(
        "postop-recovery-appointment",
        "appointment-book",
        "Postoperative recovery: when to see the patient again",
        "What may happen within 30 days and when milestones are expected, while an appointment is booked.",
        "ahead",
    ),
)
SERVICES: Mapping[str, Service] = MappingProxyType({one.id: one for one in _SERVICES})
