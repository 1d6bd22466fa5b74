"""The audit trail's two words: the Actor who does something, and `record`, which writes it down.

Rows are only ever added: a trigger in the database refuses DELETE and any UPDATE of what is said. A job seals them in
order into a hash chain, so that editing, removing or reordering shows: `verify_chain`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.db import OperationalError, connection, transaction

from recovery.models import AuditEvent, Connection, User, tables_sql
from recovery.models.tables_sql import Statement

SEAL_BATCH = 5_000
# One sealer at a time; any number that no other lock of ours has.
SEALERS_LOCK = 7_461_001
LONGEST_WAIT = "2s"
# PostgreSQL knows no types of what is only selected; SQLite would make numbers of these words.
SAID_TYPES = ("timestamptz", "text", "bigint", "text", "text", "text", "text", "jsonb", "text")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in user, a connected system, or the product itself."""

    kind: Literal["user", "connection", "system"]
    id: int | None
    name: str
    request_id: str = ""
    scopes: str = ""

    @classmethod
    def of_user(cls, user: User, request_id: str = "") -> "Actor":
        return cls("user", user.pk, user.get_username(), request_id)

    @classmethod
    def of_connection(cls, connection: Connection, request_id: str = "") -> "Actor":
        return cls("connection", connection.pk, connection.name, request_id, connection.scopes)

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls("system", None, name)


def record(
    *,
    actor: Actor,
    now: datetime,
    action: str,
    patient_ids: Iterable[int | None] = (None,),
    entity: str = "",
    outcome: str = "success",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one row per patient touched. Raises what the database raises: what cannot be audited does not happen."""
    tables_sql.run(*statement(actor, now, action, patient_ids, entity, outcome, detail))


def statement(
    actor: Actor,
    now: datetime,
    action: str,
    patient_ids: Iterable[int | None] = (None,),
    entity: str = "",
    outcome: str = "success",
    detail: Mapping[str, Any] | None = None,
) -> Statement:
    """What `record` runs, for those who send it together with other statements."""
    table = connection.ops.quote_name(AuditEvent._meta.db_table)
    rows, parameters = tables_sql.given("touched", {"id": "bigint"}, [(one,) for one in patient_ids])
    said = [
        connection.ops.adapt_datetimefield_value(now),
        actor.kind,
        actor.id,
        actor.name,
        action,
        entity,
        outcome,
        json.dumps(dict(detail or {})),
        actor.request_id,
    ]
    sql = (
        f"INSERT INTO {table} (at, actor_kind, actor_id, actor_name, action, entity, outcome, detail, request_id,"  # noqa: S608
        f" seal, patient_id) SELECT {_said()}, '', touched.id FROM {rows}"
    )
    return sql, [*said, *parameters]


def _said() -> str:
    if connection.vendor != "postgresql":
        return ", ".join(["%s"] * len(SAID_TYPES))
    return ", ".join(f"%s::{kind}" for kind in SAID_TYPES)


def seal_chain() -> int:
    """Seal the rows written since the last run, in order of id; returns how many. Sealers take turns."""
    until = _written_until()
    if until is None:
        return 0
    with transaction.atomic():
        _take_a_turn()
        last = AuditEvent.objects.exclude(seal="").order_by("-id").first()
        seal = last.seal if last else ""
        rows = list(AuditEvent.objects.filter(seal="", pk__lte=until).order_by("id")[:SEAL_BATCH])
        for row in rows:
            row.seal = seal = _seal(seal, row)
        AuditEvent.objects.bulk_update(rows, ["seal"], batch_size=500)
    return len(rows)


def seal_all() -> int:
    """Seal until a run finds less than a full batch; returns how many rows. What is busy being written waits."""
    sealed = 0
    while True:
        batch = seal_chain()
        sealed += batch
        if batch < SEAL_BATCH:
            return sealed


def _written_until() -> int | None:
    """The id below which no row can still appear; None when there is no row, or writers keep us waiting.

    PostgreSQL gives ids before commit, so a lower id may become visible after a higher one: sealed late, it would
    break the chain. Holding back writers for a moment tells which ids are final. SQLite has one writer at a time.
    """
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'")
                    cursor.execute(f"LOCK TABLE {AuditEvent._meta.db_table} IN SHARE MODE")
            newest = AuditEvent.objects.order_by("-id").first()
    except OperationalError:
        return None
    return newest.pk if newest else None


def _take_a_turn() -> None:
    """Wait for a sealer at work; until the end of the transaction no other begins."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALERS_LOCK])


def verify_chain() -> int | None:
    """The id of the first row whose seal does not follow from the rows before it; None when all are whole."""
    seal = ""
    for row in AuditEvent.objects.exclude(seal="").order_by("id").iterator(chunk_size=2_000):
        seal = _seal(seal, row)
        if not hmac.compare_digest(seal, row.seal):
            return row.pk
    return None


def _seal(previous: str, row: AuditEvent) -> str:
    said = [
        previous,
        row.pk,
        int(row.at.timestamp() * 1000),
        row.actor_kind,
        row.actor_id,
        row.actor_name,
        row.action,
        row.patient_id,
        row.entity,
        row.outcome,
        row.detail,
        row.request_id,
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    key = hashlib.sha256(b"audit:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
