"""Completing a day's total for hours not seen, in what the twin learns and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin import METRICS, Samples, cold_start, fold, load
from recovery.twin.day_law import DayLaw
from recovery.twin.filter import Readings, advance, initial
from recovery.twin.wear import LEAST_SHARE, WEAR_SOURCE, learned, seen_share
from tests.unit.twin.twin_cases import KNEE

STEPS = METRICS["steps"]
CLOCK = 12.0


def measured(worn, per_hour=100.0):
    """Day 0, walked evenly in its waking hours, worn in the given hours."""
    hours = np.array(worn) + 0.5
    clock = (CLOCK + np.array(worn)) % 24
    values = np.where((clock >= 7) & (clock < 22), per_hour, 0.0)
    return load({"steps": Samples.of(hours, values)}, 24.0).by_metric["steps"]


def test_a_day_worn_throughout_is_learned_as_read():
    one = measured(range(24))
    value, extra = learned(STEPS, one.measurements, one.worn_hours, CLOCK)
    assert STEPS.transform.inverse(value)[0] == pytest.approx(1500.0)
    assert extra[0] == pytest.approx(0.0, abs=1e-12)


def test_hours_not_worn_at_night_cost_nothing_and_by_day_they_are_completed():
    # Surgery ended at noon, so hours 12 to 17 of the day are midnight to six, hours 0 to 5 the afternoon.
    night, noon = measured([*range(12), *range(18, 24)]), measured(range(6, 24))
    assert seen_share(night.measurements, night.worn_hours, CLOCK)[0] == pytest.approx(1.0)
    assert seen_share(noon.measurements, noon.worn_hours, CLOCK)[0] < 0.7
    (asleep, sure), (walked, unsure) = (learned(STEPS, m.measurements, m.worn_hours, CLOCK) for m in (night, noon))
    assert STEPS.transform.inverse(asleep)[0] == pytest.approx(1500.0) and sure[0] == pytest.approx(0.0, abs=1e-12)
    assert STEPS.transform.inverse(walked)[0] > 1.3 * noon.measurements.value[0] and unsure[0] > 0.01


def test_no_day_is_completed_beyond_twice_what_was_seen():
    one = measured(range(24))
    share = seen_share(one.measurements, (14,), CLOCK)
    assert share[0] == LEAST_SHARE


def test_a_total_sent_as_one_number_is_whole():
    one = load({"steps": Samples.of([12.0], [4000.0], 2, 0, 24.0)}, 24.0).by_metric["steps"]
    assert seen_share(one.measurements, one.worn_hours, CLOCK)[0] == 1.0


def test_hourly_measures_and_reports_are_taken_as_read():
    for key, value in (("heart_rate", 80.0), ("pain", 4.0)):
        one = load({key: Samples.of([3.0], [value])}, 24.0).by_metric[key]
        y, extra = learned(METRICS[key], one.measurements, one.worn_hours, CLOCK)
        assert METRICS[key].transform.inverse(y)[0] == pytest.approx(value) and extra[0] == 0.0


def test_the_stored_measurement_stays_the_total_that_was_counted():
    samples = {"steps": Samples.of(np.arange(6.0, 24.0) + 0.5, np.full(18, 100.0))}
    judged = fold(None, cold_start(), KNEE, load(samples, 24.0)).judged["steps"]
    assert judged.measurements.value.tolist() == [1800.0]
    assert WEAR_SOURCE.mark == "G"


def test_without_a_learned_day_law_a_day_is_taken_as_read_and_with_one_it_is_completed():
    samples = {"steps": Samples.of(np.arange(6.0, 24.0) + 0.5, np.full(18, 100.0))}
    law = DayLaw(0.1, np.array([1.0]), np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]]))
    bare = cold_start()
    by = {curve: replace(p, day_law=law) for curve, p in bare.by_metric["steps"].items()}
    with_law = replace(bare, by_metric={**bare.by_metric, "steps": by})
    low, high = (
        fold(None, p, KNEE, load(samples, 24.0)).state.metrics["steps"].memory.belief.mean[0] for p in (bare, with_law)
    )
    plain = Readings(
        *np.array([[24.0], [STEPS.transform.forward(1800.0)], [bare.for_metric("steps", KNEE).noise_var(2, 18)]])
    )
    bound = bare.for_metric("steps", KNEE)
    assert low == advance(initial(bound), bound, plain, bare.outlier_bound).belief.mean[0]
    assert high > low
