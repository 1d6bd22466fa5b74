"""Opening the broker file: private, migrated, and owned by one host."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from pathlib import Path

MIGRATIONS = (
    """
    create table message (
        id integer primary key autoincrement,
        queue text not null,
        tag text not null unique,
        payload text not null,
        put_at real not null,
        leased_until real not null default 0,
        attempts integer not null default 0
    );
    create index message_in_order on message (queue, id);
    create table dead_letter (
        id integer primary key,
        queue text not null,
        payload text not null,
        attempts integer not null,
        died_at real not null
    );
    create table owner (only integer primary key check (only = 1), host text not null);
    """,
)
TAKE_OVER = "TWINWEB_BROKER_TAKE_OVER"
_opening = threading.Lock()


class BrokerFileRefused(RuntimeError):
    """The broker file must not be used from here; the text says why and what to do."""


def open_file(path: Path, synchronous: str) -> sqlite3.Connection:
    """Open the file 0600 in WAL mode, migrated, and owned by this host.

    Raises BrokerFileRefused when another host owns the file or a newer release wrote it.
    """
    with _opening:
        _create_private(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=20, check_same_thread=False)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute(f"pragma synchronous = {synchronous}")
            connection.execute("begin immediate")
            with connection:
                _migrate(connection)
                _claim(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _create_private(path: Path) -> None:
    """Make the file if it is absent. An existing one is never opened here: closing that handle would drop the
    POSIX locks of every SQLite connection that this process holds on the file.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        path.chmod(0o600)


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("pragma user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise BrokerFileRefused(
            f"The broker file has version {version}; this release knows versions up to {len(MIGRATIONS)}."
        )
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"pragma user_version = {len(MIGRATIONS)}")


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    """Record this host as the owner. SQLite's locks do not hold across hosts on a network file system."""
    here = socket.gethostname()
    row = connection.execute("select host from owner").fetchone()
    if row is not None and row[0] == here:
        return
    if row is not None and os.environ.get(TAKE_OVER) != "1":
        raise BrokerFileRefused(
            f"{path} belongs to host {row[0]!r}, not {here!r}; two hosts on one SQLite file corrupt it."
            f" If {row[0]!r} no longer runs this system, start once with {TAKE_OVER}=1;"
            " to run on several hosts, use PostgreSQL and Redis."
        )
    connection.execute("insert or replace into owner (only, host) values (1, ?)", (here,))
