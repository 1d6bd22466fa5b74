"""Many rows in one statement: as arrays on PostgreSQL, as one JSON text on SQLite.

On PostgreSQL such a statement is bound and prepared: the text is the same whatever the number of rows, so that neither
Django nor the planner reads hundreds of placeholders again for each delivery.
"""

from collections.abc import Callable, Sequence
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


def by_column(rows: Rows, width: int) -> list[str]:
    """Each column as the text of a PostgreSQL array: written a good deal quicker than bound value by value."""
    columns = zip(*rows, strict=True) if rows else [()] * width
    return ["{" + ",".join([_WRITTEN[type(value)](value) for value in column]) + "}" for column in columns]


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


# By exact type: what is not here has no business in a narrow row. A float's repr reads back as the very same float.
_WRITTEN: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    int: int.__repr__,
    float: float.__repr__,
    type(None): lambda _: "NULL",
}


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
