"""A message between a patient and the care team as an R4 Communication. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.services.documents import instant

Json = dict[str, Any]
THREADS = "https://twinweb.example/message-thread"
MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"


@dataclass(frozen=True, slots=True)
class Said:
    fhir_id: str
    thread: str
    subject: str
    patient: str
    from_team: bool
    author: str
    text: str
    sent_at: datetime
    read_at: datetime | None


def communication(said: Said) -> Json:
    """`received`: when the other side first opened it."""
    patient: Json = {"reference": f"Patient/{said.patient}"}
    team: Json = {"display": "Care team"}
    resource: Json = {
        "resourceType": "Communication",
        "id": said.fhir_id,
        "identifier": [{"system": THREADS, "value": said.thread}],
        "status": "completed",
        "medium": [{"coding": [{"system": MODES, "code": "WRITTEN", "display": "written"}]}],
        "subject": patient,
        "topic": {"text": said.subject},
        "sent": instant(said.sent_at),
        "sender": {**({} if said.from_team else patient), "display": said.author},
        "recipient": [patient if said.from_team else team],
        "payload": [{"contentString": said.text}],
    }
    if said.read_at is not None:
        resource["received"] = instant(said.read_at)
    return resource
