"""The hand-written SQL of the streams shelf: idempotent inserts that say what was new."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connection, models

from recovery.models import tables_sql

ROWS_A_STATEMENT = 1_000  # SQLite's placeholders
ROWS_AN_ARRAY = 10_000
Row = Sequence[Any]


def insert_new(model: type[models.Model], columns: Sequence[str], key: Sequence[str], rows: Sequence[Row]) -> set[Any]:
    """Insert `rows` (values in the order of `columns`, which begin with `key`), skipping those whose key is there.

    Returns the `key` columns of the rows that were really new. Column and table names come from the code,
    never from input. Works on SQLite (>= 3.35) and PostgreSQL alike. Rows go in by key, so that two deliveries of the
    same readings wait for each other in one order and never crosswise.
    """
    new: set[tuple[Any, ...]] = set()
    in_order = sorted(rows, key=itemgetter(*range(len(key))))
    by_array = connection.vendor == "postgresql"
    insert, step = (_insert_arrays, ROWS_AN_ARRAY) if by_array else (_insert_values, ROWS_A_STATEMENT)
    for start in range(0, len(in_order), step):
        new.update(insert(model, tuple(columns), tuple(key), in_order[start : start + step]))
    return new


def _insert_arrays(
    model: type[models.Model], columns: tuple[str, ...], key: tuple[str, ...], rows: Sequence[Row]
) -> list[tuple[Any, ...]]:
    return tables_sql.run(_array_statement(model, columns, key), tables_sql.by_column(rows, len(columns)))


@cache
def _array_statement(model: type[models.Model], columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_kind(model, name)}[]" for name in columns)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) SELECT * FROM unnest({arrays})'  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {', '.join(key)}"
    )


def _kind(model: type[models.Model], name: str) -> str:
    """The column's type; for strings `text`, because a cast to varchar(n) would cut in silence."""
    kind = str(model._meta.get_field(name).db_type(connection))
    return "text" if kind.startswith("varchar") else kind


def _insert_values(
    model: type[models.Model], columns: tuple[str, ...], key: tuple[str, ...], rows: Sequence[Row]
) -> list[tuple[Any, ...]]:
    slot = "(" + ", ".join(["%s"] * len(columns)) + ")"
    return tables_sql.run(
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)})'  # noqa: S608
        f" VALUES {', '.join([slot] * len(rows))} ON CONFLICT DO NOTHING RETURNING {', '.join(key)}",
        [value for row in rows for value in row],
    )


def insert_batch(connection_id: int | None, channel: str, received_at: datetime, readings: int, documents: int) -> int:
    """A new Batch; returns its row id."""
    [(row_id,)] = tables_sql.run(
        "INSERT INTO recovery_batch (connection_id, channel, received_at, readings, documents)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        [connection_id, channel, connection.ops.adapt_datetimefield_value(received_at), readings, documents],
    )
    return int(row_id)


def find_series(wanted: Sequence[tuple[int, str, str]]) -> list[tuple[int, int, int]]:
    """(place, series row id, patient row id) for each (place, patient's fhir_id, template_hash) that is there.

    Deleted patients are left out here and not in the statement: without statistics PostgreSQL takes `IS NULL` to be
    rare, and then compared each reading with each patient.
    """
    if not wanted:
        return []
    rows, parameters = tables_sql.given("k", {"place": "bigint", "patient": "text", "mark": "text"}, wanted)
    return [
        (int(place), int(series_id), int(patient_id))
        for place, series_id, patient_id, deleted_at in tables_sql.run(
            f"SELECT k.place, s.id, s.patient_id, p.deleted_at FROM {rows}"  # noqa: S608
            " JOIN recovery_patient p ON p.fhir_id = k.patient"
            " JOIN recovery_series s ON s.patient_id = p.id AND s.template_hash = k.mark",
            parameters,
        )
        if deleted_at is None
    ]


class SampleQuerySet(models.QuerySet[Any]):
    """Reads of samples that every caller needs to phrase the same way."""

    def known_at(self, when: datetime | None) -> "SampleQuerySet":
        """The samples that were known at `when` (None: now): received by then and not yet ended by then."""
        if when is None:
            return self.filter(ended_batch__isnull=True)
        not_yet_ended = models.Q(ended_batch__isnull=True) | models.Q(ended_batch__received_at__gt=when)
        return self.filter(not_yet_ended, batch__received_at__lte=when)
