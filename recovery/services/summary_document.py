"""A summary that somebody sends to the record, as an R4 DocumentReference with its text and its paper. Pure."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.selectors.record_notes import SUMMARIES
from recovery.services.documents import instant
from recovery.services.enrolment_resources import TEST_DATA

Json = dict[str, Any]
LOINC = "http://loinc.org"
TITLE = "Recovery summary after surgery"


@dataclass(frozen=True, slots=True)
class Summary:
    """What is sent. `operation`: id of the Procedure; `is_synthetic`: labelled as test data in the record too."""

    fhir_id: str
    patient: str
    operation: str
    author: str
    text: str
    pdf: bytes
    made_at: datetime
    sent_at: datetime
    is_synthetic: bool


def document_reference(said: Summary) -> Json:
    """LOINC 34133-9, "Summary of episode note"."""
    resource: Json = {
        "resourceType": "DocumentReference",
        "id": said.fhir_id,
        "identifier": [{"system": SUMMARIES, "value": said.fhir_id}],
        "status": "current",
        "docStatus": "final",
        "type": {
            "coding": [{"system": LOINC, "code": "34133-9", "display": "Summary of episode note"}],
            "text": TITLE,
        },
        "subject": {"reference": f"Patient/{said.patient}"},
        "date": instant(said.sent_at),
        "author": [{"display": said.author}],
        "description": TITLE,
        "content": [
            {"attachment": _attachment("text/plain; charset=utf-8", said.text.encode(), said)},
            {"attachment": _attachment("application/pdf", said.pdf, said)},
        ],
        "context": {"related": [{"reference": f"Procedure/{said.operation}"}]},
    }
    return resource | ({"meta": {"security": [TEST_DATA]}} if said.is_synthetic else {})


def _attachment(kind: str, data: bytes, said: Summary) -> Json:
    """`hash` is SHA-1, as R4 defines it: for finding the same text again, not for safety."""
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "contentType": kind,
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(digest).decode(),
        "title": TITLE,
        "creation": instant(said.made_at),
    }
