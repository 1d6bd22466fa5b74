"""A phone number is a person's once they typed in the code that was sent to it: before that nothing else goes there.

A wrong number would tell a stranger that somebody is a patient, and take the stranger's answers for theirs. The limits
are starting points [G]; six digits and TRIES tries a code leave a guesser 1 in 40,000 a day.
"""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import PhoneCode, User
from recovery.notify.message import NotDelivered
from recovery.notify.sms import send_sms
from recovery.services.outgoing import is_proven, language_of

LASTS = timedelta(minutes=15)
PAUSE = timedelta(minutes=1)
A_DAY = timedelta(days=1)
CODES_A_DAY, TRIES = 5, 5
TEXT = _("Your code is {code}. Type it in the portal within 15 minutes. Not you? Ignore this, or reply STOP.")


def send_code(*, user: User, number: str, actor: Actor, now: datetime) -> None:
    """Send a new code to `number` (E.164), in the person's language. Only the newest code of a number is good.

    Raises Invalid: too many in a day, to one person or to one number; too soon; the gateway did not take it.
    """
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        _refuse_too_many(user, number, now)
        PhoneCode.objects.filter(user=user, proven_at__isnull=True, sent_at__lte=now - A_DAY).delete()
        row = PhoneCode.objects.create(user=user, number=number, digest=_digest(user, number, code), sent_at=now)
        audit.record(actor=actor, now=now, action="phone_code_sent", entity=f"User/{user.pk}")
    try:
        with translation.override(language_of(user.pk)):
            send_sms(number, str(TEXT).format(code=code), f"phone-code-{row.pk}")
    except NotDelivered as problem:
        row.delete()
        raise Invalid("We could not send the code. Please try again later, or choose e-mail.") from problem


def _refuse_too_many(user: User, number: str, now: datetime) -> None:
    today = PhoneCode.objects.filter(sent_at__gt=now - A_DAY)
    if today.filter(user=user, sent_at__gt=now - PAUSE).exists():
        raise Invalid("We have just sent a code. Please wait a minute before you ask for another.")
    if max(today.filter(user=user).count(), today.filter(number=number).count()) >= CODES_A_DAY:
        raise Invalid("Those were many codes in one day. Please try again tomorrow, or choose e-mail.")


def prove(*, user: User, number: str, code: str, actor: Actor, now: datetime) -> None:
    """Take the code that the person typed. Raises Invalid: wrong, too old, or tried too often."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        refusal = _checked(user, number, "".join(code.split()), actor, now)
    if refusal:  # outside: a wrong try is counted
        raise Invalid(refusal, field="code")


def _checked(user: User, number: str, code: str, actor: Actor, now: datetime) -> str:
    """What is wrong with it; blank when the number is now theirs."""
    if is_proven(user.pk, number):
        return ""
    row = PhoneCode.objects.filter(user=user, number=number).order_by("-sent_at", "-pk").first()
    if row is None or row.sent_at + LASTS <= now or row.tries >= TRIES:
        return "This code is too old, or was tried too often. Please ask for a new one."
    if not constant_time_compare(row.digest, _digest(user, number, code)):
        PhoneCode.objects.filter(pk=row.pk).update(tries=row.tries + 1)
        return "This is not the code we sent. Please look again."
    PhoneCode.objects.filter(pk=row.pk).update(proven_at=now)
    audit.record(actor=actor, now=now, action="phone_proven", entity=f"User/{user.pk}")
    return ""


def _digest(user: User, number: str, code: str) -> str:
    return salted_hmac("recovery.phone", f"{user.pk}:{number}:{code}", algorithm="sha256").hexdigest()
