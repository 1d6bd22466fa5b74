"""How a patient, or who helps them, wants to be reminded."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import available_timezones

from recovery.exceptions import NotFound
from recovery.models import CaregiverContact, ContactChoice, PhoneCode, PushSubscription, User
from recovery.permissions import open_grants
from recovery.selectors import check_ins

QUIET_FROM, QUIET_UNTIL = time(21, 0), time(8, 0)
# Clocks of places where people live: "Europe/Berlin"; "Etc/GMT-3" and old spellings are not offered.
LANDS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ZONES = ("UTC", *sorted(name for name in available_timezones() if name.startswith(tuple(f"{one}/" for one in LANDS))))


@dataclass(frozen=True, slots=True)
class Contact:
    """`stopped`: by an SMS that said so. `browsers`: how many of theirs may be woken by push messages."""

    channel: str
    address: str
    quiet_from: time
    quiet_until: time
    stopped: bool
    about_messages: bool
    browsers: int


def contact_of(patient_id: int) -> Contact:
    """What was chosen; before that nobody is reminded, and nights are quiet."""
    row = ContactChoice.objects.filter(patient_id=patient_id).first()
    browsers = PushSubscription.objects.filter(user__patient=patient_id, ended_at__isnull=True).count()
    if row is None:
        return Contact("none", "", QUIET_FROM, QUIET_UNTIL, False, True, browsers)
    return Contact(
        row.channel,
        row.address,
        row.quiet_from,
        row.quiet_until,
        row.stopped_at is not None,
        row.about_messages,
        browsers,
    )


@dataclass(frozen=True, slots=True)
class HelperContact:
    """As `Contact`, of a caregiver. `zone`: whose clock is quiet; `is_chosen`: whether they have said anything yet."""

    channel: str
    address: str
    quiet_from: time
    quiet_until: time
    zone: str
    stopped: bool
    browsers: int
    is_chosen: bool


def phone_to_prove(user: User) -> str:
    """The number that this person chose and has not yet shown to be theirs; blank when there is none."""
    chosen = ContactChoice.objects.filter(patient__user=user, channel="sms").values_list("address", flat=True)
    helping = CaregiverContact.objects.filter(user=user, channel="sms").values_list("address", flat=True)
    known = set(PhoneCode.objects.filter(user=user, proven_at__isnull=False).values_list("number", flat=True))
    return next((number for number in (*chosen, *helping) if number not in known), "")


def helper_contact_of(user: User, now: datetime) -> HelperContact:
    """What was chosen; before that nobody is told, and the clock is that of the patient helped last."""
    row = CaregiverContact.objects.filter(user=user).first()
    browsers = PushSubscription.objects.filter(user=user, ended_at__isnull=True).count()
    if row is None:
        return HelperContact("none", "", QUIET_FROM, QUIET_UNTIL, _likely_zone(user, now), False, browsers, False)
    return HelperContact(
        row.channel,
        row.address,
        row.quiet_from,
        row.quiet_until,
        row.zone,
        row.stopped_at is not None,
        browsers,
        True,
    )


def _likely_zone(user: User, now: datetime) -> str:
    for grant in open_grants(user, now)[:1]:
        try:
            zone = check_ins.zone_of(check_ins.episode_of(grant.patient_id)).key
        except NotFound:
            continue
        return zone if zone in ZONES else "UTC"
    return "UTC"
