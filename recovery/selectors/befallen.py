"""What befell a person after the operation: diagnoses, falls, drugs begun and ended, messages; as known at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.exact_json import loads
from recovery.models import Document, DocumentVersion, Episode, Finding, Message
from recovery.selectors.drug_changes import changes, moment, name_of, taking_of
from recovery.twin.profile import SNOMED

# SNOMED CT: fall, accidental fall, falls, elderly fall, fall in home. ICD-10: W00 to W19.
FALLS = frozenset({"1912002", "217082002", "161898004", "298344006", "40104005"})
ICD10 = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")
ICD10_FALLS = tuple(f"W{number:02d}" for number in range(20))
FALL_TYPES = ("Condition", "Observation", "AdverseEvent")
DRUG_TYPES = ("MedicationAdministration", "MedicationRequest", "MedicationStatement")
MOST_DOCUMENTS = 1_000
_NOT_TRUE = ("entered-in-error", "refuted", "cancelled")


@dataclass(frozen=True, slots=True)
class Befell:
    """Something that befell the person. `kind`: diagnosis, fall, drug or message; pages add the operation's discharge.

    Falls, drugs and messages are signs on a chart (presenters.chart.SIGNS), the others are lines with their word.
    """

    at: datetime
    word: str
    kind: str = "diagnosis"


def befallen(episode: Episode, by: datetime) -> tuple[Befell, ...]:
    """What had become known by then, oldest first. Five queries at the most."""
    if episode.surgery_end is None:
        return ()
    since = episode.surgery_end
    documents = list(_documents(episode, by))
    falls = dict(_falls(documents))
    found = [*_diagnoses(episode, by, set(falls)), *falls.values(), *_drugs(documents, since, by)]
    found += _messages(episode, by)
    return tuple(sorted((one for one in found if since <= one.at <= by), key=lambda one: (one.at, one.word)))


def _diagnoses(episode: Episode, by: datetime, falls: set[str]) -> Iterator[Befell]:
    rows = Finding.objects.filter(
        patient_id=episode.patient_id, kind=Finding.Kind.COMPLICATION, recorded_at__lte=by
    ).exclude(fhir_id__in=falls)
    for row in rows:
        if row.recorded_at is not None:
            yield Befell(row.recorded_at, row.text or row.key)


def _documents(episode: Episode, by: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, content) of what may tell of falls and drugs, each as it stood at `by`; the newest MOST_DOCUMENTS."""
    held = Document.objects.filter(patient_id=episode.patient_id, type__in=(*FALL_TYPES, *DRUG_TYPES))
    rows = list(held.order_by("-updated_at", "-id")[:MOST_DOCUMENTS])
    newer = [row.pk for row in rows if row.updated_at > by]
    then = _versions(newer, by) if newer else {}
    for row in rows:
        content = then.get(row.pk) if row.updated_at > by else None if row.deleted else row.content
        if content:
            yield row.fhir_id, loads(content)


def _versions(documents: list[int], by: datetime) -> dict[int, str]:
    """Per document id, what it said at `by`; none when it was not there or was deleted."""
    rows = DocumentVersion.objects.filter(document_id__in=documents, updated_at__lte=by).order_by("version")
    return {row.document_id: "" if row.deleted else row.content for row in rows}


def _falls(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Befell]]:
    for fhir_id, said in documents:
        when = _when(said) if said["resourceType"] in FALL_TYPES and _is_fall(said) else None
        if when is not None:
            yield fhir_id, Befell(when, "fall", "fall")


def _is_fall(said: Mapping[str, Any]) -> bool:
    statuses = {said.get("status")} | {one.get("code") for one in _codings(said.get("verificationStatus"))}
    if statuses & set(_NOT_TRUE) or said.get("valueBoolean") is False or said.get("actuality") == "potential":
        return False
    concept = said.get("event") if said["resourceType"] == "AdverseEvent" else said.get("code")
    return any(
        (one.get("system") == SNOMED and one.get("code") in FALLS)
        or (one.get("system") in ICD10 and str(one.get("code", ""))[:3] in ICD10_FALLS)
        for one in _codings(concept)
    )


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    return list(concept.get("coding", ())) if isinstance(concept, Mapping) else []


def _when(said: Mapping[str, Any]) -> datetime | None:
    """When it happened; for want of that, when it was written down."""
    period = said.get("onsetPeriod") or said.get("effectivePeriod") or {}
    for name in ("onsetDateTime", "effectiveDateTime", "date"):
        if at := moment(said.get(name)):
            return at
    return moment(period.get("start")) or moment(said.get("recordedDate") or said.get("issued"))


def _drugs(documents: Iterable[tuple[str, Mapping[str, Any]]], since: datetime, by: datetime) -> Iterator[Befell]:
    kept = [said for _, said in documents if said["resourceType"] in DRUG_TYPES]
    names = _medications(kept)
    takings = [taking for said in kept if (taking := taking_of(said, names)) is not None]
    for change in changes(takings, since, by):
        yield Befell(change.at, change.word, "drug")


def _medications(kept: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    wanted = {str((said.get("medicationReference") or {}).get("reference", "")) for said in kept}
    ids = {one.rpartition("/")[2] for one in wanted if one.startswith("Medication/")}
    if not ids:
        return {}
    rows = Document.objects.filter(type="Medication", fhir_id__in=ids, deleted=False).values_list("fhir_id", "content")
    return {fhir_id: name_of(loads(content)) for fhir_id, content in rows}


def _messages(episode: Episode, by: datetime) -> Iterator[Befell]:
    """What the patient's side wrote: that they wrote, never what."""
    rows = Message.objects.filter(thread__patient_id=episode.patient_id, from_team=False, sent_at__lte=by)
    for sent_at in rows.order_by("sent_at").values_list("sent_at", flat=True)[:MOST_DOCUMENTS]:
        yield Befell(sent_at, "message from the patient", "message")
