"""Work owed: counted once until somebody begins, never lost to one who begins at the same moment."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from recovery import queue
from recovery.models import Owed

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def owe(dirty: dict[int, int | None], now: datetime = NOW) -> None:
    with transaction.atomic():
        queue.owe(kind="twin", dirty=dirty, now=now)


def claimed(now: datetime = NOW) -> queue.Claim:
    [found] = queue.claim(kind="twin", limit=5, now=now)
    return found


@pytest.mark.django_db
def test_what_is_owed_already_and_not_begun_stays_as_it_is() -> None:
    owe({1: 1000})
    owe({1: 2000}, NOW + timedelta(minutes=1))
    row = Owed.objects.get()
    assert (row.seq, row.dirty_from_ms, row.owed_since) == (1, 1000, NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second", "expected"), [(1000, 500, 500), (1000, None, None), (None, 500, None)])
def test_an_earlier_time_goes_before_a_later_and_everything_before_both(
    first: int | None, second: int | None, expected: int | None
) -> None:
    owe({1: first})
    owe({1: second})
    assert Owed.objects.get().dirty_from_ms == expected


@pytest.mark.django_db
def test_what_comes_while_somebody_works_is_still_owed_afterwards() -> None:
    owe({1: 1000})
    claim = claimed()
    owe({1: 2000})
    with transaction.atomic():
        assert queue.settle(claim)
    again = claimed()
    assert again.seq == claim.seq + 1


@pytest.mark.django_db
def test_what_comes_after_the_work_is_owed_anew_from_its_own_time() -> None:
    owe({1: 1000})
    with transaction.atomic():
        assert queue.settle(claimed())
    owe({1: 9000}, NOW + timedelta(hours=1))
    row = Owed.objects.get()
    assert (row.dirty_from_ms, row.owed_since) == (9000, NOW + timedelta(hours=1))
    assert claimed(NOW + timedelta(hours=1)).key == 1


@pytest.mark.django_db
def test_work_that_waits_after_a_failure_is_opened_by_new_readings() -> None:
    owe({1: 1000})
    queue.fail(claimed(), error="ValueError", now=NOW)
    assert queue.claim(kind="twin", limit=5, now=NOW) == []
    owe({1: 2000})
    assert claimed().dirty_from_ms == 1000


@pytest.mark.django_db(transaction=True)
def test_a_claim_waits_for_the_delivery_that_left_the_row_as_it_was() -> None:
    """Else the worker could read before the delivery is committed, settle, and leave its readings out for ever."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    owe({1: 1000})
    came_first: list[str] = []

    def claim() -> None:
        claimed()
        came_first.append("claim")
        connection.close()

    claimer = threading.Thread(target=claim)
    with transaction.atomic():
        queue.owe(kind="twin", dirty={1: 2000}, now=NOW)
        claimer.start()
        while not _somebody_waits_at_a_gate():
            assert claimer.is_alive(), "the claim did not wait"
        came_first.append("delivery")
    claimer.join(timeout=20)
    assert came_first == ["delivery", "claim"]


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_to_one_patient_do_not_wait_for_each_other() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    owe({1: 1000})
    done = threading.Event()

    def other() -> None:
        owe({1: 3000})
        done.set()
        connection.close()

    with transaction.atomic():
        queue.owe(kind="twin", dirty={1: 2000}, now=NOW)
        second = threading.Thread(target=other)
        second.start()
        assert done.wait(20)
    second.join(timeout=20)


def _somebody_waits_at_a_gate() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
def test_work_whose_worker_was_killed_waits_a_minute_and_longer_if_that_was_too_short() -> None:
    owe({1: 1000})
    first = claimed()
    assert queue.claim(kind="twin", limit=5, now=NOW + timedelta(seconds=59)) == []
    second = claimed(NOW + timedelta(seconds=60))
    assert not queue.settle(first)
    assert second.until - NOW == timedelta(seconds=60 + 120)
    third = claimed(second.until)
    assert queue.settle(claimed(third.until)), "five minutes, longer than any task"


@pytest.mark.django_db
def test_a_clock_that_was_an_hour_ahead_holds_no_work_back() -> None:
    ahead = NOW + timedelta(hours=1)
    owe({1: 1000, 2: 1000}, NOW)
    held, broken = queue.claim(kind="twin", limit=5, now=ahead)
    queue.fail(broken, error="RuntimeError", now=ahead)
    assert len(queue.claim(kind="twin", limit=5, now=NOW)) == 2
    assert not queue.settle(held), "the work has another holder now"
