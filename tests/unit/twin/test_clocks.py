"""Wrong clocks are found from what arrives before its time, and from days and nights that come at odd hours."""

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from recovery.twin.clocks import LEAST_DELIVERIES, PHASE_OFF_H, ahead_by, phase_off

SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "nightsignal-sample" / "Fitbit_ST.csv.gz"


def pulse(seed, days=7, amplitude=8.0, noise=6.0, chronotype=0.0):
    """Hours and values of a made-up person's week: lowest at half past three, later by `chronotype` hours."""
    hours = np.arange(24.0 * days) + 0.5
    day = amplitude * np.cos(2 * np.pi * (hours - 15.5 - chronotype) / 24.0)
    return hours, 75.0 + day + np.random.default_rng(seed).normal(0.0, noise, len(hours))


@pytest.mark.parametrize("shift", [0.2, 1.0, 3.0, 11.0])
def test_a_clock_that_is_ahead_is_found_from_deliveries_that_come_before_their_time(shift):
    delays = np.random.default_rng(1).exponential(0.05, 12)
    assert ahead_by(list(delays - shift)) == pytest.approx(shift, abs=0.1)


def test_an_honest_clock_is_never_called_ahead_however_late_or_prompt_its_readings_come():
    draws = np.random.default_rng(2)
    assert all(ahead_by(list(draws.exponential(scale, 12))) is None for scale in np.geomspace(1e-4, 48.0, 200))


def test_one_stray_delivery_is_no_habit_and_a_mended_clock_is_soon_forgiven():
    assert ahead_by([0.1] * 8 + [-3.0]) is None and ahead_by([-3.0] * (LEAST_DELIVERIES - 1)) is None
    assert ahead_by([-3.0] * 20) == 3.0 and ahead_by([-3.0] * 20 + [0.1] * 3) is None


@pytest.mark.parametrize("shift", [8.0, 10.5, -9.0, 12.0])
def test_a_wrong_time_zone_is_found_from_day_and_night(shift):
    for seed in range(20):
        hours, values = pulse(seed)
        found = phase_off(hours + shift, values)
        assert found is not None and abs((found - shift + 12.0) % 24.0 - 12.0) < 1.5


def test_nobody_with_usual_hours_or_without_a_rhythm_is_called_shifted():
    """Chronotypes as in TROUGH_SD; a larger scatter than a wearable's; and flat days, as after a large operation."""
    draws = np.random.default_rng(3)
    usual = [phase_off(*pulse(seed, chronotype=draws.normal(0.0, 1.4))) for seed in range(300)]
    flat = [phase_off(*pulse(seed, amplitude=0.0)) for seed in range(300)]
    assert sum(one is not None for one in usual) == 0 and sum(one is not None for one in flat) == 0


def test_few_days_gaps_and_a_constant_say_nothing():
    hours, values = pulse(5, days=3)
    assert phase_off(hours + 10.0, values) is None and phase_off([], []) is None
    hours, values = pulse(5)
    assert phase_off(hours + 10.0, np.full(len(hours), 70.0)) is None
    some = (hours % 24.0) < 12.0
    assert phase_off(hours[some] + 10.0, values[some]) is None


def weeks_of(path):
    """Weeks of hourly steps of a real person, by days that were walked in."""
    steps = defaultdict(float)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            since = datetime.fromisoformat(row["datetime"]) - datetime(2000, 1, 1)
            steps[int(since.total_seconds() // 3600)] += float(row["steps"])
    first = min(steps) - min(steps) % 24
    for start in range(first, max(steps) - 167, 24):
        hours = np.arange(start, start + 168)
        values = np.array([steps[int(hour)] for hour in hours])
        walked = np.repeat(values.reshape(7, 24).sum(axis=1) > 500.0, 24)
        if walked.sum() >= 4 * 24:
            yield hours[walked] + 0.5, values[walked]


@pytest.mark.skipif(not SAMPLE.exists(), reason="the real step counts are not on this machine")
def test_no_week_of_a_real_person_is_called_shifted_and_a_time_zone_put_in_is_found_in_many():
    weeks = list(weeks_of(SAMPLE))
    assert len(weeks) > 150 and sum(phase_off(*week) is not None for week in weeks) == 0
    found = [phase_off(hours + 10.0, values) for hours, values in weeks]
    assert sum(one is not None for one in found) > 0.35 * len(weeks)
    assert min(abs(one) for one in found if one is not None) > PHASE_OFF_H
