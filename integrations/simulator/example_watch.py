"""A maker of watches that is not real: the other side of OAuth 2 for the demonstration and for tests.

It does what a maker's server does: asks a person, gives a code that is good once and for a minute, checks PKCE (S256),
client and address of return, gives tokens, rotates refresh tokens, lets the person take the consent back, and tells
readings, which are computed from the time and nothing else. What it knows lies in a small file of its own.
"""

import base64
import hashlib
import math
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CLIENT = "twinweb-demo"
CODE_LASTS, ACCESS_LASTS = 60, 3600  # s
MOST_ROWS = 1_000
WORN_BEFORE = timedelta(hours=6)  # readings from before the consent that the watch still holds
EVERY_MINUTES = 5
BACK = "/me/devices/with/example-watch/back/"
TABLES = """
CREATE TABLE IF NOT EXISTS grants (id INTEGER PRIMARY KEY, given REAL, revoked REAL);
CREATE TABLE IF NOT EXISTS codes (code TEXT PRIMARY KEY, grant_id INT, back TEXT, challenge TEXT, until REAL, used INT);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, grant_id INT, kind TEXT, until REAL);
"""
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks a person to allow."""

    client: str
    back: str
    state: str
    challenge: str
    scope: str


def asked_of(query: Mapping[str, str]) -> Asked | None:
    """None for what is no question of our one client: then nobody is sent anywhere."""
    is_known = query.get("client_id") == CLIENT and query.get("redirect_uri", "").endswith(BACK)
    is_code = query.get("response_type") == "code" and query.get("code_challenge_method") == "S256"
    if not is_known or not is_code or not query.get("code_challenge"):
        return None
    return Asked(CLIENT, query["redirect_uri"], query.get("state", ""), query["code_challenge"], query.get("scope", ""))


@dataclass(frozen=True, slots=True)
class ExampleWatch:
    """`path`: of the file that remembers grants, codes and tokens."""

    path: Path

    def allow(self, asked: Asked, now: datetime) -> str:
        """The person said yes: a code."""
        code = secrets.token_urlsafe(24)
        with self._store() as store:
            row = store.execute("INSERT INTO grants (given) VALUES (?)", (now.timestamp(),))
            until = now.timestamp() + CODE_LASTS
            values = (code, row.lastrowid, asked.back, asked.challenge, until)
            store.execute("INSERT INTO codes VALUES (?, ?, ?, ?, ?, 0)", values)
        return code

    def token(self, said: Mapping[str, str], now: datetime) -> Answer:
        """RFC 6749 sections 4.1.3 and 6, RFC 7636 section 4.6."""
        if said.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        with self._store() as store:
            if said.get("grant_type") == "authorization_code":
                grant = self._grant_of_code(store, said, now)
            else:
                grant = self._grant_of(store, said.get("refresh_token", ""), "refresh", now)
                store.execute("DELETE FROM tokens WHERE token = ?", (said.get("refresh_token", ""),))
            if grant is None:
                return 400, {"error": "invalid_grant"}
            access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            until = now.timestamp() + ACCESS_LASTS
            rows = ((access, grant, "access", until), (refresh, grant, "refresh", math.inf))
            store.executemany("INSERT INTO tokens VALUES (?, ?, ?, ?)", rows)
        found = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": ACCESS_LASTS}
        return 200, found

    def revoke(self, said: Mapping[str, str], now: datetime) -> Answer:
        """RFC 7009: an unknown token is no error."""
        with self._store() as store:
            row = store.execute("SELECT grant_id FROM tokens WHERE token = ?", (said.get("token", ""),)).fetchone()
            if row is not None:
                store.execute("UPDATE grants SET revoked = ? WHERE id = ?", (now.timestamp(), row[0]))
        return 200, {}

    def take_back(self, now: datetime) -> int:
        """The person ends every consent in their account at the maker; returns how many stood."""
        with self._store() as store:
            done = store.execute("UPDATE grants SET revoked = ? WHERE revoked IS NULL", (now.timestamp(),))
        return done.rowcount

    def open_grants(self) -> int:
        with self._store() as store:
            return int(store.execute("SELECT count(*) FROM grants WHERE revoked IS NULL").fetchone()[0])

    def readings(self, bearer: str, since: datetime, now: datetime) -> Answer:
        with self._store() as store:
            grant = self._grant_of(store, bearer, "access", now)
            if grant is None:
                return 401, {"error": "invalid_token"}
            given = store.execute("SELECT given FROM grants WHERE id = ?", (grant,)).fetchone()[0]
        worn = datetime.fromtimestamp(given, UTC) - WORN_BEFORE
        rows = list(synthetic_readings(max(worn, since), now))[:MOST_ROWS]
        until = datetime.fromisoformat(rows[-1]["end"]) if len(rows) == MOST_ROWS else now
        return 200, {"readings": rows, "until": _text(until)}

    def _grant_of_code(self, store: sqlite3.Connection, said: Mapping[str, str], now: datetime) -> int | None:
        """A code that comes twice ends what it gave (RFC 6749, 4.1.2)."""
        row = store.execute(
            "SELECT grant_id, back, challenge, until, used FROM codes WHERE code = ?", (said.get("code", ""),)
        ).fetchone()
        if row is None:
            return None
        grant, back, challenge, until, used = row
        if used:
            store.execute("UPDATE grants SET revoked = ? WHERE id = ?", (now.timestamp(), grant))
            return None
        store.execute("UPDATE codes SET used = 1 WHERE code = ?", (said["code"],))
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        is_same = base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
        return int(grant) if is_same and said.get("redirect_uri") == back and until >= now.timestamp() else None

    def _grant_of(self, store: sqlite3.Connection, token: str, kind: str, now: datetime) -> int | None:
        row = store.execute(
            "SELECT grant_id FROM tokens JOIN grants ON grants.id = grant_id"
            " WHERE token = ? AND kind = ? AND until >= ? AND revoked IS NULL",
            (token, kind, now.timestamp()),
        ).fetchone()
        return int(row[0]) if row else None

    @contextmanager
    def _store(self) -> Iterator[sqlite3.Connection]:
        store = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            store.executescript(TABLES)
            store.execute("BEGIN IMMEDIATE")
            with store:
                yield store
        finally:
            store.close()


def synthetic_readings(since: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    """Every five minutes a pulse and the steps of those minutes: a smooth function of the time of day, nobody's."""
    step = timedelta(minutes=EVERY_MINUTES)
    minute = since.replace(second=0, microsecond=0)
    at = minute - timedelta(minutes=minute.minute % EVERY_MINUTES) + step
    while at + step <= now:
        day = math.sin((at.hour + at.minute / 60 - 9) / 24 * 2 * math.pi)
        pulse = 72 + 6 * day + 3 * math.sin(at.minute)
        steps = int(max(0.0, 14 * day + 6 * math.cos(at.minute))) if 7 <= at.hour < 22 else 0
        yield {"type": "pulse", "start": _text(at), "end": _text(at + step), "value": round(pulse)}
        yield {"type": "steps", "start": _text(at), "end": _text(at + step), "value": steps}
        at += step


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
