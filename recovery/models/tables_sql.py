"""Many rows in one statement: as arrays on PostgreSQL, as one JSON text on SQLite.

On PostgreSQL such a statement is bound and prepared: the text is the same whatever the number of rows, so that neither
Django nor the planner reads hundreds of placeholders again for each delivery.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from psycopg import Cursor

Rows = Sequence[Sequence[Any]]
Statement = tuple[str, Sequence[Any]]


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


def run_first(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """A read that begins a request. It tells as well whether a kept connection still stands (no `SELECT 1` before it):
    one that the server has closed is replaced, and the read repeated."""
    kept: Any = connection
    is_kept = connection.connection is not None and not connection.in_atomic_block
    if connection.vendor == "postgresql" and is_kept and kept.health_check_enabled:
        kept.health_check_done = True
        try:
            return run(statement, parameters)
        except OperationalError:
            connection.close()
    return run(statement, parameters)


def run_together(statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
    """Run statements that do not depend on each other's rows, one after the other: on PostgreSQL in one message."""
    if connection.vendor != "postgresql" or not statements:
        return [run(*one) for one in statements]
    with _preparing() as raw:
        with raw.pipeline():  # left, it has sent everything at once and waited once
            cursors = [_execute(raw, *one) for one in statements]
        return [_rows(cursor) for cursor in cursors]


def _run_prepared(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with _preparing() as raw:
        return _rows(_execute(raw, statement, parameters))


@contextmanager
def _preparing() -> Iterator[Any]:
    """psycopg's connection, as Django would use it: checked once a request, opened when there is none.

    Inside, statements may be prepared. Django turns that off for its connections, and what is off by the connection
    psycopg leaves out even where a statement asks for it. Only inside: psycopg would count, and so keep, the text of
    every statement of Django's with the values in it.
    """
    here = connections[DEFAULT_DB_ALIAS]  # each look through `connection` finds it anew
    here.close_if_health_check_failed()
    here.ensure_connection()
    here.validate_no_broken_transaction()
    raw: Any = here.connection
    before = raw.prepare_threshold
    with here.wrap_database_errors:
        raw.prepare_threshold = 0 if settings.PREPARED_STATEMENTS else None
        try:
            yield raw
        finally:
            raw.prepare_threshold = before


def _execute(raw: Any, statement: str, parameters: Sequence[Any]) -> Any:
    return Cursor(raw).execute(statement, parameters, binary=True)


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    with cursor:
        return cursor.fetchall() if cursor.description else []
