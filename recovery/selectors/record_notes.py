"""Summaries of an episode that were sent to the record, newest first."""

from dataclasses import dataclass
from datetime import datetime

from recovery.exact_json import loads
from recovery.models import Document, DocumentIndex, Episode

SUMMARIES = "https://twinweb.example/summary-sent"
MOST = 20


@dataclass(frozen=True, slots=True)
class SentSummary:
    fhir_id: str
    author: str
    sent_at: datetime


def summaries_of(episode: Episode) -> tuple[SentSummary, ...]:
    ours = DocumentIndex.objects.filter(type="DocumentReference", param="identifier", system=SUMMARIES)
    rows = Document.objects.filter(patient_id=episode.patient_id, type="DocumentReference", deleted=False)
    found = rows.filter(pk__in=ours.filter(document__patient_id=episode.patient_id).values("document_id"))
    return tuple(_sent(row) for row in found.order_by("-updated_at", "-id")[:MOST])


def _sent(row: Document) -> SentSummary:
    said = loads(row.content)
    authors = [one.get("display", "") for one in said.get("author", ())]
    return SentSummary(row.fhir_id, ", ".join(authors), datetime.fromisoformat(said["date"]))
