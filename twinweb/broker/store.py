"""One SQLite file of messages: put, take under a lease, acknowledge, release, bury.

A message that was taken is leased, not removed. Its holder renews the lease while it lives; when the holder
is killed the lease runs out and the next consumer takes the message again. Attempts are counted when taken,
so a message that kills every worker that touches it is buried instead of being tried for ever.

Times are wall-clock seconds, because consumers are separate processes. A fresh message has no lease (0), and
a lease further ahead than any consumer could have set means that the clock was put back; so a message is
ready when its lease is not between now and the horizon, and no step of the clock hides it for long.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinweb.broker.file import open_file

MAX_ATTEMPTS = 5
DEAD_LETTERS_KEPT = 1000


@dataclass(frozen=True)
class Taken:
    """A message under lease: its payload as it was put, and which delivery this is (1 = the first)."""

    queue: str
    payload: str
    attempt: int


@dataclass(frozen=True)
class QueueDepth:
    """How many messages of a queue wait or are in work, and the age in seconds of the oldest."""

    queue: str
    waiting: int
    in_work: int
    oldest_age: float


class Store:
    """The broker file as seen by one process; safe to share between its threads, reopened after a fork."""

    def __init__(
        self,
        path: Path | str,
        *,
        lease: float = 60.0,
        synchronous: str = "NORMAL",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(path)
        self.lease = lease
        self._synchronous = synchronous
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._inherited: list[sqlite3.Connection] = []

    def put(self, queue: str, tag: str, payload: str) -> None:
        """Append a message; the tag must be new."""
        with self._lock:
            self._open().execute(
                "insert into message (queue, tag, payload, put_at) values (?, ?, ?, ?)",
                (queue, tag, payload, self._clock()),
            )

    def take(self, queue: str, *, keep: bool = True) -> Taken | None:
        """Lease the oldest ready message of the queue, or None; `keep=False` removes it at once.

        Reads before it writes, so that an idle consumer never asks for the write lock.
        """
        with self._lock:
            while self._something_ready(queue):
                row = self._lease_first(queue)
                if row is None:
                    return None
                tag, payload, attempts = row
                if attempts > MAX_ATTEMPTS:
                    self._bury(tag)
                    continue
                if not keep:
                    self.acknowledge(tag)
                return Taken(queue, payload, attempts)
        return None

    def acknowledge(self, tag: str) -> None:
        """The message is done with: remove it."""
        with self._lock:
            self._open().execute("delete from message where tag = ?", (tag,))

    def release(self, tag: str, *, refund: bool = False) -> None:
        """Give the message back at once; `refund` takes the attempt off the count (an orderly stop)."""
        with self._lock:
            self._open().execute(
                "update message set leased_until = 0, attempts = max(0, attempts - ?) where tag = ?",
                (int(refund), tag),
            )

    def renew(self, tags: Iterable[str]) -> None:
        """Push the leases of the messages in work ahead of now."""
        until = self._clock() + self.lease
        with self._lock:
            self._open().executemany(
                "update message set leased_until = ? where tag = ?", [(until, tag) for tag in tags]
            )

    def size(self, queue: str) -> int:
        """Messages of the queue, waiting or in work."""
        return int(self._one("select count(*) from message where queue = ?", (queue,)))

    def purge(self, queue: str) -> int:
        """Remove every message of the queue; return how many."""
        with self._lock:
            return self._open().execute("delete from message where queue = ?", (queue,)).rowcount

    def depths(self) -> list[QueueDepth]:
        """The state of every queue that holds a message, in order of name."""
        times = self._times()
        with self._lock:
            rows = self._open().execute(
                "select queue, count(*), sum(leased_until between :now and :horizon), :now - min(put_at)"
                " from message group by queue order by queue",
                times,
            )
            return [QueueDepth(name, n - leased, leased, max(0.0, age)) for name, n, leased, age in rows]

    def dead_letters(self) -> int:
        """How many messages were given up."""
        return int(self._one("select count(*) from dead_letter", ()))

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _something_ready(self, queue: str) -> bool:
        return bool(
            self._one(
                "select exists (select 1 from message"
                " where queue = :queue and leased_until not between :now and :horizon)",
                {"queue": queue, **self._times()},
            )
        )

    def _lease_first(self, queue: str) -> tuple[str, str, int] | None:
        found = self._open().execute(
            "update message set leased_until = :until, attempts = attempts + 1 where id = ("
            "  select id from message"
            "  where queue = :queue and leased_until not between :now and :horizon order by id limit 1)"
            " returning tag, payload, attempts",
            {"queue": queue, **self._times()},
        )
        rows: list[tuple[str, str, int]] = found.fetchall()
        return rows[0] if rows else None

    def _times(self) -> dict[str, float]:
        """The horizon is twice the lease: two consumers may read the clock and get the lock in any order."""
        now = self._clock()
        return {"now": now, "until": now + self.lease, "horizon": now + 2 * self.lease}

    def _bury(self, tag: str) -> None:
        """Move the message to the dead letters; they are for people to read, so only the newest are kept."""
        connection = self._open()
        connection.execute("begin immediate")
        with connection:
            connection.execute(
                "insert into dead_letter (queue, payload, attempts, died_at)"
                " select queue, payload, attempts - 1, ? from message where tag = ?",
                (self._clock(), tag),
            )
            connection.execute("delete from message where tag = ?", (tag,))
            connection.execute(
                "delete from dead_letter where id <= (select max(id) from dead_letter) - ?",
                (DEAD_LETTERS_KEPT,),
            )

    def _one(self, sql: str, values: Sequence[object] | dict[str, object]) -> int:
        with self._lock:
            row = self._open().execute(sql, values).fetchone()
        return int(row[0])

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            if self._connection is not None:
                # SQLite connections must not cross a fork; keep ours alive unused, for closing it is use.
                self._inherited.append(self._connection)
            self._connection = open_file(self.path, self._synchronous)
            self._pid = os.getpid()
        return self._connection
