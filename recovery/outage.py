"""Is this error an outage of the store, that passes, or a fault of ours?

Who is told of an outage may simply try again: senders of every kind do so by themselves after a 503, and mostly not
after a 500.
"""

import sqlite3

from django.db import InterfaceError, OperationalError

RETRY_AFTER = 5  # s
FULL = "The disk of the server is full."
AWAY = "The database does not answer at the moment."

# SQLite's primary result codes (https://www.sqlite.org/rescode.html): the low byte of what it says.
_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: AWAY,
    sqlite3.SQLITE_LOCKED: AWAY,
    sqlite3.SQLITE_IOERR: AWAY,
    sqlite3.SQLITE_CANTOPEN: AWAY,
    sqlite3.SQLITE_READONLY: AWAY,
}
# PostgreSQL (appendix A of its manual): 53 insufficient resources, 57P shutdown, 08 connection, 25006 read-only (a
# standby), 40 serialization and deadlock, 55P03 lock. A connection that broke has no code at all.
_POSTGRES = ("08", "25006", "40", "53", "55P03", "57P", "58")


def of(error: BaseException | None) -> str | None:
    """The outage in one sentence for whoever waits, or None when `error` is something else."""
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    cause = error.__cause__
    sqlite_code = getattr(cause, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return _SQLITE.get(sqlite_code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return AWAY
    return FULL if state == "53100" else AWAY if state.startswith(_POSTGRES) else None
