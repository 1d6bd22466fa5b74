"""What was sent to the record: summaries of an episode, and the hand-overs of a shift."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recovery.exact_json import loads
from recovery.models import Document, DocumentIndex, Episode

SUMMARIES = "https://twinweb.example/summary-sent"
HANDOVERS = "https://twinweb.example/hand-over-sent"
HANDOVER_OF = "https://twinweb.example/hand-over-of"  # key of the episode / key of the shift
MOST = 20


@dataclass(frozen=True, slots=True)
class SentSummary:
    fhir_id: str
    author: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class SentHandover:
    """The hand-over that stands for one shift; what it replaced is not counted."""

    fhir_id: str
    sent_at: datetime


def summaries_of(episode: Episode) -> tuple[SentSummary, ...]:
    """Newest first."""
    ours = DocumentIndex.objects.filter(type="DocumentReference", param="identifier", system=SUMMARIES)
    rows = Document.objects.filter(patient_id=episode.patient_id, type="DocumentReference", deleted=False)
    found = rows.filter(pk__in=ours.filter(document__patient_id=episode.patient_id).values("document_id"))
    return tuple(_sent(row) for row in found.order_by("-updated_at", "-id")[:MOST])


def _sent(row: Document) -> SentSummary:
    said = loads(row.content)
    authors = [one.get("display", "") for one in said.get("author", ())]
    return SentSummary(row.fhir_id, ", ".join(authors), datetime.fromisoformat(said["date"]))


def handover_of(episode: UUID, shift: str) -> str:
    """What the hand-over of one patient for one shift is known by in the record."""
    return f"{episode}/{shift}"


def handovers_of(shift: str, episodes: Iterable[UUID]) -> dict[UUID, SentHandover]:
    """Of each episode the hand-over of this shift that stands in the record. One query."""
    about = {handover_of(key, shift): key for key in episodes}
    said = DocumentIndex.objects.filter(type="DocumentReference")
    current = said.filter(param="status", value="current").values("document_id")
    rows = said.filter(param="identifier", system=HANDOVER_OF, value__in=about, document__deleted=False)
    found = rows.filter(document_id__in=current).order_by("document__updated_at", "document_id")
    columns = ("value", "document__fhir_id", "document__updated_at")
    return {about[value]: SentHandover(fhir_id, at) for value, fhir_id, at in found.values_list(*columns)}
