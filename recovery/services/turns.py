"""Taking turns: what is looked up and then written under one condition is done by one writer at a time."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Any number that no other lock of ours has; the second number of the lock is the place that a condition falls on.
LOCK = 7_461_002
# Few enough that the largest Bundle cannot use up PostgreSQL's room for locks; two conditions on one place just wait.
PLACES = 1024


@contextmanager
def together(wanted: bool) -> Iterator[None]:
    """A transaction around several steps, where one is wanted: they stand or fall together."""
    if wanted:
        with transaction.atomic():
            yield
    else:
        yield


@contextmanager
def taking_turns(conditions: Iterable[str]) -> Iterator[None]:
    """A transaction in which nobody else acts under any of these conditions; none of them: no transaction, no wait.

    On SQLite every transaction is already alone. Places are taken in order, so that no two writers wait for each other.
    """
    places = sorted({zlib.crc32(one.encode()) % PLACES for one in conditions})
    if not places:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for place in places:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, place])
        yield
