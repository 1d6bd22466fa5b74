"""Events on their way to subscribers: held against the subscriptions, numbered, leased, marked once they have arrived.

At least once and in order: an event is marked sent only after the receiver's answer, one worker at a time has a
subscription, and nothing overtakes an event that failed. The rows are all there is: a worker or broker that dies has
done nothing.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from recovery import audit
from recovery.models import ChangeEvent, Subscription, SubscriptionEvent
from recovery.selectors.deliveries import Change, Receiver, Told, receiver_of, told_of
from recovery.services import subscriptions

MATCHED_AT_ONCE = 100
CLAIM_FOR = timedelta(seconds=60)
RETRY_FIRST = timedelta(seconds=5)
RETRY_MOST = timedelta(minutes=15)
# 5, 10, 20 ... s, then every 15 minutes: about two hours of trying before an event is given up.
MOST_TRIES = 16
# One matcher at a time; any number that no other lock of ours has.
MATCHERS_LOCK = 7_461_003
WAITING, SENT, DEAD = (
    SubscriptionEvent.Status.WAITING,
    SubscriptionEvent.Status.SENT,
    SubscriptionEvent.Status.DEAD,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Row ids of the receivers that are to be told of a change. `broken`: why nobody could tell; then it stands in the
    dead letters of all who listen to its kind."""

    receivers: tuple[int, ...] = ()
    broken: str = ""


# A verdict for each change.
Judge = Callable[[Sequence[Change], Sequence[Receiver]], Sequence[Verdict]]


@dataclass(frozen=True, slots=True)
class Lease:
    """A subscription taken for sending, until `until`, which also tells this lease from a later one."""

    receiver: Receiver
    until: datetime


# ---- from what happened to whom it is told ---


