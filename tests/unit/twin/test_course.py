"""The course that a page shows: judged without today's deviation, in order, within the metric's bounds."""

import numpy as np
import pytest

from recovery.twin.cold_start import cold_start
from recovery.twin.course import course
from recovery.twin.fold import fold, load
from recovery.twin.forecast import forecast
from recovery.twin.measurement import Samples
from recovery.twin.metrics import Tier
from recovery.twin.profile import Profile

PARAMS = cold_start()
PROFILE = Profile("knee_replacement", 70.0, "female")


def falling(now: float = 96.0):
    """A week of SpO2 at 96 %, then twelve hours at 86 %."""
    hours = np.arange(-72.0, now) + 0.5
    values = np.where(hours > now - 12, 86.0, 96.0)
    return fold(None, PARAMS, PROFILE, load({"spo2": Samples.of(hours, values)}, now)).state


def test_a_fall_is_judged_against_the_course_not_against_itself():
    at = course(falling(), PARAMS, PROFILE, "spo2", 96.0, Tier.CONSUMER)
    follows = forecast(falling(), PARAMS, PROFILE, "spo2", [96.0], reading=True)
    assert at.now[2] > follows.median[0]
    assert at.now[2] > 91.0


@pytest.mark.parametrize("metric", ["heart_rate", "steps", "pain"])
def test_quantiles_stand_in_order_and_cover_a_week_ahead(metric):
    hours = np.arange(0.0, 96.0) + 0.5
    values = {"heart_rate": 80.0, "steps": 60.0, "pain": 4.0}[metric]
    state = fold(None, PARAMS, PROFILE, load({metric: Samples.of(hours, np.full(96, values))}, 96.0)).state
    at = course(state, PARAMS, PROFILE, metric, 96.0, Tier.CONSUMER)
    assert (np.diff(at.curve.quantiles, axis=-1) >= 0).all()
    assert (np.diff(at.now) >= 0).all()
    assert at.curve.hours[-1] >= 96.0 + 6 * 24
    assert len(at.norm) == len(at.curve.hours)
    assert np.isfinite(at.norm).all()


def test_a_daily_total_now_is_the_last_complete_day():
    hours = np.arange(0.0, 100.0) + 0.5
    state = fold(None, PARAMS, PROFILE, load({"steps": Samples.of(hours, np.full(100, 50.0))}, 100.0)).state
    at = course(state, PARAMS, PROFILE, "steps", 100.0, Tier.CONSUMER)
    day_three = list(at.curve.hours).index(3 * 24 + 12)
    assert at.now[2] == pytest.approx(at.curve.quantiles[day_three, 2], rel=0.25)
