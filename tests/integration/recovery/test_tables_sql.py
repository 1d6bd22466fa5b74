"""Rows that go to the database as a table come out of it as they went in; and a broken connection is replaced."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from recovery.models import Batch, Patient, Sample, Series, tables_sql
from recovery.models.streams_sql import _insert_values, insert_new
from recovery.services.streams import SAMPLE_COLUMNS, SAMPLE_KEY

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
BIG = st.integers(-(2**63), 2**63 - 1)
VALUE = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
OWN = st.none() | TEXT


@given(st.lists(st.tuples(BIG, st.none() | BIG, st.none() | TEXT), max_size=8))
@settings(max_examples=300, deadline=None)
@pytest.mark.django_db
def test_whole_numbers_and_texts_come_back(rows: list[tuple[Any, ...]]) -> None:
    table, parameters = tables_sql.given("t", {"a": "bigint", "b": "bigint", "c": "text"}, rows)
    found = tables_sql.run(f"SELECT a, b, c FROM {table}", parameters)
    assert sorted(map(repr, found)) == sorted(map(repr, rows))


class TestNarrowRows(TestCase):
    """The quick insert against the plain one, on whichever engine runs."""

    @given(st.lists(st.tuples(BIG, VALUE, st.integers(0, 17), OWN), max_size=8))
    @settings(max_examples=300, deadline=None)
    def test_samples_are_the_same_by_arrays_and_by_values(self, said: list[tuple[Any, ...]]) -> None:
        patient = Patient.objects.create(fhir_id="p")
        one, other = (Series.objects.create(patient=patient, shape="number", template_hash=name) for name in "ab")
        batch = Batch.objects.create(channel="test", received_at=datetime(2026, 3, 5, tzinfo=UTC))
        new = {}
        for series in (one, other):
            rows = [(series.pk, at, value, digits, batch.pk, own, None) for at, value, digits, own in said]
            if series is one:
                new[series.pk] = insert_new(Sample, SAMPLE_COLUMNS, SAMPLE_KEY, rows)
            else:
                plain = [tuple(row) for row in _insert_values(Sample, SAMPLE_COLUMNS, SAMPLE_KEY, rows)] if rows else []
                new[series.pk] = set(plain)
        assert {key[1:] for key in new[one.pk]} == {key[1:] for key in new[other.pk]}
        stored = [
            set(Sample.objects.filter(series=series).values_list("at_ms", "value", "digits", "slots"))
            for series in (one, other)
        ]
        first = {(at, value, digits): own for at, value, digits, own in reversed(said)}
        assert stored[0] == stored[1] == {(*key, own) for key, own in first.items()}


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_closed_is_replaced_at_the_first_read() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    connection.ensure_connection()
    mine = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
    other.close()
    connection.health_check_enabled = True
    assert tables_sql.run_first("SELECT 1", []) == [(1,)]
    assert connection.connection.info.backend_pid != mine


@pytest.mark.django_db
def test_statements_sent_together_answer_in_order() -> None:
    assert tables_sql.run_together([("SELECT 1", []), ("SELECT 2", [])]) == [[(1,)], [(2,)]]
    assert tables_sql.run_together([]) == []
