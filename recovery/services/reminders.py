"""Reminding patients of check-ins: one a check-in, in waking hours, to nobody who has answered, and none after STOP.

The row is the truth: planned once for a slot, leased, sent with a key that makes a second try harmless, then marked.
"""

import logging
import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import CheckInResponse, ContactChoice, Patient, Reminder
from recovery.notify import portal_words
from recovery.notify.sms import is_set_up
from recovery.quiet_hours import after_quiet
from recovery.selectors.check_ins import Waiting, waiting
from recovery.services import outgoing
from recovery.services.outgoing import A_PASS, Clock

logger = logging.getLogger(__name__)

ACTOR = Actor.system("reminders")
GRACE = timedelta(hours=1)  # somebody who answers by themself within the hour is not reminded
PHONE = re.compile(r"\+[1-9]\d{6,14}")


def set_contact(
    *,
    patient_id: int,
    channel: str,
    address: str,
    quiet_from: time,
    quiet_until: time,
    about_messages: bool = True,
    actor: Actor,
    now: datetime,
) -> None:
    """How this patient is reached from now on; choosing SMS again ends an earlier STOP. Raises Invalid."""
    user_id = Patient.objects.values_list("user_id", flat=True).get(pk=patient_id)
    address = checked_address(channel, address, user_id)
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        ContactChoice.objects.update_or_create(
            patient_id=patient_id,
            defaults={
                "channel": channel,
                "address": address,
                "quiet_from": quiet_from,
                "quiet_until": quiet_until,
                "about_messages": about_messages,
                "stopped_at": None,
                "set_at": now,
            },
        )
        audit.record(actor=actor, now=now, action="contact_set", patient_ids=[patient_id], detail={"channel": channel})


def checked_address(channel: str, address: str, user_id: int | None) -> str:
    """As it is kept: a phone number without spaces, an e-mail address. Raises Invalid."""
    if channel == "push" and not outgoing.browsers_of(user_id).exists():
        raise Invalid("This phone may not show messages yet. Press the button below first.", field="channel")
    if channel in ("none", "push"):
        return ""
    if channel == "sms":
        number = phone_number(address)
        if not is_set_up():
            raise Invalid("This hospital does not send SMS yet. Please choose e-mail.", field="channel")
        return number
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid("Please give an e-mail address.", field="address") from error
    return address


def phone_number(text: str) -> str:
    """As the gateway takes it (E.164), from how people write it. Raises Invalid."""
    number = re.sub(r"[\s()./-]", "", text)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not PHONE.fullmatch(number):
        raise Invalid("Please give the number with its country, as +49 170 1234567.", field="address")
    return number


def plan_reminders(*, now: datetime) -> int:
    """A row for each check-in open for an hour and not answered, whose patient wants to be reminded."""
    rows = ContactChoice.objects.exclude(channel="none").filter(stopped_at=None)
    choices = {one.patient_id: one for one in rows}
    planned = 0
    for one in waiting(now, rows.values("patient")) if choices else ():
        choice = choices.get(one.patient_id)
        if choice is not None and one.slot.opens + GRACE <= now:
            planned += _plan(one, choice, now)
    return planned


def _plan(one: Waiting, choice: ContactChoice, now: datetime) -> int:
    zone = ZoneInfo(one.zone)
    ready = after_quiet(max(now, one.slot.opens + GRACE), choice.quiet_from, choice.quiet_until, zone)
    if ready >= one.slot.closes:
        return 0
    _row, made = Reminder.objects.get_or_create(
        episode_id=one.episode_id,
        slot=one.slot.name,
        defaults={
            "channel": choice.channel,
            "intended_at": one.slot.opens + GRACE,
            "expires_at": one.slot.closes,
            "not_before": ready,
        },
    )
    return int(made)


def send_owed(*, clock: Clock) -> int:
    """Send what is due of check-ins; returns how many went out."""
    return outgoing.send_due(CHECK_INS, clock)


def _why_not(row: Reminder, choice: ContactChoice | None, now: datetime) -> str:
    if CheckInResponse.objects.filter(episode_id=row.episode_id, slot=row.slot).exists():
        return "answered"
    return "expired" if now >= row.expires_at else ""


def _contact(row: Reminder) -> ContactChoice | None:
    return outgoing.patients_contact(row.episode.patient_id)


CHECK_INS = outgoing.Kind(Reminder, _contact, _why_not, portal_words.ABOUT_CHECK_IN)


def mark_answered(*, now: datetime) -> int:
    """Note when reminded check-ins were answered, for the figures of the service; returns how many were new."""
    open_rows = Reminder.objects.filter(
        ended_as="sent", answered_at__isnull=True, expires_at__gt=now - timedelta(days=2)
    )
    found = 0
    for row in open_rows[:A_PASS]:
        answer = CheckInResponse.objects.filter(episode_id=row.episode_id, slot=row.slot).first()
        if answer is not None:
            found += Reminder.objects.filter(pk=row.pk).update(answered_at=answer.received_at)
    return found
