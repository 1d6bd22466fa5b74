"""Telling who helps a patient that a check-in waits, or that the team has written, as far as the patient lets them.

The patient says of what (the grant: its scopes, and whether we tell them); the caregiver how, and when not, on the
clock where they live. Both are asked again at the moment of sending, so an ended or narrowed grant sends nothing.
"""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import (
    CaregiverContact,
    CaregiverGrant,
    CaregiverMessageNotice,
    CaregiverReminder,
    CheckInResponse,
    ContactChoice,
    HelperReading,
    Message,
    User,
)
from recovery.notify import portal_words
from recovery.permissions import open_grants
from recovery.quiet_hours import after_quiet
from recovery.selectors.check_ins import Waiting, waiting
from recovery.selectors.reminders import ZONES
from recovery.services import message_notices, outgoing, reminders
from recovery.services.outgoing import Clock

CHECK_IN = Q(may_answer=True, told_check_ins=True)
MESSAGE = Q(may_write=True, told_messages=True)
Helper = tuple[CaregiverGrant, CaregiverContact]


def set_contact(
    *,
    user: User,
    channel: str,
    address: str,
    quiet_from: time,
    quiet_until: time,
    zone: str,
    actor: Actor,
    now: datetime,
) -> None:
    """How this caregiver is reached from now on; choosing SMS again ends an earlier STOP. Raises Invalid."""
    if zone not in ZONES:
        raise Invalid("Please choose where you live.", field="zone")
    address = reminders.checked_address(channel, address, user.pk)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        CaregiverContact.objects.update_or_create(
            user=user,
            defaults={
                "channel": channel,
                "address": address,
                "quiet_from": quiet_from,
                "quiet_until": quiet_until,
                "zone": zone,
                "stopped_at": None,
                "set_at": now,
            },
        )
        audit.record(actor=actor, now=now, action="contact_set", entity=f"User/{user.pk}", detail={"channel": channel})


def plan_reminders(*, now: datetime) -> int:
    """A row for each caregiver who may answer a check-in that has been open for an hour and is not answered."""
    grants = _grants(CHECK_IN)
    if not grants.exists():
        return 0
    helpers = _helpers(grants)
    found = [one for one in waiting(now, grants.values("patient")) if one.slot.opens + reminders.GRACE <= now]
    return sum(_plan(one, *helper, now) for one in found for helper in helpers.get(one.patient_id, ()))


def _grants(told: Q) -> QuerySet[CaregiverGrant]:
    """Those that let a caregiver be told of this who can be reached."""
    contacts = CaregiverContact.objects.exclude(channel="none").filter(stopped_at__isnull=True)
    rows = CaregiverGrant.objects.filter(told, ended_at__isnull=True, accepted_at__isnull=False)
    return rows.filter(user__is_active=True, user__in=contacts.values("user"))


def _helpers(grants: QuerySet[CaregiverGrant]) -> dict[int, list[Helper]]:
    """By patient, who is told of something and how. Two queries."""
    mine = CaregiverContact.objects.filter(user__in=grants.values("user")).select_related("user")
    contacts = {one.user.pk: one for one in mine}
    found: dict[int, list[Helper]] = {}
    for grant in grants:
        if grant.user_id in contacts:
            found.setdefault(grant.patient_id, []).append((grant, contacts[grant.user_id]))
    return found


def _plan(one: Waiting, grant: CaregiverGrant, contact: CaregiverContact, now: datetime) -> int:
    ready = _ready(contact, max(now, one.slot.opens + reminders.GRACE))
    if ready >= one.slot.closes:
        return 0
    _row, made = CaregiverReminder.objects.get_or_create(
        grant=grant,
        episode_id=one.episode_id,
        slot=one.slot.name,
        defaults={"channel": contact.channel, "expires_at": one.slot.closes, "not_before": ready},
    )
    return int(made)


def _ready(contact: CaregiverContact, moment: datetime) -> datetime:
    return after_quiet(moment, contact.quiet_from, contact.quiet_until, ZoneInfo(contact.zone))


def owe(message: Message, now: datetime) -> None:
    """Notices of the team's message to who reads along. The caller holds the transaction."""
    patient_id = message.thread.patient_id
    for grant, contact in _helpers(_grants(MESSAGE).filter(patient=patient_id)).get(patient_id, ()):
        CaregiverMessageNotice.objects.get_or_create(
            grant=grant,
            message=message,
            defaults={"channel": contact.channel, "not_before": _ready(contact, now + message_notices.GRACE)},
        )


def send_owed(*, clock: Clock) -> int:
    """Send what is due to caregivers; returns how many went out."""
    return outgoing.send_due(CHECK_INS, clock) + outgoing.send_due(MESSAGES, clock)


def _contact(row: CaregiverReminder | CaregiverMessageNotice) -> CaregiverContact | None:
    return CaregiverContact.objects.select_related("user").filter(user__grants=row.grant_id).first()


def _is_let(grant: CaregiverGrant, told: Q, now: datetime) -> bool:
    user = grant.user
    return user is not None and open_grants(user, now).filter(told, pk=grant.pk, patient__died_at=None).exists()


def _shares(contact: CaregiverContact | None, patients: ContactChoice | None) -> bool:
    """Whether the patient is told at this very address: a phone that a couple shares rings once."""
    return (
        contact is not None
        and patients is not None
        and patients.channel in ("email", "sms")
        and outgoing.may_be_reached(patients)
        and (patients.channel, patients.address.casefold()) == (contact.channel, contact.address.casefold())
    )


def _why_not_remind(row: CaregiverReminder, contact: CaregiverContact | None, now: datetime) -> str:
    if not _is_let(row.grant, CHECK_IN, now) or row.episode.patient_id != row.grant.patient_id:
        return "stopped"
    if CheckInResponse.objects.filter(episode_id=row.episode_id, slot=row.slot).exists():
        return "answered"
    if now >= row.expires_at:
        return "expired"
    return "together" if _shares(contact, outgoing.patients_contact(row.grant.patient_id)) else ""


def _why_not_tell(row: CaregiverMessageNotice, contact: CaregiverContact | None, now: datetime) -> str:
    """Not for what the patient or this helper has read, nor again while an earlier one has not been looked at."""
    if not _is_let(row.grant, MESSAGE, now):
        return "stopped"
    mine = HelperReading.objects.filter(user=row.grant.user_id).values("message")
    if row.message.read_at is not None or mine.filter(message=row.message_id).exists():
        return "read"
    patients = outgoing.patients_contact(row.grant.patient_id)
    sent = CaregiverMessageNotice.objects.filter(grant=row.grant_id, ended_as="sent", message__read_at__isnull=True)
    unread = sent.exclude(message__in=mine)
    is_told = _shares(contact, patients) and patients is not None and patients.about_messages
    return "together" if is_told or unread.exists() else ""


CHECK_INS = outgoing.Kind(CaregiverReminder, _contact, _why_not_remind, portal_words.ABOUT_HELPED_CHECK_IN)
MESSAGES = outgoing.Kind(CaregiverMessageNotice, _contact, _why_not_tell, portal_words.ABOUT_HELPED_MESSAGE)
