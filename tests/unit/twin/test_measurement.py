"""The gate and the bins: what becomes a measurement, what is refused, and why."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.twin import METRICS, Samples, Tier, measure
from recovery.twin.errors import MalformedSamples

HEART, STEPS, PAIN = METRICS["heart_rate"], METRICS["steps"], METRICS["pain"]


def day_of_steps(day=0, hours=range(24), per_hour=100.0, tier=Tier.CONSUMER, series=0):
    at = 24.0 * day + np.array(list(hours), float) + 0.5
    return Samples.of(at, np.full(len(at), per_hour), int(tier), series)


def together(*parts):
    fields = ("hours", "values", "tiers", "series", "span_hours")
    return Samples(*(np.concatenate([getattr(p, f) for p in parts]) for f in fields))


def test_an_hour_is_measured_by_the_median_of_its_samples():
    found = measure(HEART, Samples.of([3.1, 3.5, 3.9, 4.0], [70, 90, 71, 65]), 10.0).measurements
    np.testing.assert_array_equal(found.start, [3.0, 4.0])
    np.testing.assert_array_equal(found.value, [71.0, 65.0])
    np.testing.assert_array_equal(found.n, [3, 1])


def test_hours_before_surgery_fall_in_their_own_bin():
    found = measure(HEART, Samples.of([-0.1, 0.1], [70, 90]), 1.0).measurements
    np.testing.assert_array_equal(found.start, [-1.0, 0.0])


def test_only_the_best_tier_present_in_an_hour_is_used():
    samples = Samples.of([3.1, 3.2, 3.3, 4.1], [70, 90, 92, 88], [1, 2, 2, 2], [1, 0, 0, 0])
    found = measure(HEART, samples, 10.0).measurements
    np.testing.assert_array_equal(found.value, [70.0, 88.0])
    np.testing.assert_array_equal(found.tier, [1, 2])


def test_an_implausible_sample_is_refused_with_a_reason_and_costs_only_itself():
    found = measure(HEART, Samples.of([3.1, 3.2, 3.3], [70, 900, np.nan]), 10.0)
    np.testing.assert_array_equal(found.measurements.value, [70.0])
    reasons = {r.reason for r in found.rejected}
    assert reasons == {"above 250 /min, the plausible limit for heart rate", "not a number"}


@pytest.mark.parametrize("key", METRICS)
def test_both_ends_of_the_plausible_range_are_accepted_and_one_step_beyond_is_not(key):
    metric = METRICS[key]
    low, high = metric.plausible
    found = measure(metric, Samples.of([1.0, 2.0, 3.0, 4.0], [low, high, low - 0.01, high + 0.01], 2, 0, 24.0), 99.0)
    assert [r.hour for r in found.rejected] == [3.0, 4.0]
    assert np.isfinite(metric.transform.forward([low, high])).all()


def test_a_day_of_steps_is_the_sum_of_its_hours():
    found = measure(STEPS, day_of_steps(2), 72.0).measurements
    assert (found.start[0], found.at[0], found.value[0], found.n[0]) == (48.0, 72.0, 2400.0, 24)


def test_a_day_worn_seventeen_hours_is_not_a_measurement_but_is_reported():
    found = measure(STEPS, day_of_steps(0, range(17)), 24.0)
    assert len(found.measurements.value) == 0
    assert found.incomplete_days == ((0, 17),)
    assert len(measure(STEPS, day_of_steps(0, range(18)), 24.0).measurements.value) == 1


def test_a_worn_hour_of_zero_steps_counts_as_worn():
    found = measure(STEPS, day_of_steps(0, per_hour=0.0), 24.0).measurements
    np.testing.assert_array_equal(found.value, [0.0])


def test_a_day_that_is_not_over_is_neither_measured_nor_called_incomplete():
    found = measure(STEPS, day_of_steps(0), 23.9)
    assert len(found.measurements.value) == 0 and found.incomplete_days == ()


def test_a_watch_and_a_phone_of_one_tier_are_not_added_up():
    both = together(day_of_steps(0, per_hour=100.0), day_of_steps(0, per_hour=90.0, series=1))
    np.testing.assert_array_equal(measure(STEPS, both, 24.0).measurements.value, [24 * 95.0])


def test_a_better_source_worn_too_little_gives_way_to_a_complete_one():
    both = together(day_of_steps(0, range(5), tier=Tier.IMPLANT, series=1), day_of_steps(0))
    found = measure(STEPS, both, 24.0).measurements
    assert (found.tier[0], found.value[0]) == (Tier.CONSUMER, 2400.0)


def test_one_daily_total_counts_as_a_fully_worn_day():
    found = measure(STEPS, Samples.of([36.0], [5000.0], span_hours=24.0), 48.0).measurements
    np.testing.assert_array_equal(found.value, [5000.0])


def test_pain_before_surgery_is_kept_out_of_the_baseline_and_says_so():
    found = measure(PAIN, Samples.of([-20.0, 20.0], [8.0, 4.0]), 24.0)
    np.testing.assert_array_equal(found.measurements.value, [4.0])
    assert "before surgery" in found.rejected[0].reason


def test_the_same_source_time_and_value_is_one_sample_but_two_sources_are_two():
    once = measure(HEART, Samples.of([1.0, 1.0], [70, 70], 2, [0, 0]), 2.0).measurements
    twice = measure(HEART, Samples.of([1.0, 1.0], [70, 70], 2, [0, 1]), 2.0).measurements
    assert (once.n[0], twice.n[0]) == (1, 2)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.floats(-50, 50), st.floats(0, 400), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=60
    ),
    seed=st.integers(0, 1000),
    key=st.sampled_from(["heart_rate", "steps", "pain"]),
)
def test_measuring_is_a_function_of_the_set_of_samples(rows, seed, key):
    hours, values, tiers, series = map(np.array, zip(*rows, strict=True))
    samples = Samples.of(hours, values, tiers, series)
    rng = np.random.default_rng(seed)
    index = rng.permutation(np.concatenate([np.arange(len(rows)), rng.integers(0, len(rows), 5)]))
    a, b = measure(METRICS[key], samples, 48.0), measure(METRICS[key], samples.take(index), 48.0)
    for field in ("start", "at", "value", "tier", "n"):
        np.testing.assert_array_equal(getattr(a.measurements, field), getattr(b.measurements, field))
    assert (a.rejected, a.incomplete_days, a.worn_hours) == (b.rejected, b.incomplete_days, b.worn_hours)


def test_samples_without_a_finite_hour_are_refused():
    with pytest.raises(MalformedSamples):
        Samples.of([np.nan], [70.0])
