"""Rows as the driver gives them, where thousands of numbers are read for one page."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet


def plain_rows(asked: QuerySet[Any]) -> list[tuple[Any, ...]]:
    """The rows of a `values_list` of numbers and texts only: nothing is converted (no moments, booleans or JSON).

    Django asks a converter for each value of a computed column, which costs more than reading it.
    """
    try:
        words, values = asked.query.sql_with_params()
    except EmptyResultSet:  # `x__in=[]`: nothing can be found, so nothing is asked
        return []
    with connections[asked.db].cursor() as cursor:
        cursor.execute(words, values)
        return list(cursor.fetchall())
