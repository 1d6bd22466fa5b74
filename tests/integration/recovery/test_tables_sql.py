"""Rows that go to the database as a table come out of it as they went in; and a broken connection is replaced."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, NotSupportedError, OperationalError, connection, transaction
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


@pytest.fixture(params=[True, False], ids=["prepared", "not prepared"])
def either_way(request: pytest.FixtureRequest, settings: Any, db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite prepares nothing")
    settings.PREPARED_STATEMENTS = request.param


COMMITS = pytest.mark.django_db(transaction=True)


INSERT = "INSERT INTO recovery_batch (channel, received_at, readings, documents) VALUES (%s, %s, %s, %s) RETURNING id"
NOW = datetime(2026, 3, 5, tzinfo=UTC)
BROKEN = ("INSERT INTO recovery_sample (series_id) VALUES (%s)", [1])


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


@COMMITS
def test_statements_are_prepared_once_and_only_those_of_this_module(settings: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite prepares nothing")
    connection.close()
    for _ in range(3):
        assert tables_sql.run("SELECT 'once', %s::bigint", [1]) == [("once", 1)]
        tables_sql.run_together([("SELECT 'together', %s::text", ["a"]), ("SELECT 'as well'", [])])
        Batch.objects.filter(channel="a value").exists()
    assert sorted(prepared()) == ["SELECT 'as well'", "SELECT 'once', $1::bigint", "SELECT 'together', $1::text"]
    settings.PREPARED_STATEMENTS = False
    assert tables_sql.run("SELECT 'never', %s::bigint", [1]) == [("never", 1)]
    assert not any("never" in one for one in prepared())


@COMMITS
def test_a_message_that_fails_in_the_middle_leaves_nothing_and_a_connection_that_works(either_way: None) -> None:
    connection.close()
    with pytest.raises(IntegrityError), transaction.atomic():
        tables_sql.run(INSERT, ["test", NOW, 1, 0])
        tables_sql.run_together([(INSERT, ["test", NOW, 1, 0]), BROKEN, ("SELECT 'later'", [])])
    assert Batch.objects.count() == 0
    with transaction.atomic():
        [[(first,)], [(second,)], later] = tables_sql.run_together(
            [(INSERT, ["a", NOW, 70_000, 1]), (INSERT, ["b", NOW, 1, 0]), ("SELECT 'later'", [])]
        )
    assert dict(Batch.objects.values_list("pk", "channel")) == {first: "a", second: "b"}
    assert later == [("later",)]


@COMMITS
def test_after_a_savepoint_is_undone_the_statements_behind_the_failed_one_still_work(either_way: None) -> None:
    """They were sent, and never prepared, in the message that failed."""
    connection.close()
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            tables_sql.run_together([(INSERT, ["a", NOW, 1, 0]), BROKEN, ("SELECT 'behind'", []), ("SELECT 2", [])])
        together = [(INSERT, ["b", NOW, 1, 0]), ("SELECT 'behind'", []), ("SELECT 2", [])]
        [[(_,)], *others] = tables_sql.run_together(together)
        assert others == [[("behind",)], [(2,)]]
        assert tables_sql.run("SELECT 'behind'", []) == [("behind",)]
    assert list(Batch.objects.values_list("channel", flat=True)) == ["b"]


@COMMITS
def test_a_table_may_change_under_a_prepared_statement(either_way: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (held bigint); INSERT INTO changing VALUES (1)")
    try:
        assert tables_sql.run("SELECT held FROM changing", []) == [(1,)]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE changing ADD COLUMN more text, ALTER COLUMN held TYPE text")
        with suppress(NotSupportedError), transaction.atomic():  # "cached plan must not change result type"
            tables_sql.run("SELECT held FROM changing", [])
        assert tables_sql.run("SELECT held FROM changing", []) == [("1",)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")


def test_a_text_that_no_column_holds_is_refused_and_not_cut(either_way: None) -> None:
    with pytest.raises(DataError), transaction.atomic():
        tables_sql.run(INSERT, ["te\x00st", NOW, 1, 0])
    with pytest.raises(DataError), transaction.atomic():
        tables_sql.run(INSERT, ["x" * 5_000, NOW, 1, 0])
    assert Batch.objects.count() == 0


def test_values_of_any_size_and_none_at_all_are_told_apart(either_way: None) -> None:
    sizes = (None, 1, 2**15, 2**31, 2**40, -1)
    found = [tables_sql.run("SELECT %s::bigint, 'a %% b'", [one]) for one in sizes]
    assert found == [[(one, "a % b")] for one in sizes]


def test_both_sides_may_have_much_to_say_at_once(either_way: None) -> None:
    much = "x" * 3_000_000
    said = tables_sql.run_together([("SELECT %s::text", [much])] * 6)
    assert all(one == [(much,)] for one in said)


@COMMITS
def test_a_connection_that_is_lost_in_the_middle_of_a_message_says_so_and_is_replaced(either_way: None) -> None:
    end = ("SELECT pg_terminate_backend(pg_backend_pid())", [])
    with pytest.raises(OperationalError):
        tables_sql.run_together([("SELECT 1", []), end, ("SELECT 2", [])])
    connection.close()
    assert tables_sql.run("SELECT 1", []) == [(1,)]
