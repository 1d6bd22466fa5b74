"""Telling a patient that their team has written: in waking hours, once until they have looked, and not a word of it."""

from datetime import datetime, timedelta

from recovery.exceptions import NotFound
from recovery.models import ContactChoice, Message, MessageNotice
from recovery.notify import portal_words
from recovery.quiet_hours import after_quiet
from recovery.selectors import check_ins
from recovery.services import outgoing
from recovery.services.outgoing import Clock

GRACE = timedelta(minutes=2)  # who reads it at once is not told, and what follows within it is told with it


def owe(message: Message, now: datetime) -> None:
    """A notice of the team's message, where the patient wants such. The caller holds the transaction."""
    patient_id = message.thread.patient_id
    choice = ContactChoice.objects.filter(patient_id=patient_id, about_messages=True, stopped_at=None).first()
    if choice is None or choice.channel == "none":
        return
    try:
        zone = check_ins.zone_of(check_ins.episode_of(patient_id))
    except NotFound:  # nobody is followed after an operation: there is no clock to be quiet by
        return
    ready = after_quiet(now + GRACE, choice.quiet_from, choice.quiet_until, zone)
    MessageNotice.objects.get_or_create(message=message, defaults={"channel": choice.channel, "not_before": ready})


def send_owed(*, clock: Clock) -> int:
    """Send what is due of messages; returns how many went out."""
    return outgoing.send_due(MESSAGES, clock)


def _why_not(row: MessageNotice, choice: ContactChoice | None, _now: datetime) -> str:
    """Not for what was read, nor again while an earlier one has not been looked at."""
    if row.message.read_at is not None:
        return "read"
    if choice is not None and not choice.about_messages:
        return "stopped"
    unread = MessageNotice.objects.filter(message__thread__patient=row.message.thread.patient_id, ended_as="sent")
    return "together" if unread.filter(message__read_at__isnull=True).exists() else ""


def _contact(row: MessageNotice) -> ContactChoice | None:
    return outgoing.patients_contact(row.message.thread.patient_id)


MESSAGES = outgoing.Kind(MessageNotice, _contact, _why_not, portal_words.ABOUT_MESSAGE)
