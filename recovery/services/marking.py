"""Readings that a person judges to be wrong: out of the twin from now on, and back by an undo.

The reading stops speaking as one that its sender takes back does (`lives`): from the mark on it is not known, before it
was, so "what was known then" still answers truly. A retry of the sender does not undo a person's judgement.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Batch, Document, ReadingMark, Sample
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.services import lives
from recovery.services.lives import Key
from recovery.wall_clock import at_the_hospital

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class WrongReading:
    """A reading by its Sample's key, with the row id of its patient."""

    patient_id: int
    key: Key


def mark_reading(*, reading: WrongReading, reason: str, actor: Actor, now: datetime) -> ReadingMark:
    """Take a reading out of the twin. Raises Invalid without a reason, Conflict when it does not stand (any more)."""
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why it is wrong: the next person will want to know.", field="reason")
    with transaction.atomic():
        row = _locked(reading)
        if row.ended_batch_id is not None:
            raise Conflict(_why_ended(reading))
        batch = Batch.objects.create(channel=MARK_CHANNEL, received_at=now)
        mark = _written(reading, row, batch, reason[:LONGEST_REASON], actor, now)
        Sample.objects.filter(**_fields(reading.key)).update(ended_batch=batch)
        _note(reading, "mark_reading", {"reason": mark.reason}, actor, now)
    return mark


def unmark_reading(*, reading: WrongReading, actor: Actor, now: datetime) -> ReadingMark:
    """Undo the mark: the reading speaks again. Raises Conflict when none stands, or its sender has changed it since."""
    with transaction.atomic():
        row = _locked(reading)
        mark = ReadingMark.objects.select_for_update().filter(**_fields(reading.key), undone_at__isnull=True).first()
        if mark is None:
            raise Conflict("This reading is not marked as wrong (any more).")
        if _changed_by_sender(row):
            raise Conflict("Its sender has changed or taken back this reading since: what they say now stands.")
        ReadingMark.objects.filter(pk=mark.pk).update(undone_at=now, undone_by_name=actor.name)
        lives.speak_again([reading.key], Batch.objects.create(channel=MARK_CHANNEL, received_at=now))
        _note(reading, "unmark_reading", {}, actor, now)
    mark.refresh_from_db()
    return mark


def _locked(reading: WrongReading) -> Sample:
    """The row, held until the transaction ends. Raises NotFound: also for another patient's."""
    rows = lives.locked([reading.key])
    if not rows or rows[0].series.patient_id != reading.patient_id:
        raise NotFound("There is no such reading.")
    return rows[0]


def _written(reading: WrongReading, row: Sample, batch: Batch, reason: str, actor: Actor, now: datetime) -> ReadingMark:
    try:
        with transaction.atomic():
            return ReadingMark.objects.create(
                **_fields(reading.key),
                reason=reason,
                received_id=row.batch_id,
                ended=batch,
                marked_at=now,
                marked_by_id=actor.id if actor.kind == "user" else None,
                marked_by_name=actor.name,
            )
    except IntegrityError as error:
        raise Conflict(_why_ended(reading)) from error


def _why_ended(reading: WrongReading) -> str:
    mark = ReadingMark.objects.filter(**_fields(reading.key), undone_at__isnull=True).first()
    if mark is None:
        return "Its sender has changed or taken back this reading meanwhile."
    return f"Somebody was quicker: {mark.marked_by_name} marked it as wrong at {at_the_hospital(mark.marked_at)}."


def _changed_by_sender(row: Sample) -> bool:
    """Whether the reading, or the document that said it, was changed or deleted at the door while it was marked."""
    name = row.fhir_id or encode(ReadingId("r", row.series_id, row.at_ms, value_mark(row.value, row.digits)))
    documents = Document.objects.filter(type="Observation", fhir_id=name)
    if row.series.shape == row.series.Shape.PROJECTED:
        return documents.filter(deleted=True).exists()
    return documents.exists()


def _note(reading: WrongReading, action: str, detail: dict[str, str], actor: Actor, now: datetime) -> None:
    series_id, at_ms, value, digits = reading.key
    entity = f"Reading/{encode(ReadingId('r', series_id, at_ms, value_mark(value, digits)))}"
    audit.record(actor=actor, now=now, action=action, patient_ids=[reading.patient_id], entity=entity, detail=detail)
    queue.owe_twins(dirty={reading.patient_id: at_ms}, now=now)


def _fields(key: Key) -> dict[str, float]:
    return dict(zip(("series_id", "at_ms", "value", "digits"), key, strict=True))
