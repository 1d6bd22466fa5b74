"""How a patient wants to be reminded."""

from dataclasses import dataclass
from datetime import time

from recovery.models import ContactChoice, PushSubscription

QUIET_FROM, QUIET_UNTIL = time(21, 0), time(8, 0)


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
