"""The documents shelf: whole, versioned, indexed; the domain's rows are projections made in the same transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from recovery.exact_json import dumps
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Batch, ConditionalKey, Document, DocumentIndex, DocumentVersion, Sample
from recovery.services import projections
from recovery.services.intake import DocumentWrite, IndexEntry, Outcome


class VersionMismatch(Conflict):
    """If-Match named a version that is not current (HTTP 412 in FHIR)."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What `write_document` did. `facts_changed`: rows that the twin or the models read were touched.

    `left_patient_id`: the patient it was about before, when a correction moved it to another.
    """

    outcome: Outcome
    patient_id: int | None
    facts_changed: bool
    left_patient_id: int | None = None


def write_document(write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    """Create, put or delete one document; the caller holds the transaction.

    Raises Invalid, NotFound, VersionMismatch; a put of the very same content changes nothing and says so.
    """
    if write.method == "delete":
        return _delete(write, batch, now)
    if write.criteria is not None:
        return _unless_there(write, batch, now)
    existing = _locked(write.type, write.fhir_id) if write.fhir_id else None
    _check_if_match(write, existing)
    return _create(write, batch, now) if existing is None else _update(existing, write, batch, now)


def _locked(type_name: str, fhir_id: str | None) -> Document | None:
    return Document.objects.select_for_update().filter(type=type_name, fhir_id=fhir_id).first()


def _check_if_match(write: DocumentWrite, existing: Document | None) -> None:
    if write.if_match is None:
        return
    current = existing.version if existing else 0
    if current != write.if_match:
        raise VersionMismatch(
            f"{write.type}/{write.fhir_id} is at version {current}, not {write.if_match}: read it again and repeat"
            " your change on the current version.",
            field=write.type,
        )


def _unless_there(write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    """Conditional create or update. The unique constraint on (type, criteria) decides between racing writers."""
    known = _locked(write.type, write.fhir_id) if write.fhir_id else None
    if known is not None:  # what the conditions of an update have found
        _check_if_match(write, known)
        return _update(known, write, batch, now)
    held = _held_by(write)
    if held is not None:
        return _of_the_winner(held, write, batch, now)
    try:
        with transaction.atomic():
            stored = write_document(replace(write, criteria=None), batch, now)
            document = Document.objects.get(type=write.type, fhir_id=stored.outcome.fhir_id)
            ConditionalKey.objects.create(type=write.type, criteria=write.criteria or "", document=document)
            return stored
    except IntegrityError:
        winner = _held_by(write)
        if winner is None:
            raise
        return _of_the_winner(winner, write, batch, now)


def _of_the_winner(winner: Document, write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    """Somebody was first: a conditional create leaves theirs as it is, a conditional update changes it."""
    if write.method == "create":
        return _unchanged(winner, write.index)
    return write_document(replace(write, fhir_id=winner.fhir_id), batch, now)


def _held_by(write: DocumentWrite) -> Document | None:
    key = (
        ConditionalKey.objects.filter(type=write.type, criteria=write.criteria, document__deleted=False)
        .select_related("document")
        .first()
    )
    if key is None:
        ConditionalKey.objects.filter(type=write.type, criteria=write.criteria, document__deleted=True).delete()
    return key.document if key else None


def _create(write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    fhir_id = write.fhir_id or str(uuid4())
    document = Document(type=write.type, fhir_id=fhir_id, version=1, updated_at=now, batch=batch)
    return _save(document, write, now, "created")


def _update(document: Document, write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    if not document.deleted and document.content == _text(
        write, document.fhir_id, document.version, document.updated_at
    ):
        return _unchanged(document, write.index)
    _keep_version(document)
    # What it says now may not fit other conditions that once led to it.
    ConditionalKey.objects.filter(document=document).exclude(criteria=write.criteria or "").delete()
    status = "created" if document.deleted else "updated"
    document.version += 1
    document.updated_at = now
    document.batch = batch
    document.deleted = False
    before = document.patient_id
    stored = _save(document, write, now, status)
    return stored if before == stored.patient_id else replace(stored, left_patient_id=before)


def _save(document: Document, write: DocumentWrite, now: datetime, status: Any) -> StoredDocument:
    document.content = _text(write, document.fhir_id, document.version, document.updated_at)
    projected = projections.project(replace(write, fhir_id=document.fhir_id), now)
    document.patient_id = projected.patient_id
    document.save()
    _index(document, write)
    outcome = Outcome(write.index, status, write.type, document.fhir_id, document.version, document.updated_at)
    return StoredDocument(outcome, projected.patient_id, projected.facts_changed)


def _text(write: DocumentWrite, fhir_id: str, version: int, updated_at: datetime) -> str:
    """The JSON as sent, with id and meta.versionId/lastUpdated set as FHIR R4 asks of a server."""
    if not isinstance(write.content, dict):
        raise Invalid(f"{write.type} must be a JSON object.", field=write.type)
    meta = {**write.content.get("meta", {}), "versionId": str(version), "lastUpdated": instant(updated_at)}
    body = {key: value for key, value in write.content.items() if key not in ("resourceType", "id", "meta")}
    return dumps({"resourceType": write.type, "id": fhir_id, "meta": meta, **body})


@lru_cache(maxsize=1024)
def instant(at: datetime) -> str:
    """A FHIR instant in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _keep_version(document: Document) -> None:
    DocumentVersion.objects.create(
        document=document,
        version=document.version,
        content=document.content,
        deleted=document.deleted,
        updated_at=document.updated_at,
        batch=document.batch,
    )


