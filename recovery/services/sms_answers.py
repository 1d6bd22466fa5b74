"""SMS that come back: a number is the answer about pain, STOP ends the reminders, anything else is told what to do."""

import logging
import re
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.models import CaregiverContact, ContactChoice, Reminder, SmsReceived
from recovery.services import sources
from recovery.services.outgoing import is_proven, language_of, owner_of

logger = logging.getLogger(__name__)

ACTOR = Actor("system", None, "SMS")
Chosen = TypeVar("Chosen", ContactChoice, CaregiverContact)
# Words that end it, in the languages of the portal and as providers ask for it.
STOP = {"stop", "stopp", "end", "quit", "cancel", "unsubscribe", "halt", "توقف", "ايقاف", "إيقاف"}
NUMBER = re.compile(r"\D*(10|\d)\D*")
BAD = 8
# Each is said in the language of whose phone it is.
THANKS = gettext_lazy("Thank you. Your {number} is with your team.")
THANKS_BAD = gettext_lazy(
    "Thank you. Your {number} is with your team. If the pain is new or you cannot bear it, call your team now,"
    " in an emergency your emergency number."
)
STOPPED = gettext_lazy("You get no more reminders. You can start them again in the portal.")
UNKNOWN = gettext_lazy(
    "Please reply with one number from 0 (no pain) to 10. Emergency: call your emergency number. STOP ends this."
)
HELPER = gettext_lazy("Please sign in to answer for somebody you help. STOP ends this.")
LATER = gettext_lazy("Thank you. We could not take this. Please sign in, or call your team.")


def receive_sms(*, provider_id: str, sender: str, text: str, now: datetime) -> str:
    """What to answer; blank for a number that nobody here has, and for one told twice. The words are not kept."""
    meant = _meaning(text)
    with transaction.atomic():
        if not _is_new(provider_id, meant, now):
            return ""
        choices = list(
            ContactChoice.objects.select_for_update(of=("self",))
            .select_related("patient")
            .filter(channel="sms", address=sender)
        )
        helpers = list(
            CaregiverContact.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(channel="sms", address=sender)
        )
        if meant == "stop":
            _stop(choices, helpers, now)
        else:  # STOP holds for every phone; words of one that nobody has shown to be theirs are nobody's
            choices, helpers = _proven(choices), _proven(helpers)
    owners = [*map(owner_of, choices), *map(owner_of, helpers)]
    if not owners:
        return ""
    with translation.override(language_of(owners[0])):
        return str(_reply(choices, meant, now))


def _proven(found: list[Chosen]) -> list[Chosen]:
    return [one for one in found if is_proven(owner_of(one), one.address)]


def _reply(choices: list[ContactChoice], meant: str, now: datetime) -> str | Promise:
    if meant == "stop":
        return STOPPED
    if not choices:
        return HELPER
    if len(choices) > 1:  # a phone that two patients share answers for neither
        return ""
    return _answer(choices[0], meant, now) if meant.isdigit() else UNKNOWN


def _meaning(text: str) -> str:
    words = text.strip().casefold()
    if set(re.findall(r"\w+", words)) & STOP:
        return "stop"
    found = NUMBER.fullmatch(words)
    return found.group(1) if found else "unclear"


def _is_new(provider_id: str, meant: str, now: datetime) -> bool:
    try:
        with transaction.atomic():
            SmsReceived.objects.create(
                provider_id=provider_id[:100], received_at=now, meant="number" if meant.isdigit() else meant
            )
    except IntegrityError:
        return False
    return True


def _stop(choices: list[ContactChoice], helpers: list[CaregiverContact], now: datetime) -> None:
    """Nothing comes to this phone any more, whoever it is for."""
    for choice in choices:
        ContactChoice.objects.filter(pk=choice.pk, stopped_at__isnull=True).update(stopped_at=now)
        audit.record(actor=ACTOR, now=now, action="contact_stopped", patient_ids=[choice.patient_id])
    for one in helpers:
        CaregiverContact.objects.filter(pk=one.pk, stopped_at__isnull=True).update(stopped_at=now)
        audit.record(actor=ACTOR, now=now, action="contact_stopped", entity=f"User/{one.user.pk}")


def _answer(choice: ContactChoice, number: str, now: datetime) -> str | Promise:
    try:
        sources.report_reading(patient_id=choice.patient_id, kind="pain", text=number, at=now, actor=ACTOR, now=now)
    except RecoveryError as error:
        logger.warning("an answer by SMS was refused: %s", type(error).__name__)
        return LATER
    Reminder.objects.filter(
        episode__patient_id=choice.patient_id, expires_at__gt=now, answered_at__isnull=True, sent_at__isnull=False
    ).update(answered_at=now)
    return str(THANKS_BAD if int(number) >= BAD else THANKS).format(number=number)
