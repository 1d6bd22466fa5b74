"""What somebody sends to the record, as an R4 DocumentReference with its text and its paper. Pure."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.selectors.record_notes import HANDOVER_OF, HANDOVERS, SUMMARIES
from recovery.services.documents import instant
from recovery.services.enrolment_resources import TEST_DATA

Json = dict[str, Any]
LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document. `system`: of its identifier; `code`, `display`: its type in LOINC; `action`: in the trail."""

    system: str
    code: str
    display: str
    title: str
    action: str


SUMMARY = Kind(SUMMARIES, "34133-9", "Summary of episode note", "Recovery summary after surgery", "send_summary")
# Nurses and physicians hand over alike: LOINC's general "Note", and in words what it is.
HANDOVER = Kind(HANDOVERS, "34109-9", "Note", "Hand-over of a shift", "send_handover")


@dataclass(frozen=True, slots=True)
class Summary:
    """What is sent. `operation`: id of the Procedure; `is_synthetic`: labelled as test data in the record too.
    `about`: what it is the hand-over of (selectors.record_notes); `replaces`: id of the document that it replaces."""

    kind: Kind
    fhir_id: str
    patient: str
    operation: str
    author: str
    text: str
    pdf: bytes
    made_at: datetime
    sent_at: datetime
    is_synthetic: bool
    about: str = ""
    replaces: str = ""


def document_reference(said: Summary) -> Json:
    kind = said.kind
    about = [{"system": HANDOVER_OF, "value": said.about}] if said.about else []
    resource: Json = {
        "resourceType": "DocumentReference",
        "id": said.fhir_id,
        "identifier": [{"system": kind.system, "value": said.fhir_id}, *about],
        "status": "current",
        "docStatus": "final",
        "type": {
            "coding": [{"system": LOINC, "code": kind.code, "display": kind.display}],
            "text": kind.title,
        },
        "subject": {"reference": f"Patient/{said.patient}"},
        "date": instant(said.sent_at),
        "author": [{"display": said.author}],
        "description": kind.title,
        "content": [
            {"attachment": _attachment("text/plain; charset=utf-8", said.text.encode(), said)},
            {"attachment": _attachment("application/pdf", said.pdf, said)},
        ],
        "context": {"related": [{"reference": f"Procedure/{said.operation}"}]},
    }
    if said.replaces:
        target = {"reference": f"DocumentReference/{said.replaces}"}
        resource["relatesTo"] = [{"code": "replaces", "target": target}]
    return resource | ({"meta": {"security": [TEST_DATA]}} if said.is_synthetic else {})


def superseded(resource: Mapping[str, Any]) -> Json:
    """The same document once another one has taken its place."""
    kept = {key: value for key, value in resource.items() if key != "meta"}
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    return kept | {"status": "superseded"} | ({"meta": meta} if meta else {})


def _attachment(kind: str, data: bytes, said: Summary) -> Json:
    """`hash` is SHA-1, as R4 defines it: for finding the same text again, not for safety."""
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "contentType": kind,
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(digest).decode(),
        "title": said.kind.title,
        "creation": instant(said.made_at),
    }
