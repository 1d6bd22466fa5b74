"""Work owed. The row is the truth, the broker a doorbell (design section 9).

`owe` writes the row in the transaction of its cause and rings on commit. A worker `claim`s rows, works, and calls
`settle` or `fail`. `sweep` rings again for what nobody took. Losing every message loses no work.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from recovery.bell import Bell
from recovery.models import Owed, tables_sql
from recovery.models.tables_sql import Statement

logger = logging.getLogger(__name__)

# A pass takes seconds; work whose worker was killed waits for no longer than this. Work that took longer than its
# claim is stored by nobody (`settle`), so each further claim is twice as long, at last longer than any task
# (task_time_limit 240 s).
CLAIM_FIRST = timedelta(seconds=60)
CLAIM_FOR = timedelta(seconds=300)
RETRY_FIRST = timedelta(seconds=5)
RETRY_MOST = timedelta(minutes=30)
SUSPECT_AFTER = 3  # attempts without success after which work is no longer opened at a worker's start
TASK_OF_KIND = {
    "twin": "recovery.refresh_twins",
    "events": "recovery.deliver_events",
    "alerts": "recovery.deliver_alerts",
}
QUEUE_OF_KIND = {"twin": "twin", "events": "alerts", "alerts": "alerts"}
# Owed already, from this time on or an earlier one, and nobody has begun.
_COVERED = (
    "held.done_seq < held.seq AND held.claimed_until IS NULL AND held.not_before IS NULL"
    " AND (held.dirty_from_ms IS NULL OR (n.dirty_from_ms IS NOT NULL AND n.dirty_from_ms >= held.dirty_from_ms))"
)
# Locks of PostgreSQL's own kind, few enough that any number of keys fits into its table of locks.
GATES = 64
GATES_OF_WORK = 7_461_002  # any number that no other lock of ours has
_DIRTY = {"key": "bigint", "dirty_from_ms": "bigint"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One piece of work taken: its row id, what it is about, the `seq` it covers and from when data is new.

    `until`: when the claim runs out; it also tells this claim from a later one on the same row.
    """

    row_id: int
    key: int
    seq: int
    dirty_from_ms: int | None
    owed_since: datetime
    until: datetime


def owe(*, kind: str, dirty: Mapping[int, int | None], now: datetime) -> None:
    """Owe work of `kind` for each key of `dirty` (key -> earliest new reading time in ms, None: everything).

    Must run inside the transaction of the cause.
    """
    rows, parameters = tables_sql.given("new", _DIRTY, sorted(dirty.items()))
    keys = f"SELECT new.key, new.dirty_from_ms FROM {rows}"  # noqa: S608
    if dirty:
        _owe_with((), kind, keys, parameters, now)


def owe_twins(*, dirty: Mapping[int, int | None], now: datetime, first: Sequence[Statement] = ()) -> None:
    """Owe the twins of these patients (row id -> as `owe`) a refresh: of each of their operations that is over.

    `first`: statements to run before, in the same message.
    """
    rows, parameters = tables_sql.given("new", _DIRTY, sorted(dirty.items()))
    episodes = (
        f"SELECT e.id AS key, new.dirty_from_ms FROM {rows} JOIN recovery_episode e"  # noqa: S608
        " ON e.patient_id = new.key AND e.surgery_end IS NOT NULL"
    )
    if dirty:
        _owe_with(first, "twin", episodes, parameters, now)
    else:
        tables_sql.run_together(first)


def _owe_with(first: Sequence[Statement], kind: str, keys: str, parameters: Sequence[Any], now: datetime) -> None:
    *_, owed = tables_sql.run_together([*first, *_gates(keys, parameters), _upsert(kind, keys, parameters, now)])
    if owed:
        transaction.on_commit(lambda: ring(kind))


def _upsert(kind: str, keys: str, parameters: Sequence[Any], now: datetime) -> Statement:
    """Insert, or add to what is already owed: seq + 1 and the earlier of the two dirty times (null: everything).

    `keys`: a query of key and dirty_from_ms. What is owed already and not begun stays as it is, so that deliveries to
    one patient need not wait for each other's commit. The others go in order of key, never crosswise.
    """
    table = connection.ops.quote_name(Owed._meta.db_table)
    least = "LEAST" if connection.vendor == "postgresql" else "MIN"
    sql = (
        f"INSERT INTO {table} AS o (kind, key, seq, done_seq, dirty_from_ms, owed_since, attempts, last_error)"  # noqa: S608
        f" SELECT %s, n.key, 1, 0, n.dirty_from_ms, %s, 0, '' FROM ({keys}) AS n"
        f" LEFT JOIN {table} AS held ON held.kind = %s AND held.key = n.key"
        f" WHERE held.id IS NULL OR NOT ({_COVERED}) ORDER BY n.key"
        " ON CONFLICT (kind, key) DO UPDATE SET seq = o.seq + 1, not_before = NULL,"
        " owed_since = CASE WHEN o.done_seq < o.seq THEN o.owed_since ELSE excluded.owed_since END,"
        " dirty_from_ms = CASE WHEN o.done_seq >= o.seq THEN excluded.dirty_from_ms"
        " WHEN o.dirty_from_ms IS NULL OR excluded.dirty_from_ms IS NULL THEN NULL"
        f" ELSE {least}(o.dirty_from_ms, excluded.dirty_from_ms) END RETURNING 1"
    )
    return sql, [kind, connection.ops.adapt_datetimefield_value(now), *parameters, kind]


