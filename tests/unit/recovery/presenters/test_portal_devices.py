"""Devices in plain words: true, told apart, and with a next step."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recovery.presenters.portal_devices import choice_cards, device_cards
from recovery.selectors.sources import Rivals, SourceSeen

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def source(name: str, tier: str = "consumer", ago: float = 0.5, metrics=("heart_rate",), sealed=()) -> SourceSeen:
    at = NOW - timedelta(hours=ago)
    return SourceSeen(name, "", "", tier, tuple(metrics), tuple(sealed), at, at, metrics[0], 80.0)


def state(**facts) -> str:
    return device_cards([source("a", **facts)], NOW, ZONE)[0].state


@pytest.mark.parametrize(
    ("ago", "metrics", "wanted"),
    [
        (1.9, ("heart_rate",), "working"),
        (2.1, ("heart_rate",), "quiet"),
        (30.0, ("knee_rom",), "working"),
        (37.0, ("knee_rom",), "quiet"),
        (2.1, ("knee_rom", "temperature"), "quiet"),
    ],
)
def test_a_device_is_quiet_after_two_hours_or_a_missed_day_for_what_comes_daily(ago, metrics, wanted):
    assert state(ago=ago, metrics=metrics) == wanted


def test_every_quiet_or_sealed_device_has_a_next_step():
    for facts in ({"ago": 5.0}, {"sealed": ("heart_rate",)}):
        assert device_cards([source("a", **facts)], NOW, ZONE)[0].next_step


def test_two_devices_of_one_name_are_told_apart_in_cards_and_in_the_choice():
    both = [source("a"), source("b"), source("me", tier="self_report")]
    names = [card.name for card in device_cards(both, NOW, ZONE)]
    assert len(set(names)) == 3
    (card,) = choice_cards([Rivals("heart_rate", tuple(both), "b")], both)
    assert len({one.name for one in card.choices}) == 3
    assert [one.is_chosen for one in card.choices] == [False, True, False]
