"""Sending what is owed to patients and to who helps them: leased, sent with a key of its own, marked.

A worker that dies in between leaves a lease that runs out. What is said is in `notify.portal_words`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation

from recovery.models import (
    CaregiverContact,
    CaregiverMessageNotice,
    CaregiverReminder,
    ContactChoice,
    MessageNotice,
    PhoneCode,
    PortalPreference,
    PushSubscription,
    Reminder,
)
from recovery.notify.message import NotDelivered, Notice
from recovery.notify.portal_words import Words
from recovery.notify.push import Browser, BrowserGone, send_push
from recovery.notify.sms import send_sms

LEASE = timedelta(minutes=2)
MOST_TRIES = 5
A_PASS = 200
Clock = Callable[[], datetime]
Contact = ContactChoice | CaregiverContact
Row = Reminder | MessageNotice | CaregiverReminder | CaregiverMessageNotice


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what is sent. `contact`: how its person is reached now; `why_not`: a word that ends it unsent."""

    model: type[Row]
    contact: Callable[[Any], Contact | None]
    why_not: Callable[[Any, Any, datetime], str]
    words: Words


@dataclass(frozen=True, slots=True)
class Leased:
    """`user_id`: whose language it speaks and whose browsers it wakes."""

    key: str
    row_id: int
    user_id: int | None
    channel: str
    address: str
    until: datetime


def browsers_of(user_id: int | None) -> QuerySet[PushSubscription]:
    """This person's own browsers that may be woken."""
    return PushSubscription.objects.filter(user=user_id, ended_at__isnull=True).order_by("pk")


def patients_contact(patient_id: int) -> ContactChoice | None:
    return ContactChoice.objects.select_related("patient").filter(patient_id=patient_id).first()


def send_due(kind: Kind, clock: Clock) -> int:
    """Send what is due of a kind; returns how many went out."""
    sent = 0
    for row_id in _due(kind, clock()):
        leased = lease(kind, row_id, clock())
        if leased is not None:
            sent += _send(kind, leased, clock)
    return sent


def _due(kind: Kind, now: datetime) -> list[int]:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = kind.model._default_manager.filter(free, ended_as="", not_before__lte=now).order_by("not_before", "pk")
    return list(rows.values_list("pk", flat=True)[:A_PASS])


def lease(kind: Kind, row_id: int, now: datetime) -> Leased | None:
    """It is ours for two minutes; None when another has it, or when it is not wanted any more."""
    with transaction.atomic():
        rows = kind.model._default_manager.select_for_update(of=("self",)).filter(pk=row_id)
        row = rows.first()
        if row is None or row.ended_as or (row.claimed_until is not None and row.claimed_until > now):
            return None
        choice = kind.contact(row)
        is_wanted = choice is not None and may_be_reached(choice)
        why_not = kind.why_not(row, choice, now) or ("" if is_wanted else "stopped")
        if why_not or choice is None:
            row.ended_as = why_not
            row.save(update_fields=["ended_as"])
            return None
        row.channel, row.claimed_until, row.attempts = choice.channel, now + LEASE, row.attempts + 1
        row.save(update_fields=["channel", "claimed_until", "attempts"])
    return Leased(str(row.key), row.pk, owner_of(choice), choice.channel, choice.address, now + LEASE)


def owner_of(choice: Contact) -> int | None:
    """Row id of the person who made the choice."""
    return choice.user.pk if isinstance(choice, CaregiverContact) else choice.patient.user_id


def may_be_reached(choice: Contact) -> bool:
    """Not who wants nothing or sent STOP, nor by a phone of which nobody has shown that it is theirs."""
    if choice.channel == "none" or choice.stopped_at is not None:
        return False
    return choice.channel != "sms" or is_proven(owner_of(choice), choice.address)


def is_proven(user_id: int | None, number: str) -> bool:
    """Whether this person typed in a code that was sent to the number (services.phones)."""
    return PhoneCode.objects.filter(user=user_id, number=number, proven_at__isnull=False).exists()


def _send(kind: Kind, leased: Leased, clock: Clock) -> int:
    mine = kind.model._default_manager.filter(pk=leased.row_id, claimed_until=leased.until, ended_as="")
    try:
        with translation.override(language_of(leased.user_id)):
            _WAYS[leased.channel](leased, kind.words, clock())
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


def language_of(user_id: int | None) -> str:
    chosen = PortalPreference.objects.filter(user=user_id).values_list("language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE


def _link(words: Words) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{words.page}" if settings.PUBLIC_URL else words.page


def _by_sms(leased: Leased, words: Words, _now: datetime) -> None:
    send_sms(leased.address, str(words.sms).format(link=_link(words)), leased.key)


def _by_email(leased: Leased, words: Words, _now: datetime) -> None:
    mail = EmailMessage(
        subject=str(words.title),
        body=str(words.mail).format(link=_link(words)),
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


def _by_push(leased: Leased, words: Words, now: datetime) -> None:
    """To each of the person's browsers; it has arrived when one of them took it."""
    notice = Notice(leased.key, str(words.title), str(words.push), _link(words))
    problem, taken = NotDelivered("No browser of theirs may be woken.", for_good=True), 0
    for browser in browsers_of(leased.user_id):
        try:
            send_push(Browser(browser.endpoint, browser.p256dh, browser.auth), notice)
            taken += 1
        except BrowserGone as gone:
            PushSubscription.objects.filter(pk=browser.pk, ended_at__isnull=True).update(ended_at=now)
            problem = gone
        except NotDelivered as found:
            problem = found
    if not taken:
        raise problem


_WAYS: dict[str, Callable[[Leased, Words, datetime], None]] = {"sms": _by_sms, "email": _by_email, "push": _by_push}
