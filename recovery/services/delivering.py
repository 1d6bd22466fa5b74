"""Sending what is owed: claim, send, mark. A crash in between sends again when the claim has run out, never not at all.

What waits for one receiver goes as one message, so that an outage that ends is no storm. What nobody needs any more is
not sent. After MOST_ATTEMPTS a delivery is given up, and says so wherever its alert is shown.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from recovery.models import Alert, Delivery, LiveEvent, PushSubscription
from recovery.notify.email import send_email
from recovery.notify.hook import secret_of, send_hook
from recovery.notify.message import PAGE, Message, NotDelivered
from recovery.notify.push import Browser, BrowserGone, send_push

logger = logging.getLogger(__name__)

WAITING, SENT, DEAD, OFF = (
    Delivery.Status.WAITING,
    Delivery.Status.SENT,
    Delivery.Status.DEAD,
    Delivery.Status.OFF,
)
# Longer than one message can take (a few steps of 5 to 10 s each), short enough that a crash delays by a minute.
CLAIM_FOR = timedelta(seconds=60)
RETRY_FIRST = timedelta(seconds=5)
RETRY_MOST = timedelta(minutes=10)
MOST_ATTEMPTS = 8  # some ten minutes of trying: after that a person has to know
GROUPS_A_PASS = 50
WORK_FOR = timedelta(seconds=45)
SEVERITY_ORDER = ("high", "medium", "low")

Clock = Callable[[], datetime]
Send = Callable[[Delivery, Message], None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Deliveries to one receiver that are ours until `until`."""

    rows: tuple[Delivery, ...]
    until: datetime


def deliver_owed(*, clock: Clock, send: Send | None = None) -> int:
    """Send what is due; returns how many deliveries were sent. `send` raises NotDelivered."""
    stop_at, sent = clock() + WORK_FOR, 0
    while clock() < stop_at:
        first = due(clock()).select_related("user", "push", "hook").order_by("not_before", "pk").first()
        if first is None:
            return sent
        mine = claim(first, clock())
        if mine is not None:
            sent += deliver(mine, send or send_out, clock)
    return sent


def due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(status=WAITING, not_before__lte=now).filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    )


def claim(first: Delivery, now: datetime) -> Claimed | None:
    """Everything due for the receiver of `first`, taken by conditional UPDATEs: exactly one worker wins each row."""
    until = now + CLAIM_FOR
    receiver = Q(user=first.user) & Q(push=first.push) & Q(hook=first.hook)
    same = due(now).filter(receiver, channel=first.channel)
    won = [
        pk
        for pk in same.order_by("pk").values_list("pk", flat=True)[:GROUPS_A_PASS]
        if due(now).filter(pk=pk).update(claimed_until=until, attempts=F("attempts") + 1)
    ]
    rows = Delivery.objects.filter(pk__in=won).select_related("alert__episode", "user", "push", "hook").order_by("pk")
    return Claimed(tuple(rows), until) if won else None


def deliver(mine: Claimed, send: Send, clock: Clock) -> int:
    """Send one message for all of `mine` that are still needed, and mark them."""
    needed = [row for row in mine.rows if _is_needed(row)]
    needless = [row for row in mine.rows if row not in needed]
    _mark(needless, mine.until, status=OFF, cause="It was taken care of before this was sent.")
    if not needed:
        return 0
    try:
        send(needed[0], message_of(needed))
    except NotDelivered as problem:
        _failed(needed, mine.until, problem, clock())
        return 0
    except Exception as error:
        logger.exception("a delivery failed in a way that nobody expected")
        _failed(needed, mine.until, NotDelivered(type(error).__name__), clock())
        return 0
    _mark(needed, mine.until, status=SENT, sent_at=clock(), cause="")
    _tell_pages(needed, clock())
    return len(needed)


def message_of(rows: list[Delivery]) -> Message:
    """What the receiver reads: the gravest of what waits, and of how many patients."""
    first = min(rows, key=lambda row: SEVERITY_ORDER.index(row.alert.severity))
    return Message(
        key=str(rows[0].key),
        reason=first.reason,
        severity=first.alert.severity,
        count=len({row.alert.episode.patient_id for row in rows}),
        at=min(row.at for row in rows),
        page=f"{settings.PUBLIC_URL}{PAGE}",
    )


def send_out(row: Delivery, message: Message) -> None:
    """Raises NotDelivered."""
    if row.channel == Delivery.Channel.EMAIL and row.user is not None:
        send_email(row.user.email, message)
    elif row.channel == Delivery.Channel.PUSH and row.push is not None:
        _push(row.push, message)
    elif row.hook is not None:
        if row.hook.ended_at is not None:
            raise NotDelivered("The webhook was removed.", for_good=True)
        send_hook(row.hook.url, secret_of(str(row.hook.key)), message)


def _push(browser: PushSubscription, message: Message) -> None:
    if browser.ended_at is not None:
        raise NotDelivered("The browser has ended its subscription.", for_good=True)
    try:
        send_push(Browser(browser.endpoint, browser.p256dh, browser.auth), message)
    except BrowserGone:
        PushSubscription.objects.filter(pk=browser.pk, ended_at__isnull=True).update(ended_at=message.at)
        raise


def _is_needed(row: Delivery) -> bool:
    """A new or escalated alert only while nobody has it; what was given to a person until it is closed."""
    if row.reason in ("assigned", "graver"):
        return row.alert.status != Alert.Status.RESOLVED
    return row.alert.status == Alert.Status.OPEN


def _failed(rows: Iterable[Delivery], until: datetime, problem: NotDelivered, now: datetime) -> None:
    for row in rows:
        if problem.for_good or row.attempts >= MOST_ATTEMPTS:
            _mark([row], until, status=DEAD, cause=problem.cause[:300])
            _tell_pages([row], now)
        else:
            wait = min(RETRY_MOST, RETRY_FIRST * (2 ** min(row.attempts, 12)))
            _mark([row], until, not_before=now + wait, cause=problem.cause[:300])


def _mark(rows: Iterable[Delivery], until: datetime, **said: object) -> None:
    """Only while the claim is still ours: who took it over marks it."""
    mine = Delivery.objects.filter(pk__in=[row.pk for row in rows], claimed_until=until, status=WAITING)
    mine.update(claimed_until=None, **said)


def _tell_pages(rows: Iterable[Delivery], now: datetime) -> None:
    """Open pages show the timeline of the alert with what became of the message."""
    episodes = {row.alert.episode_id: row.alert.episode for row in rows}
    LiveEvent.objects.bulk_create(
        LiveEvent(at=now, kind="alert", episode_id=one.pk, team_id=one.team_id) for one in episodes.values()
    )
