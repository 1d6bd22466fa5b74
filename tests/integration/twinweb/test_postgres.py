"""Moments read from PostgreSQL: the same as Django's own reader gives, whatever the moment."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from hypothesis import given
from hypothesis import strategies as st

from twinweb.postgres import MomentLoader

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="readers of PostgreSQL's times"),
]
OID = 1184


class Django(BaseTzLoader):
    timezone = UTC


def read(text: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT '{text}'::timestamptz")
        return cursor.fetchone()[0]


def test_moments_are_read_by_the_quick_reader():
    connection.ensure_connection()
    assert connection.connection.adapters.get_loader(OID, 0) is MomentLoader
    assert read("2026-11-23 04:03:27.69+02") == datetime(2026, 11, 23, 2, 3, 27, 690_000, tzinfo=UTC)


@given(moment=st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)))
def test_every_moment_comes_back_equal_in_utc(moment):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, (%s::timestamptz)::text", [moment, moment])
        found, text = cursor.fetchone()
    assert found == moment and found.tzinfo is UTC
    connection.ensure_connection()
    assert found == Django(OID, connection.connection).load(text.encode())


@pytest.mark.parametrize("text", ["infinity", "44-03-15 12:00:00+00 BC", "20000-01-01 00:00:00+00"])
def test_what_python_cannot_hold_is_refused_as_before(text):
    with pytest.raises(DataError):
        read(text)