def match_changes(*, judge: Judge) -> int:
    """Hold the oldest changes against all subscriptions and number what each is told; returns how many changes.

    One transaction: either a change is gone and told, or it is still there.
    """
    if not ChangeEvent.objects.exists():  # without waiting for a turn: mostly nothing has happened
        return 0
    with transaction.atomic():
        _take_a_turn()
        rows = list(ChangeEvent.objects.order_by("id")[:MATCHED_AT_ONCE])
        if not rows:
            return 0
        in_service = Subscription.objects.exclude(status=Subscription.Status.OFF)
        held = {row.pk: row for row in in_service.select_related("connection").order_by("pk")}
        receivers = [receiver_of(row) for row in held.values()]
        told: list[SubscriptionEvent] = []
        if receivers:
            changes = [_change(row) for row in rows]
            for row, verdict in zip(rows, judge(changes, receivers), strict=True):
                told += [_event(held[pk], row, verdict.broken) for pk in sorted(verdict.receivers)]
        SubscriptionEvent.objects.bulk_create(told, batch_size=500)
        for pk in {one.subscription_id for one in told}:
            Subscription.objects.filter(pk=pk).update(numbered=held[pk].numbered)
        ChangeEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _take_a_turn() -> None:
    """Matchers take turns until the end of the transaction; on SQLite one transaction writes at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MATCHERS_LOCK])


def _change(row: ChangeEvent) -> Change:
    return Change(row.pk, row.at, row.type, row.fhir_id, row.version, row.patient_id, row.topic)


def _event(subscription: Subscription, row: ChangeEvent, broken: str) -> SubscriptionEvent:
    subscription.numbered += 1
    return SubscriptionEvent(
        subscription=subscription,
        number=subscription.numbered,
        at=row.at,
        type=row.type,
        fhir_id=row.fhir_id,
        version=row.version,
        patient_id=row.patient_id,
        status=DEAD if broken else WAITING,
        cause=broken[:300],
    )


# ---- leases ---


def lease(*, limit: int, now: datetime) -> list[Lease]:
    """Take up to `limit` subscriptions that have something to be sent now: each by a conditional UPDATE."""
    leases = []
    for row in list(_due(now).select_related("connection").order_by(F("last_sent_at").asc(nulls_first=True))[:limit]):
        mine = Subscription.objects.filter(pk=row.pk).filter(_free(now))
        if mine.update(claimed_until=now + CLAIM_FOR) == 1:
            leases.append(Lease(receiver_of(row), now + CLAIM_FOR))
    return leases


def _free(now: datetime) -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)


def _due(now: datetime) -> QuerySet[Subscription]:
    """Requested ones that have settled, active ones to which an event is owed, and those whose heart is to beat."""
    waits = Exists(SubscriptionEvent.objects.filter(subscription=OuterRef("pk"), status=WAITING))
    free = Subscription.objects.filter(_free(now)).filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
    asked = Q(status=Subscription.Status.REQUESTED, changed_at__lte=now - subscriptions.SETTLES_IN)
    active = Q(status=Subscription.Status.ACTIVE)
    quiet = [one for one, *said in _heartbeats() if _is_quiet(said, now)]
    return free.filter(asked | (active & (waits | Q(pk__in=quiet))))


def _heartbeats() -> Iterable[tuple[Any, ...]]:
    beating = Subscription.objects.filter(status=Subscription.Status.ACTIVE, heartbeat_s__gt=0)
    return beating.values_list("pk", "heartbeat_s", "last_sent_at", "changed_at")


def _is_quiet(said: Sequence[Any], now: datetime) -> bool:
    heartbeat_s, sent_at, changed_at = said
    return (sent_at or changed_at) + timedelta(seconds=heartbeat_s) <= now


def is_quiet(taken: Lease, now: datetime) -> bool:
    """Whether a heartbeat is due."""
    return any(pk == taken.receiver.row_id and _is_quiet(said, now) for pk, *said in _heartbeats())


def waiting_for(taken: Lease, limit: int) -> list[Told]:
    """The next events of a leased subscription, in order. Nobody else numbers or sends them while the lease runs."""
    rows = SubscriptionEvent.objects.filter(subscription_id=taken.receiver.row_id, status=WAITING)
    return [told_of(row) for row in rows.order_by("number")[:limit]]


def is_current(taken: Lease) -> bool:
    """Whether the lease is still held and nothing about the subscription or its owner has changed since it was taken:
    what was revoked, switched off or sent elsewhere takes effect with the next message."""
    row = _mine(taken).select_related("connection").first()
    return row is not None and replace(receiver_of(row), numbered=taken.receiver.numbered) == taken.receiver


def release(taken: Lease) -> None:
    _mine(taken).update(claimed_until=None)


def _mine(taken: Lease) -> QuerySet[Subscription]:
    return Subscription.objects.filter(pk=taken.receiver.row_id, claimed_until=taken.until)


# ---- what became of a try ---


def arrived(taken: Lease, numbers: Sequence[int], *, now: datetime) -> bool:
    """The receiver has acknowledged these events (none: a heartbeat), and the trail says whose data went where.

    False when the lease was lost: nothing is marked, and whoever has it now sends them again.
    """
    fine = {"failures": 0, "not_before": None, "last_sent_at": now, "last_success_at": now}
    with transaction.atomic():
        if _mine(taken).update(**fine) != 1:
            return False
        events = SubscriptionEvent.objects.filter(subscription_id=taken.receiver.row_id, number__in=numbers)
        patients = set(events.filter(patient__isnull=False).values_list("patient_id", flat=True))
        events.update(status=SENT, sent_at=now, attempts=F("attempts") + 1, cause="")
        if numbers:
            audit.record(
                actor=subscriptions.PRODUCT,
                now=now,
                action="notify",
                patient_ids=sorted(patients) or (None,),
                entity=f"{subscriptions.TYPE}/{taken.receiver.fhir_id}",
                detail={"events": list(numbers), "to": taken.receiver.owner},
            )
    return True


def failed(
    taken: Lease,
    numbers: Sequence[int],
    *,
    cause: str,
    now: datetime,
    chance: random.Random,
    most_tries: int = MOST_TRIES,
) -> None:
    """The try came to nothing: later again, and after so many tries the events are given up and the subscription stops
    with an error that says why. What came after them keeps waiting."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=taken.receiver.row_id)
        if row.claimed_until != taken.until:
            return
        row.failures += 1
        row.last_failure_at, row.last_failure = now, cause[:300]
        row.not_before = now + wait_after(row.failures, chance)
        row.save(update_fields=["failures", "last_failure_at", "last_failure", "not_before"])
        events = SubscriptionEvent.objects.filter(subscription=row, number__in=numbers, status=WAITING)
        events.update(attempts=F("attempts") + 1, cause=cause[:300])
        if row.failures >= most_tries:
            events.update(status=DEAD)
            sentence = f"Given up after {row.failures} tries: {cause}"
            subscriptions.stop_with_error(fhir_id=row.fhir_id, error=sentence, now=now)


def given_up(taken: Lease, number: int, *, cause: str, now: datetime) -> None:
    """This event can never be told, whatever the receiver does: what it refers to is not held any more."""
    events = SubscriptionEvent.objects.filter(subscription_id=taken.receiver.row_id, number=number, status=WAITING)
    events.update(status=DEAD, attempts=F("attempts") + 1, cause=cause[:300])


def wait_after(failures: int, chance: random.Random) -> timedelta:
    """Exponential, with up to a fifth more by chance, so that subscribers of one dead receiver do not come together."""
    wait = min(RETRY_MOST, RETRY_FIRST * (2 ** min(failures - 1, 12)))
    return wait * (1 + chance.random() / 5)
