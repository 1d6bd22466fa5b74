"""How long is waited between tries, and when a risk has changed enough to be told."""

import random
from datetime import timedelta

import pytest

from recovery.services import deliveries
from recovery.services.deliveries import MOST_TRIES, RETRY_FIRST, RETRY_MOST, wait_after
from recovery.services.outbox import Watch, moved


def test_waits_double_up_to_a_quarter_of_an_hour_and_never_come_together() -> None:
    chance = random.Random(1)
    for tries in range(1, 40):
        plain = min(RETRY_MOST, RETRY_FIRST * 2 ** min(tries - 1, 12))
        waits = {wait_after(tries, chance) for _ in range(20)}
        assert len(waits) > 1 and all(plain <= one <= plain * 1.2 for one in waits)


def test_a_receiver_that_is_away_for_an_hour_is_not_given_up() -> None:
    shortest = sum((wait_after(tries, _Never()) for tries in range(1, MOST_TRIES)), timedelta())
    assert timedelta(hours=2) < shortest < timedelta(hours=3)
    assert deliveries.CLAIM_FOR > timedelta(seconds=30)


class _Never(random.Random):
    def random(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, {"a": 1.0}, True),
        ({"a": 1.0}, {"a": 1.0}, False),
        ({"a": 10.0}, {"a": 14.99}, False),
        ({"a": 10.0}, {"a": 15.0}, True),
        ({"a": 10.0}, {"a": 5.0}, True),
        ({"a": 10.0}, {"a": None}, True),
        ({"a": None}, {"a": None}, False),
        ({"a": None}, {"a": 0.1}, True),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, True),
    ],
)
def test_a_risk_is_told_when_it_has_moved(before: dict | None, after: dict, told: bool) -> None:
    assert moved(before, after) is told


def test_a_reading_is_written_down_only_when_somebody_may_want_it() -> None:
    watch = Watch(frozenset({"p1"}), (("8867-4", "9279-1"), ("vital-signs",)))
    assert watch.may_hold("p1", "... 9279-1 ... vital-signs")
    assert not watch.may_hold("p2", "... 9279-1 ... vital-signs")
    assert not watch.may_hold("p1", "... 9279-1 ...")
    assert Watch(None, ()).may_hold("anybody", "anything")
