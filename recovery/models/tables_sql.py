"""Many rows in one statement: as arrays on PostgreSQL, as one JSON text on SQLite.

On PostgreSQL such a statement is bound and prepared: the text is the same whatever the number of rows, so that neither
Django nor the planner reads hundreds of placeholders again for each delivery.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from psycopg import Cursor

Rows = Sequence[Sequence[Any]]


def given(name: str, columns: dict[str, str], rows: Rows) -> tuple[str, list[Any]]:
    """`rows` as a table for a FROM clause, with its parameters. `columns`: name -> PostgreSQL type.

    Whole numbers and strings only: SQLite reads a float from JSON with less care than it deserves.
    """
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        return f"unnest({arrays}) AS {name}({', '.join(columns)})", by_column(rows, len(columns))
    fields = ", ".join(f"json_extract(value, '$[{place}]') AS {column}" for place, column in enumerate(columns))
    return f"(SELECT {fields} FROM json_each(%s)) AS {name}", [orjson.dumps(rows).decode()]  # noqa: S608


def by_column(rows: Rows, width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def run(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement in the transaction at hand; returns its rows, none when it returns nothing."""
    if connection.vendor == "postgresql":
        return _run_prepared(statement, parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def _run_prepared(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=settings.PREPARED_STATEMENTS, binary=True)
        return cursor.fetchall() if cursor.description else []
