"""Reminding patients of check-ins: one a check-in, in waking hours, to nobody who has answered, and none after STOP.

The row is the truth: planned once for a slot, leased, sent with a key that makes a second try harmless, then marked.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import CheckInResponse, ContactChoice, Patient, Reminder
from recovery.notify.message import NotDelivered
from recovery.notify.sms import is_set_up, send_sms
from recovery.quiet_hours import after_quiet
from recovery.selectors.check_ins import Waiting, waiting

logger = logging.getLogger(__name__)

ACTOR = Actor.system("reminders")
GRACE = timedelta(hours=1)  # somebody who answers by themself within the hour is not reminded
LEASE = timedelta(minutes=2)
MOST_TRIES = 5
A_PASS = 200
PHONE = re.compile(r"\+[1-9]\d{6,14}")
# Nobody's name and nothing of health: whoever picks up the phone learns that a hospital asks something.
SMS_TEXT = (
    "Your hospital asks how you are today. How bad is your pain, 0 (none) to 10? Reply with the number."
    " Emergency: call your emergency number. STOP ends this."
)
MAIL_SUBJECT = "Your check-in is open"
MAIL_TEXT = (
    "Your check-in is open. It takes about two minutes.\n\n{link}\n\nYou can change or stop these reminders there."
)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Leased:
    key: str
    row_id: int
    channel: str
    address: str
    until: datetime


def set_contact(
    *, patient_id: int, channel: str, address: str, quiet_from: time, quiet_until: time, actor: Actor, now: datetime
) -> None:
    """How this patient is reminded from now on; choosing SMS again ends an earlier STOP. Raises Invalid."""
    address = _address(channel, address)
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        ContactChoice.objects.update_or_create(
            patient_id=patient_id,
            defaults={
                "channel": channel,
                "address": address,
                "quiet_from": quiet_from,
                "quiet_until": quiet_until,
                "stopped_at": None,
                "set_at": now,
            },
        )
        audit.record(actor=actor, now=now, action="contact_set", patient_ids=[patient_id], detail={"channel": channel})


def _address(channel: str, address: str) -> str:
    """As it is kept: a phone number without spaces, an e-mail address. Raises Invalid."""
    if channel == "none":
        return ""
    if channel == "sms":
        number = re.sub(r"[\s()./-]", "", address)
        number = f"+{number[2:]}" if number.startswith("00") else number
        if not PHONE.fullmatch(number):
            raise Invalid("Please give the number with its country, as +49 170 1234567.", field="address")
        if not is_set_up():
            raise Invalid("This hospital does not send SMS yet. Please choose e-mail.", field="channel")
        return number
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid("Please give an e-mail address.", field="address") from error
    return address


def plan_reminders(*, now: datetime) -> int:
    """A row for each check-in open for an hour and not answered, whose patient wants to be reminded."""
    choices = {one.patient_id: one for one in ContactChoice.objects.exclude(channel="none").filter(stopped_at=None)}
    planned = 0
    for one in waiting(now) if choices else ():
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
    """Send what is due; returns how many went out. A worker that dies in between leaves a lease that runs out."""
    sent = 0
    for row_id in _due(clock()):
        leased = _lease(row_id, clock())
        if leased is not None:
            sent += _send(leased, clock)
    return sent


def _due(now: datetime) -> list[int]:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = Reminder.objects.filter(free, ended_as="", not_before__lte=now).order_by("not_before", "pk")
    return list(rows.values_list("pk", flat=True)[:A_PASS])


def _lease(row_id: int, now: datetime) -> Leased | None:
    """The reminder, ours for two minutes; None when another has it, or when it is not wanted any more."""
    with transaction.atomic():
        row = Reminder.objects.select_for_update(of=("self",)).select_related("episode").filter(pk=row_id).first()
        if row is None or row.ended_as or (row.claimed_until is not None and row.claimed_until > now):
            return None
        choice = ContactChoice.objects.filter(patient_id=row.episode.patient_id).first()
        why_not = _why_not(row, choice, now)
        if why_not or choice is None:
            row.ended_as = why_not or "stopped"
            row.save(update_fields=["ended_as"])
            return None
        row.channel, row.claimed_until, row.attempts = choice.channel, now + LEASE, row.attempts + 1
        row.save(update_fields=["channel", "claimed_until", "attempts"])
    return Leased(str(row.key), row.pk, choice.channel, choice.address, now + LEASE)


def _why_not(row: Reminder, choice: ContactChoice | None, now: datetime) -> str:
    if CheckInResponse.objects.filter(episode_id=row.episode_id, slot=row.slot).exists():
        return "answered"
    if choice is None or choice.channel == "none" or choice.stopped_at is not None:
        return "stopped"
    return "expired" if now >= row.expires_at else ""


def _send(leased: Leased, clock: Clock) -> int:
    mine = Reminder.objects.filter(pk=leased.row_id, claimed_until=leased.until, ended_as="")
    try:
        _WAYS[leased.channel](leased)
    except NotDelivered as problem:
        row = mine.first()
        if row is not None:
            over = problem.for_good or row.attempts >= MOST_TRIES
            wait = clock() + timedelta(minutes=2**row.attempts)
            mine.update(
                claimed_until=None,
                not_before=wait,
                ended_as="failed" if over else "",
                last_error=problem.cause[:200],
            )
        return 0
    return mine.update(claimed_until=None, sent_at=clock(), ended_as="sent", last_error="")


def _by_sms(leased: Leased) -> None:
    send_sms(leased.address, SMS_TEXT, leased.key)


def _by_email(leased: Leased) -> None:
    link = f"{settings.PUBLIC_URL.rstrip('/')}/me/" if settings.PUBLIC_URL else "/me/"
    mail = EmailMessage(
        subject=MAIL_SUBJECT,
        body=MAIL_TEXT.format(link=link),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[leased.address],
        headers={"Message-ID": f"<{leased.key}@twinweb>", "Auto-Submitted": "auto-generated"},
    )
    try:
        taken = mail.send()
    except (OSError, ValueError) as error:  # SMTPException is an OSError
        raise NotDelivered(f"The mail server did not take it ({type(error).__name__}).") from error
    if not taken:
        raise NotDelivered("The mail server did not take it.")


_WAYS: dict[str, Callable[[Leased], None]] = {"sms": _by_sms, "email": _by_email}


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