def _index(document: Document, write: DocumentWrite) -> None:
    DocumentIndex.objects.filter(document=document).delete()
    DocumentIndex.objects.bulk_create(index_rows(document, write.index_entries))


def index_rows(document: Document, entries: Iterable[IndexEntry]) -> list[DocumentIndex]:
    """The rows by which a document is found."""
    return [
        DocumentIndex(
            document=document,
            type=document.type,
            param=entry.param,
            kind=entry.kind,
            system=entry.system[:300],
            value=entry.value[:300],
            low_ms=entry.low_ms,
            high_ms=entry.high_ms,
            number=entry.number,
            number_high=entry.number_high,
            part=entry.part,
        )
        for entry in entries
    ]


def standing(type_name: str, fhir_id: str) -> Document | None:
    """The document at that id, deleted or not, held until the transaction ends."""
    return _locked(type_name, fhir_id)


def unchanged(document: Document, index: int) -> Outcome:
    return Outcome(index, "unchanged", document.type, document.fhir_id, document.version, document.updated_at)


def _unchanged(document: Document, index: int) -> StoredDocument:
    return StoredDocument(unchanged(document, index), document.patient_id, False)


def _delete(write: DocumentWrite, batch: Batch, now: datetime) -> StoredDocument:
    """Mark as deleted; its versions stay readable. Deleting what is already deleted changes nothing."""
    document = _locked(write.type, write.fhir_id)
    if document is None:
        raise NotFound(f"There is no {write.type}/{write.fhir_id}.", field=write.type)
    _check_if_match(write, document)
    if document.deleted:
        return _unchanged(document, write.index)
    _refuse_orphans(document)
    _keep_version(document)
    document.version += 1
    document.updated_at = now
    document.batch = batch
    document.deleted = True
    document.content = ""
    document.save()
    DocumentIndex.objects.filter(document=document).delete()
    changed = projections.retract(write.type, document.fhir_id, now)
    outcome = Outcome(write.index, "deleted", write.type, document.fhir_id, document.version, now)
    return StoredDocument(outcome, document.patient_id, changed)


def _refuse_orphans(document: Document) -> None:
    """A patient with standing readings is not deleted by a stray request: erasure is a story with a legal hold."""
    if document.type != "Patient":
        return
    if Sample.objects.filter(series__patient__fhir_id=document.fhir_id, ended_batch__isnull=True).exists():
        raise Conflict(
            f"Patient/{document.fhir_id} has readings here and is not deleted this way; correct or merge it instead.",
            field="Patient",
        )
