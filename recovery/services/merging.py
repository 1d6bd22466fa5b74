"""One person under two names: all that was the one's becomes the other's, and can be given back.

Readings keep their ids and their history: their series changes its patient. Documents get a version that names the
survivor. Operations move with their twins, which are rebuilt, because age, sex and findings may now be others. What a
person may see (accounts, grants, messages) stays where it was: that is theirs to say. What either had withdrawn stays
withdrawn for all that is now the survivor's, also after the two are parted again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from recovery import audit, exact_json, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, NotFound
from recovery.models import (
    Batch,
    ConsentDecision,
    Device,
    Document,
    DocumentIndex,
    DocumentVersion,
    Episode,
    Finding,
    Patient,
    PatientMerge,
    Series,
)
from recovery.services import consents
from recovery.services.documents import instant
from recovery.services.intake import SeriesKey
from recovery.services.mapped_series import is_unread, series_hash

CHANNEL = "merge"
_ROWS: dict[str, Any] = {"episodes": Episode, "devices": Device, "findings": Finding}


@dataclass(frozen=True, slots=True)
class Undone:
    """FHIR ids of the two whose merge was undone."""

    survivor: str
    gone: str


def merge(*, survivor: str, gone: str, actor: Actor, now: datetime) -> int:
    """`survivor` gets all that is `gone`'s; returns the row id of the merge.

    Raises NotFound for a patient that is not here, Conflict for one that is merged away or for the same one twice.
    """
    with transaction.atomic():
        to, of = _both(survivor, gone)
        for one in (to, of):
            if PatientMerge.objects.filter(gone=one, undone_at__isnull=True).exists():
                raise Conflict(f"Patient/{one.fhir_id} is merged into another already: name that one, or undo it.")
        row = PatientMerge.objects.create(survivor=to, gone=of, merged_at=now, merged_by=actor.name[:150])
        row.moved = {name: _move(model.objects.filter(patient=of), to) for name, model in _ROWS.items()}
        row.moved["series"] = [_move_series(one, to, row.pk) for one in Series.objects.filter(patient=of)]
        documents = list(Document.objects.filter(patient=of).exclude(type="Patient").values_list("pk", flat=True))
        _retell(documents, of, to, now)
        row.moved["documents"] = documents
        row.save(update_fields=["moved"])
        _withdraw(of, to, actor, now)
        _owe("merge", row, actor, now)
    return row.pk


def _withdraw(of: Patient, to: Patient, actor: Actor, now: datetime) -> None:
    """What `of` has said no to is not allowed for the survivor either, who then has the other's readings."""
    said_no = ConsentDecision.objects.filter(patient=of, until__isnull=True, allowed=False)
    choices = {(row.purpose, row.data_type): False for row in said_no}
    if choices:
        consents.decide(patient_id=to.pk, choices=choices, said_by="Records merged", actor=actor, now=now)


def _both(survivor: str, gone: str) -> tuple[Patient, Patient]:
    """Locked, in one order whoever merges whom."""
    if survivor == gone:
        raise Conflict("A patient cannot be merged with itself.")
    rows = Patient.objects.select_for_update().filter(fhir_id__in=[survivor, gone], deleted_at__isnull=True)
    found = {row.fhir_id: row for row in rows.order_by("pk")}
    missing = [name for name in (survivor, gone) if name not in found]
    if missing:
        raise NotFound(f"There is no Patient/{missing[0]}.")
    return found[survivor], found[gone]


def _move(rows: Any, to: Patient) -> list[int]:
    ids = list(rows.values_list("pk", flat=True))
    rows.model.objects.filter(pk__in=ids).update(patient=to)
    return ids


