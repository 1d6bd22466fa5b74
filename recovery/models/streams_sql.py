"""The one hand-written SQL of the streams shelf: idempotent inserts that say what was new."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

ROWS_A_STATEMENT = 1_000


def insert_new(
    model: type[models.Model], columns: Sequence[str], key: Sequence[str], rows: Sequence[Sequence[Any]]
) -> set[tuple[Any, ...]]:
    """Insert `rows` (values in the order of `columns`), skipping those whose key is already there.

    Returns the `key` columns of the rows that were really new. Column and table names come from the code,
    never from input. Works on SQLite (>= 3.35) and PostgreSQL alike.
    """
    new: set[tuple[Any, ...]] = set()
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    names = ", ".join(quote(name) for name in columns)
    returning = ", ".join(quote(name) for name in key)
    slot = "(" + ", ".join(["%s"] * len(columns)) + ")"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            part = rows[start : start + ROWS_A_STATEMENT]
            cursor.execute(
                f"INSERT INTO {table} ({names}) VALUES {', '.join([slot] * len(part))}"  # noqa: S608
                f" ON CONFLICT DO NOTHING RETURNING {returning}",
                [value for row in part for value in row],
            )
            new.update(tuple(row) for row in cursor.fetchall())
    return new


class SampleQuerySet(models.QuerySet[Any]):
    """Reads of samples that every caller needs to phrase the same way."""

    def known_at(self, when: datetime | None) -> "SampleQuerySet":
        """The samples that were known at `when` (None: now): received by then and not yet ended by then."""
        if when is None:
            return self.filter(ended_batch__isnull=True)
        not_yet_ended = models.Q(ended_batch__isnull=True) | models.Q(ended_batch__received_at__gt=when)
        return self.filter(not_yet_ended, batch__received_at__lte=when)
