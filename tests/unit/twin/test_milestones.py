"""Milestones as distributions: against the closed form where there is one, and in their order."""

import numpy as np
import pytest
from scipy.special import ndtr

from recovery.twin import METRICS, Profile, Samples, cold_start, fold, load
from recovery.twin.filter import design
from recovery.twin.milestones import HORIZON_DAYS, MILESTONES, TOLERANCE, arrivals
from recovery.twin.params import CLOCK, DEVIATION
from tests.unit.twin.twin_cases import KNEE, stream

PARAMS = cold_start()
STATE = fold(None, PARAMS, KNEE, load(stream(), 120.0)).state


def test_the_probability_of_the_first_day_agrees_with_the_closed_form():
    """On one single day no path is involved: P(trend >= target) is a normal tail."""
    found = arrivals(STATE, PARAMS, KNEE, 120.0)["steps_1000"]
    bound, belief = PARAMS.for_metric("steps", KNEE), STATE.metrics["steps"].memory.belief
    h = design(bound, 24.0 * 5 + 12.0 + bound.lag_hours)
    h[CLOCK] = h[DEVIATION] = 0.0
    target = METRICS["steps"].transform.forward(1000.0)
    exact = ndtr((h @ belief.mean - target) / np.sqrt(h @ belief.cov @ h))
    assert found.by_day[0] == pytest.approx(exact, abs=1.5 * TOLERANCE)


@pytest.mark.parametrize("key", MILESTONES)
def test_the_probability_only_grows_and_the_quantiles_are_in_order(key):
    found = arrivals(STATE, PARAMS, KNEE, 120.0)[key]
    assert (np.diff(found.by_day) >= 0.0).all() and 0.0 <= found.by_day[0] <= found.probability <= 1.0
    days = [d for d in (found.early, found.median, found.late) if d is not None]
    assert days == sorted(days) and all(5 <= d <= HORIZON_DAYS for d in days)


def test_a_faster_operation_reaches_its_steps_sooner():
    knee, gallbladder = (arrivals(None, PARAMS, Profile(p), 24.0) for p in ("knee_replacement", "cholecystectomy"))
    assert gallbladder["steps_baseline"].median < knee["steps_baseline"].median


def test_the_published_course_puts_nine_tenths_of_the_steps_after_a_knee_replacement_between_weeks_4_and_9():
    """Clinical reference 2.2: 68 % on day 30, 100 % in week 7."""
    assert 28 <= arrivals(None, PARAMS, Profile("knee_replacement"), 24.0)["steps_baseline"].median <= 63


def test_more_steps_than_expected_bring_the_milestone_nearer():
    def after(factor):
        samples = stream(last=240.0)
        steps = samples["steps"]
        moved = type(steps)(steps.hours, steps.values * factor, steps.tiers, steps.series, steps.span_hours)
        state = fold(None, PARAMS, KNEE, load({"steps": moved.take(moved.hours > 0)}, 240.0)).state
        return arrivals(state, PARAMS, KNEE, 240.0)["steps_1000"].by_day[0]

    assert after(1.0) > after(0.2)


def test_the_same_question_gets_the_same_answer():
    one, two = (arrivals(STATE, PARAMS, KNEE, 120.0)["steps_baseline"] for _ in range(2))
    np.testing.assert_array_equal(one.by_day, two.by_day)


def test_a_milestone_says_which_model_and_whether_the_operation_is_known():
    found = arrivals(None, PARAMS, Profile("appendicectomy"), 0.0)["steps_baseline"]
    assert (found.basis, found.generic, found.model_version) == ("population", True, PARAMS.version)


def test_every_milestone_has_a_source_and_a_metric_that_exists():
    assert all(m.source.text and m.metric in METRICS for m in MILESTONES.values())


def test_the_first_100_m_come_before_a_thousand_steps_and_those_before_the_usual_ones():
    found = arrivals(None, PARAMS, Profile("hip_fracture"), 24.0)
    assert found["walk_100m"].median <= found["steps_1000"].median <= (found["steps_baseline"].median or HORIZON_DAYS)


def test_a_good_quality_of_recovery_is_expected_a_week_after_a_knee_replacement_and_later_after_a_bypass():
    """Clinical reference 2.4: QoR-15 of 122 on day 7 after knee replacement, 115 then and 128 on day 30 after CABG."""
    knee, bypass = (
        arrivals(None, PARAMS, Profile(p), 24.0)["qor15_good"].median for p in ("knee_replacement", "cardiac")
    )
    assert 3 <= knee <= 12 and knee < bypass <= 30


def test_a_reported_quality_of_recovery_moves_its_milestone():
    def after(score):
        reports = Samples.of(24.0 * np.arange(1, 5) + 9.5, np.full(4, score), 3)
        state = fold(None, PARAMS, KNEE, load({"qor15": reports}, 120.0)).state
        return arrivals(state, PARAMS, KNEE, 120.0)["qor15_good"]

    assert after(135.0).median < (after(90.0).median or HORIZON_DAYS)
    assert after(135.0).basis == "personal"
