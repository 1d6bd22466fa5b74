"""The stores of a product that is killed, its own: SQLite in its directory, or a new database and a new Redis.

Which of the two is said by the run that the tests belong to (`tests/run_suite.py`): DATABASE_URL names its server.
"""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers import running_redis

ROOT = Path(__file__).resolve().parents[2]
IN_PRODUCTION = "DATABASE_URL" in os.environ
MIGRATED, BEING_MADE, LOCK = "killed_migrated", "killed_being_made", 20_260_302


@contextmanager
def stores(directory: Path) -> Iterator[dict[str, str]]:
    """What the product's environment must say of its stores; they are gone when the block ends."""
    if not IN_PRODUCTION:
        yield {}
        return
    name = f"killed_{secrets.token_hex(4)}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        _copy_of_a_migrated_one(connection, name)
        try:
            with running_redis(directory, "--appendonly", "yes", "--maxmemory-policy", "noeviction") as redis:
                ours = {"DATABASE_URL": _address(name), "REDIS_URL": redis, "TWINWEB_HTTPS": "0"}
                yield {**ours, "SECRET_KEY": secrets.token_urlsafe(50), "STATIC_ROOT": os.environ["STATIC_ROOT"]}
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _copy_of_a_migrated_one(connection: psycopg.Connection, name: str) -> None:
    """The first to come migrates an empty database for all, while the others wait; it goes with the run's server."""
    connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [MIGRATED]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {BEING_MADE}")
            migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": _address(BEING_MADE)}, check=True)
            connection.execute(f"ALTER DATABASE {BEING_MADE} RENAME TO {MIGRATED}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _address(name: str) -> str:
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


def number_of(question: str, environment: Mapping[str, str]) -> int:
    """The one number that an SQL question to the product's store gives, without starting the product for it."""
    if "DATABASE_URL" in environment:
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            row = connection.execute(question).fetchone()  # type: ignore[arg-type]
    else:
        path = Path(environment["TWINWEB_DATA"]) / "twinweb.sqlite3"
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        row = store.execute(question).fetchone()
        store.close()
    assert row is not None
    return int(row[0])