def _move_series(row: Series, to: Patient, merge_id: int) -> list[Any]:
    """What has to be put back: row, template, mark. Where the survivor has such a series, it stands beside it."""
    before = [row.pk, row.template, row.template_hash]
    template = row.template.replace(f'\\"Patient/{row.patient.fhir_id}\\"', f'\\"Patient/{to.fhir_id}\\"')
    mark = _mark(row, to, template)
    if Series.objects.filter(patient=to, template_hash=mark).exists():
        mark = hashlib.sha256(f"{mark} merge {merge_id} {row.pk}".encode()).hexdigest()
    Series.objects.filter(pk=row.pk).update(patient=to, template=template, template_hash=mark)
    return before


def _mark(row: Series, to: Patient, template: str) -> str:
    metric, scale, shift = ("", 1.0, 0.0) if is_unread(row) else (row.metric, row.scale, row.shift)
    key = SeriesKey(
        to.fhir_id,
        metric,
        row.system,
        row.code,
        row.unit,
        scale,
        shift,
        row.source,
        row.tier,
        row.shape,  # type: ignore[arg-type]
        template,
        row.span_ms,
    )
    return series_hash(key)


def _retell(documents: list[int], of: Patient, to: Patient, now: datetime) -> None:
    """Documents of `of` as `to`'s: a new version each; deleted ones change their compartment only."""
    batch = Batch.objects.create(channel=CHANNEL, received_at=now, documents=len(documents))
    old, new = f"Patient/{of.fhir_id}", f"Patient/{to.fhir_id}"
    for row in Document.objects.select_for_update().filter(pk__in=documents).order_by("pk"):
        if not row.deleted:
            _next_version(row, old, new, batch, now)
        row.patient = to
        row.save()
    DocumentIndex.objects.filter(document_id__in=documents, value=old).update(value=new)


def _next_version(row: Document, old: str, new: str, batch: Batch, now: datetime) -> None:
    said = {"document": row, "version": row.version, "content": row.content, "deleted": False, "batch": row.batch}
    DocumentVersion.objects.create(**said, updated_at=row.updated_at)
    row.version, row.updated_at, row.batch = row.version + 1, now, batch
    body = exact_json.loads(row.content.replace(f'"{old}"', f'"{new}"'))
    body["meta"] = {**body.get("meta", {}), "versionId": str(row.version), "lastUpdated": instant(now)}
    row.content = exact_json.dumps(body)


def unmerge(*, row_id: int, actor: Actor, now: datetime) -> Undone:
    """Give back what was the other's, as far as it is still there. What came after the merge stays the survivor's.

    Raises NotFound when there is no such standing merge.
    """
    with transaction.atomic():
        row = PatientMerge.objects.select_for_update().filter(pk=row_id, undone_at__isnull=True).first()
        if row is None:
            raise NotFound("There is no such merge, or it was undone.")
        to, of = _both(row.survivor.fhir_id, row.gone.fhir_id)
        for name, model in _ROWS.items():
            model.objects.filter(pk__in=row.moved[name], patient=to).update(patient=of)
        for pk, template, mark in row.moved["series"]:
            Series.objects.filter(pk=pk, patient=to).update(patient=of, template=template, template_hash=mark)
        theirs = Document.objects.filter(pk__in=row.moved["documents"], patient=to)
        _retell(list(theirs.values_list("pk", flat=True)), to, of, now)
        row.undone_at, row.undone_by = now, actor.name[:150]
        row.save(update_fields=["undone_at", "undone_by"])
        _owe("unmerge", row, actor, now)
    return Undone(to.fhir_id, of.fhir_id)


def _owe(action: str, row: PatientMerge, actor: Actor, now: datetime) -> None:
    """The twins of both are to be rebuilt; both have a row of the trail."""
    patients = [row.survivor_id, row.gone_id]
    detail = {name: len(moved) for name, moved in row.moved.items()}
    audit.record(
        actor=actor, now=now, action=action, patient_ids=patients, entity=f"PatientMerge/{row.pk}", detail=detail
    )
    queue.owe_twins(dirty=dict.fromkeys(patients), now=now)