def _gates(keys: str, parameters: Sequence[Any]) -> list[Statement]:
    """Hold the gates of these keys until the transaction ends.

    Many deliveries pass a gate together; whoever claims work passes alone, and so finds committed what a delivery left
    as owed already. A statement of its own: the next one must see what was committed while this one waited (READ
    COMMITTED). In order, so that nobody waits crosswise. On SQLite one transaction writes at a time.
    """
    if connection.vendor != "postgresql":
        return []
    gates = f"SELECT DISTINCT mod(n.key, {GATES})::int AS gate FROM ({keys}) AS n ORDER BY 1"  # noqa: S608
    return [(f"SELECT pg_advisory_xact_lock_shared({GATES_OF_WORK}, gate) FROM ({gates}) g", parameters)]  # noqa: S608


def _enter_alone(key: int) -> None:
    """Wait for the deliveries on their way through the gate of `key`; later ones wait until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [GATES_OF_WORK, key % GATES])


def ring(kind: str) -> None:
    """Wake a worker, soon. A bell that cannot be rung is no error: the sweep rings again."""
    BELL.pull(kind)


def _send(kind: str) -> None:
    try:
        current_app.send_task(TASK_OF_KIND[kind], queue=QUEUE_OF_KIND[kind], retry=False, expires=60)
    except Exception as error:
        logger.warning("doorbell not rung, the sweep will ring again: %s", type(error).__name__)


BELL = Bell(_send)


def open_work(kind: str, now: datetime) -> QuerySet[Owed]:
    """Rows of `kind` that are owed, unclaimed and not waiting for a retry."""
    waits = Q(not_before__gt=now, not_before__lte=now + RETRY_MOST)
    return Owed.objects.filter(_unclaimed(now), kind=kind, done_seq__lt=F("seq")).exclude(waits)


def _unclaimed(now: datetime) -> Q:
    """Not claimed, or no longer; a time further ahead than any claim reaches was written by a clock that was wrong."""
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now) | Q(claimed_until__gt=now + CLAIM_FOR)


def claim(*, kind: str, limit: int, now: datetime) -> list[Claim]:
    """Take up to `limit` rows, oldest first. Each is taken by a conditional UPDATE: exactly one worker wins it."""
    claims = []
    for row in list(open_work(kind, now).order_by("owed_since", "id")[:limit]):
        until = now + min(CLAIM_FOR, CLAIM_FIRST * (2 ** min(row.attempts, 12)))
        mine = Owed.objects.filter(_unclaimed(now), pk=row.pk, seq=row.seq)
        with transaction.atomic():
            _enter_alone(row.key)
            won = mine.update(claimed_until=until, attempts=F("attempts") + 1)
        if won == 1:
            claims.append(Claim(row.pk, row.key, row.seq, row.dirty_from_ms, row.owed_since, until))
    return claims


def settle(claimed: Claim) -> bool:
    """The work up to `claimed.seq` is done; False when the claim is no longer ours, and nothing may be stored.

    Must run in the transaction that stores the result. A row that grew while it was worked on stays owed and keeps
    its `dirty_from_ms`: folding a stretch again changes nothing.
    """
    mine = Owed.objects.filter(pk=claimed.row_id, claimed_until=claimed.until, done_seq__lt=claimed.seq)
    return 1 == mine.update(done_seq=claimed.seq, claimed_until=None, attempts=0, not_before=None, last_error="")


def fail(claimed: Claim, *, error: str, now: datetime) -> None:
    """The work could not be done: try again later, at most every half hour, for as long as it takes."""
    row = Owed.objects.filter(pk=claimed.row_id).only("attempts").first()
    attempts = row.attempts if row else 1
    wait = min(RETRY_MOST, RETRY_FIRST * (2 ** min(attempts, 12)))
    Owed.objects.filter(pk=claimed.row_id, claimed_until=claimed.until).update(
        claimed_until=None, not_before=now + wait, last_error=error[:200]
    )


def release_orphaned() -> int:
    """Open every claim at once, because their holders are gone; returns how many.

    Only for the start of the sole worker (embedded). Work claimed many times stays claimed: it may be what kills
    workers. A holder that lives after all stores nothing, since `settle` knows its claim no more.
    """
    claimed = Owed.objects.filter(done_seq__lt=F("seq"), claimed_until__isnull=False, attempts__lte=SUSPECT_AFTER)
    return claimed.update(claimed_until=None)


def sweep(*, now: datetime) -> int:
    """Ring for every kind that has open work; returns how many rows are open."""
    total = 0
    for kind in TASK_OF_KIND:
        waiting = open_work(kind, now).count()
        if waiting:
            ring(kind)
        total += waiting
    return total
