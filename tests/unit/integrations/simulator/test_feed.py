"""What is sent between two moments: all of it, once, and the same when it is sent again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from integrations.simulator import feed
from integrations.simulator.cast import CAST
from integrations.simulator.course import course_of
from integrations.simulator.feed import Progress, Window
from integrations.simulator.ward import Ward
from recovery.exact_json import dumps

WARD = Ward(1, datetime(2026, 3, 20, 13, tzinfo=UTC))
FEW = CAST[:3]
SECOND = timedelta(seconds=1)


def _windows(start: datetime, now: datetime) -> list[Window]:
    progress, found = Progress(start), []
    while (window := progress.next_window(now)) is not None:
        found.append(window)
        progress = Progress(window.end)
    return found


def _sent(windows: list[Window], every: int = 60) -> list[str]:
    return [dumps(one) for window in windows for one in feed.readings_in(WARD, FEW, window, every)]


def test_windows_follow_each_other_without_gap_up_to_now() -> None:
    now = WARD.anchor + timedelta(hours=5, minutes=7, seconds=31)
    windows = _windows(WARD.anchor + timedelta(minutes=10), now)
    assert windows[0].begin == WARD.anchor + timedelta(minutes=10) and windows[-1].end == now
    assert all(one.end == other.begin for one, other in pairwise(windows))
    assert [one.begin.hour for one in windows if one.whole_hour] == [14, 15, 16, 17]


def test_an_hour_that_was_begun_in_minutes_is_ended_in_minutes() -> None:
    windows = _windows(WARD.anchor + timedelta(minutes=10), WARD.anchor + timedelta(hours=3))
    assert not any(window.whole_hour for window in windows if window.begin.hour == 13)


def test_what_may_have_been_sent_is_sent_again_as_it_was() -> None:
    pending = Window(WARD.anchor, WARD.anchor + SECOND, whole_hour=False)
    later = WARD.anchor + timedelta(hours=9)
    assert Progress(WARD.anchor, pending).next_window(later) == pending
    assert _sent([pending]) == _sent([pending])


def test_long_after_its_last_patient_the_feed_does_not_begin_at_the_beginning() -> None:
    later = WARD.anchor + timedelta(days=400)
    window = Progress(WARD.anchor).next_window(later)
    assert window is not None and window.begin >= later - feed.MOST_BEHIND - timedelta(hours=1)


def test_the_cut_into_windows_does_not_change_what_is_sent() -> None:
    end = WARD.anchor + timedelta(minutes=5)
    at_once = [Window(WARD.anchor, end, whole_hour=False)]
    seconds = [
        Window(WARD.anchor + k * SECOND, WARD.anchor + (k + 1) * SECOND, whole_hour=False) for k in range(5 * 60)
    ]
    assert sorted(_sent(at_once)) == sorted(_sent(seconds))
    assert len(set(_sent(seconds))) == len(_sent(seconds))


def test_an_hour_in_minutes_holds_the_steps_of_the_hour_in_one() -> None:
    begin = WARD.anchor - timedelta(hours=2)
    whole = feed.readings_in(WARD, FEW, Window(begin, begin + timedelta(hours=1), whole_hour=True), 60)
    minutes = [Window(begin + timedelta(minutes=k), begin + timedelta(minutes=k + 1), False) for k in range(60)]
    single = [one for window in minutes for one in feed.readings_in(WARD, FEW, window, 60)]
    for member in FEW:
        packets = [one for one in _steps(whole, member.key) if "valueSampledData" in one]
        told = sum(float(one["valueSampledData"]["data"]) for one in packets)
        assert told == sum(one["valueQuantity"]["value"] for one in _steps(single, member.key))
        assert told == course_of(WARD, member).hour_values("steps", begin, 1)[0] or not packets


def _steps(resources: list[dict], key: str) -> list[dict]:
    mine = [one for one in resources if one["subject"]["reference"] == f"Patient/{key}"]
    return [one for one in mine if one["code"]["text"] == "Steps"]


@pytest.mark.parametrize("rate", [0.5, 2, 5, 20, 100])
def test_the_rate_is_kept_over_an_hour(rate: float) -> None:
    every = feed.cadence(FEW, rate)
    begin = WARD.anchor + timedelta(hours=1)
    windows = [Window(begin + timedelta(minutes=k), begin + timedelta(minutes=k + 1), False) for k in range(60)]
    assert len(_sent(windows, every)) / 3600 <= rate


def test_progress_survives_a_stop_and_belongs_to_its_ward(tmp_path: Path) -> None:
    progress = Progress(WARD.anchor, Window(WARD.anchor, WARD.anchor + SECOND, whole_hour=False))
    feed.keep_progress(tmp_path, WARD, progress)
    assert feed.load_progress(tmp_path, WARD) == progress
    other = Ward(1, WARD.anchor + timedelta(days=3))
    assert feed.load_progress(tmp_path, other) == Progress(other.anchor)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"anchor": "2026-03-20T13:00:00+00:00", "cursor": "then"}'])
def test_progress_that_cannot_be_read_begins_at_the_seeding(tmp_path: Path, text: str) -> None:
    (tmp_path / feed.STATE_FILE).write_text(text)
    assert feed.load_progress(tmp_path, WARD) == Progress(WARD.anchor)
