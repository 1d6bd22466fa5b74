"""The record of HL7 v2 messages: each is kept by what became of it, so that none is carried out twice or lost."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.models import Hl7Message, User
from recovery.permissions import check_user_can_administer

SHORTEST_REASON = 10
TAKEN = "AA"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it came. `digest`: SHA-256 of its bytes."""

    sender: str
    control_id: str
    digest: str
    kind: str
    peer: str
    text: str


def note_taken(*, arrived: Arrived, batch_id: int | None, now: datetime) -> bool:
    """In the transaction that carries it out. False when it had been taken before: nothing may be done again."""
    said = {"kind": arrived.kind, "peer": arrived.peer, "answer": TAKEN, "received_at": now, "last_at": now}
    row, is_new = Hl7Message.objects.select_for_update().get_or_create(
        sender=arrived.sender, control_id=arrived.control_id, digest=arrived.digest, defaults=said
    )
    if is_new:
        Hl7Message.objects.filter(pk=row.pk).update(batch_id=batch_id)
        return True
    if row.answer == TAKEN:
        return False
    Hl7Message.objects.filter(pk=row.pk).update(  # refused before, taken now
        answer=TAKEN, batch_id=batch_id, text="", reason="", place="", last_at=now, settled_at=now, settled_as="taken"
    )
    return True


def note_again(*, arrived: Arrived, now: datetime) -> None:
    """It came again after it was taken."""
    _row(arrived).update(times=F("times") + 1, last_at=now)


def note_refused(*, arrived: Arrived, answer: str, place: str, reason: str, now: datetime) -> None:
    """Kept with its text, so that a person can see to it: a dead letter."""
    said = {
        "kind": arrived.kind,
        "peer": arrived.peer,
        "answer": answer,
        "place": place[:60],
        "reason": reason[:500],
        "text": arrived.text,
        "last_at": now,
    }
    row, is_new = Hl7Message.objects.get_or_create(
        sender=arrived.sender,
        control_id=arrived.control_id,
        digest=arrived.digest,
        defaults={**said, "received_at": now},
    )
    if not is_new and row.answer != TAKEN:
        _row(arrived).update(**said, times=F("times") + 1, settled_at=None, settled_as="")


def _row(arrived: Arrived) -> QuerySet[Hl7Message]:
    return Hl7Message.objects.filter(sender=arrived.sender, control_id=arrived.control_id, digest=arrived.digest)


def open_letter(*, row_id: int, reason: str, user: User, actor: Actor, now: datetime) -> str:
    """The text of a refused message, for an administrator who says why; noted. Raises Invalid, NotFound."""
    check_user_can_administer(user)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid(
            f"Say why in at least {SHORTEST_REASON} characters: it is kept in the audit trail.", field="reason"
        )
    row = _letter(row_id)
    detail = {"reason": reason.strip()[:300]}
    audit.record(actor=actor, now=now, action="open_dead_letter", entity=f"Hl7Message/{row.pk}", detail=detail)
    return row.text


def text_to_retry(*, row_id: int, user: User, actor: Actor, now: datetime) -> Arrived:
    """A refused message, to be carried out once more; noted. Raises NotFound."""
    check_user_can_administer(user)
    row = _letter(row_id)
    audit.record(actor=actor, now=now, action="retry_dead_letter", entity=f"Hl7Message/{row.pk}")
    return Arrived(row.sender, row.control_id, row.digest, row.kind, row.peer, row.text)


def drop_letter(*, row_id: int, user: User, actor: Actor, now: datetime) -> None:
    """It is not to be taken: its text goes, what it was stays noted. Raises NotFound."""
    check_user_can_administer(user)
    row = _letter(row_id)
    Hl7Message.objects.filter(pk=row.pk).update(text="", settled_at=now, settled_as="dropped")
    audit.record(actor=actor, now=now, action="drop_dead_letter", entity=f"Hl7Message/{row.pk}")


def _letter(row_id: int) -> Hl7Message:
    row = Hl7Message.objects.filter(pk=row_id, settled_at__isnull=True).exclude(answer=TAKEN).first()
    if row is None:
        raise NotFound("There is no such dead letter, or it has been dealt with.")
    return row
