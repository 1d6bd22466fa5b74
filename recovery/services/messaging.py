"""Messages between a patient's side and the care team: sent once, read once, and told to the record as documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import HelperReading, Message, Patient, Thread, User
from recovery.ports import ports
from recovery.services import caregiver_notices, message_notices
from recovery.services.communication_document import Said, communication
from recovery.services.ingestion import deliver

CHANNEL = "portal"
LONGEST = 4_000
MOST_AN_HOUR = 30
HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes. `words`: as both sides read it ("Anna (daughter) for Ida Hartmann")."""

    user: User
    words: str
    from_team: bool


def author_named(username: str, words: str, *, from_team: bool) -> Author:
    """Raises NotFound for a name that nobody has."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is nobody called {username}.")
    return Author(user, words, from_team)


def send_message(
    *,
    patient_id: int,
    thread_key: UUID | None,
    subject: str,
    text: str,
    key: UUID,
    author: Author,
    actor: Actor,
    now: datetime,
) -> Message:
    """Write into a thread, or begin one. `key` is the sender's own: the same key again is the same message.

    Raises Invalid (nothing written, too long, no subject), NotFound (no such thread of this patient), Conflict (the key
    is another message's, or too many within an hour).
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise Invalid(f"Please write something, and at most {LONGEST} letters.", field="text")
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient_id)
        known = Message.objects.select_related("thread").filter(key=key).first()
        if known is not None:
            return _same(known, patient, author)
        _check_pace(patient, author, now)
        thread = _thread(patient, thread_key, subject, now)
        message = Message.objects.create(
            key=key,
            thread=thread,
            from_team=author.from_team,
            author=author.user,
            author_words=author.words[:200],
            text=text,
            sent_at=now,
            document=str(key),
        )
        _move_thread(thread, author, now)
        _tell_record(message, patient, actor, now)
        if author.from_team:
            message_notices.owe(message, now)
            caregiver_notices.owe(message, now)
        audit.record(
            actor=actor, now=now, action="message_sent", patient_ids=[patient.pk], entity=f"Communication/{key}"
        )
    return message


def send_to_many(
    *, patient_ids: Sequence[int], subject: str, text: str, key: UUID, author: Author, actor: Actor, now: datetime
) -> int:
    """The same words to each, in a conversation of their own; returns to how many. `key`: the form's; sent again,
    nobody is written to twice. Whom this person has written to too often within the hour is left out.

    Raises Invalid as send_message does.
    """
    told = 0
    for pk in patient_ids:
        try:
            send_message(
                patient_id=pk,
                thread_key=None,
                subject=subject,
                text=text,
                key=uuid5(key, str(pk)),
                author=author,
                actor=actor,
                now=now,
            )
        except Conflict:
            continue
        told += 1
    return told


def _same(known: Message, patient: Patient, author: Author) -> Message:
    if known.thread.patient_id != patient.pk or known.author_id != author.user.pk:
        raise Conflict("This message was sent by somebody else. Please write it again.")
    return known


def _check_pace(patient: Patient, author: Author, now: datetime) -> None:
    recent = Message.objects.filter(thread__patient=patient, from_team=author.from_team, author=author.user)
    times = recent.order_by("-sent_at").values_list("sent_at", flat=True)[:MOST_AN_HOUR]
    if len(times) == MOST_AN_HOUR and (now - times[MOST_AN_HOUR - 1]).total_seconds() < HOUR_S:
        raise Conflict("That is many messages in one hour. Please wait a little, or call your team.")


def _thread(patient: Patient, key: UUID | None, subject: str, now: datetime) -> Thread:
    if key is not None:
        found = Thread.objects.filter(key=key, patient=patient).first()
        if found is None:
            raise NotFound("There is no such conversation.")
        return found
    subject = " ".join(subject.split())[:120]
    if not subject:
        raise Invalid("Please say in a few words what it is about.", field="subject")
    return Thread.objects.create(patient=patient, subject=subject, opened_at=now, last_at=now)


def _move_thread(thread: Thread, author: Author, now: datetime) -> None:
    """The team's word answers what was waiting; the patient's side waits from its first unanswered word on."""
    thread.last_at = now
    thread.waiting_since = None if author.from_team else (thread.waiting_since or now)
    thread.save(update_fields=["last_at", "waiting_since"])


def mark_read(*, thread_key: UUID, by_team: bool, words: str, actor: Actor, now: datetime) -> int:
    """The other side's messages of a thread are read, by whom and when first; returns how many were new.

    Of the team's messages this is the patient's own reading; that of who helps them is `mark_read_by_helper`.
    """
    with transaction.atomic():
        rows = Message.objects.select_for_update(of=("self",)).filter(
            thread__key=thread_key, from_team=not by_team, read_at__isnull=True
        )
        fresh = list(rows.select_related("thread__patient"))
        for message in fresh:
            message.read_at, message.read_by_words = now, words[:200]
            message.save(update_fields=["read_at", "read_by_words"])
            _tell_record(message, message.thread.patient, actor, now)
    return len(fresh)


def mark_read_by_helper(*, thread_key: UUID, user: User, words: str, now: datetime) -> int:
    """The team's messages of a thread are read by who helps the patient, to whom they stay unread; returns how many
    were new to this person."""
    with transaction.atomic():
        known = HelperReading.objects.filter(user=user).values("message")
        fresh = Message.objects.filter(thread__key=thread_key, from_team=True).exclude(pk__in=known)
        rows = [HelperReading(message=one, user=user, words=words[:200], read_at=now) for one in fresh]
        HelperReading.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def settle(*, thread_key: UUID, actor: Actor, now: datetime) -> None:
    """The team says that a thread needs no answer. Raises NotFound."""
    with transaction.atomic():
        thread = Thread.objects.select_for_update().filter(key=thread_key).first()
        if thread is None:
            raise NotFound("There is no such conversation.")
        thread.waiting_since = None
        thread.save(update_fields=["waiting_since"])
        audit.record(
            actor=actor,
            now=now,
            action="message_settled",
            patient_ids=[thread.patient_id],
            entity=f"Thread/{thread_key}",
        )


def _tell_record(message: Message, patient: Patient, actor: Actor, now: datetime) -> None:
    said = Said(
        fhir_id=message.document,
        thread=str(message.thread.key),
        subject=message.thread.subject,
        patient=patient.fhir_id,
        from_team=message.from_team,
        author=message.author_words,
        text=message.text,
        sent_at=message.sent_at,
        read_at=message.read_at,
    )
    delivery = ports().delivery_of([communication(said)], CHANNEL)
    deliver(delivery=delivery, actor=actor, now=now, atomic=True)
