"""What the HL7 v2 door reads: who an identifier names, what became of earlier messages, who is merged with whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from recovery.models import DocumentIndex, Hl7Message, PatientMerge

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A message that was refused. What it says is shown on request only (`services.hl7_messages.open_letter`)."""

    row_id: int
    sender: str
    control_id: str
    kind: str
    answer: str
    reason: str
    place: str
    times: int
    received_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class MergeSeen:
    row_id: int
    survivor: str
    gone: str
    merged_at: datetime
    merged_by: str


def patients_identified(system: str, value: str) -> list[str]:
    """FHIR ids of the patients who bear an identifier."""
    rows = DocumentIndex.objects.filter(
        type="Patient", param="identifier", system=system[:300], value=value[:300], document__deleted=False
    )
    return list(rows.order_by("document_id").values_list("document__fhir_id", flat=True).distinct())


def survivor_of(fhir_id: str) -> str:
    """Who has what was this patient's: the patient itself, unless merged into another."""
    for _ in range(10):
        merged = PatientMerge.objects.filter(gone__fhir_id=fhir_id, undone_at__isnull=True)
        into = merged.values_list("survivor__fhir_id", flat=True).first()
        if into is None:
            break
        fhir_id = into
    return fhir_id


def merge_between(first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]) -> MergeSeen | None:
    """The standing merge of two patients, each named by identifiers; None when there is none."""
    one, two = (_named(names) for names in (first, second))
    rows = PatientMerge.objects.filter(undone_at__isnull=True).filter(
        Q(survivor__fhir_id__in=one, gone__fhir_id__in=two) | Q(survivor__fhir_id__in=two, gone__fhir_id__in=one)
    )
    return next(iter(_merges(rows)), None)


def _named(names: Sequence[tuple[str, str]]) -> set[str]:
    return {found for system, value in names for found in patients_identified(system, value)}


def standing_merges() -> list[MergeSeen]:
    """The newest merges that can be undone."""
    return _merges(PatientMerge.objects.filter(undone_at__isnull=True).order_by("-merged_at")[:MOST_SHOWN])


def _merges(rows: QuerySet[PatientMerge]) -> list[MergeSeen]:
    found = rows.select_related("survivor", "gone")
    return [MergeSeen(row.pk, row.survivor.fhir_id, row.gone.fhir_id, row.merged_at, row.merged_by) for row in found]


def answer_before(sender: str, control_id: str, digest: str) -> str | None:
    """The acknowledgement code that this very message was given, None when it is new."""
    rows = Hl7Message.objects.filter(sender=sender, control_id=control_id, digest=digest)
    return rows.values_list("answer", flat=True).first()


def dead_letters() -> list[LetterSeen]:
    """Refused messages that nobody has dealt with, the oldest first."""
    rows = Hl7Message.objects.filter(settled_at__isnull=True).exclude(answer="AA").order_by("received_at", "pk")
    return [
        LetterSeen(
            row.pk,
            row.sender,
            row.control_id,
            row.kind,
            row.answer,
            row.reason,
            row.place,
            row.times,
            row.received_at,
            row.last_at,
        )
        for row in rows[:MOST_SHOWN]
    ]
