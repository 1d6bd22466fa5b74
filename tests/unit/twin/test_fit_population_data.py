"""What the population fit reads from a cohort: ordinary recovery only, in the backtest's day values."""

import numpy as np
import pytest

from recovery.twin import Profile, Samples
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_population_data import FIRST_DAY, training_data

HOURS = np.arange(-48.0, 240.0) + 0.5


def case(name="a", diagnoses=(), died=None, values=None, worn=None):
    """A patient whose heart rate swings by 6 bpm around 80 with its peak at 15:00, surgery ended at noon."""
    heart = 80.0 + 6.0 * np.cos(2 * np.pi * (12.0 + np.floor(HOURS) - 15.0) / 24.0) if values is None else values
    kept = np.ones(len(HOURS), bool) if worn is None else worn
    samples = {"heart_rate": Samples.of(HOURS[kept], heart[kept])}
    profile = Profile("knee_replacement", surgery_end_hour_of_day=12.0)
    return Case(name, 0.0, profile, samples=samples, diagnoses=list(diagnoses), died_h=died)


def days_of(training, what="days"):
    return getattr(training.by_metric["heart_rate"], what)[0]


def test_a_day_value_is_the_median_of_its_hours():
    found = days_of(training_data([case()]))
    assert np.flatnonzero(np.isfinite(found)).tolist() == [d - FIRST_DAY for d in range(-2, 10)]
    assert found[-FIRST_DAY] == pytest.approx(80.0, abs=1e-9)


def test_from_the_onset_of_a_complication_until_ten_days_after_its_diagnosis_nothing_is_used():
    found = training_data([case(diagnoses=[(120.0, 72.0, "ssi")])])
    assert np.flatnonzero(np.isfinite(days_of(found))).max() + FIRST_DAY == 2
    ordinary = found.ordinary[0]
    assert ordinary[1 - FIRST_DAY] == 1.0 and ordinary[3 - FIRST_DAY] == 0.0
    assert ordinary[14 - FIRST_DAY] == 0.0 and ordinary[16 - FIRST_DAY] == 1.0


def test_the_last_day_of_a_patient_who_dies_is_not_ordinary():
    found = training_data([case(died=120.0)])
    assert np.flatnonzero(np.isfinite(days_of(found))).max() + FIRST_DAY == 3


def test_the_pattern_of_the_day_is_found_and_taken_out_of_a_half_worn_day():
    clock = (12.0 + np.floor(HOURS)) % 24.0
    afternoon = (np.floor(HOURS / 24.0) != 4) | ((clock >= 10.0) & (clock < 20.0))
    found = training_data([case(worn=afternoon)])
    size = np.hypot(*found.by_metric["heart_rate"].clock[0])
    assert size == pytest.approx(6.0, rel=0.05)
    day = 4 - FIRST_DAY
    assert days_of(found)[day] > 83.0
    assert days_of(found, "levels")[day] == pytest.approx(80.0, abs=0.5)
    assert days_of(found, "hours_worn")[day] == 10


def test_an_artefact_does_not_move_the_level_of_its_day():
    heart = 80.0 + np.random.default_rng(1).normal(0.0, 1.0, len(HOURS))
    heart[100] = 190.0
    found = training_data([case(values=heart)])
    assert days_of(found, "levels")[2 - FIRST_DAY] == pytest.approx(80.0, abs=1.0)


def test_patients_can_be_taken_apart_without_losing_their_order():
    both = training_data([case("a"), case("b", values=np.full(len(HOURS), 60.0))])
    second = both.take([1])
    assert second.patients == ("b",)
    assert days_of(second)[-FIRST_DAY] == pytest.approx(60.0)
    assert both.measurements == 2 * len(HOURS) and second.measurements == len(HOURS)


def test_a_measure_nobody_has_is_left_out():
    assert set(training_data([case()]).by_metric) == {"heart_rate"}
