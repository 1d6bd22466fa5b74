"""The forecast of a patient as rows: which days, which codes, and the same numbers as the charts."""

import numpy as np
import pytest

from recovery.twin import METRICS, cold_start, fold, forecast_days, load
from recovery.twin.daily_forecast import DAYS_AHEAD, FORECAST_METRICS, forecast_rows, loinc_of
from recovery.twin.errors import OutsideDomain
from recovery.twin.forecast import natural_mean
from tests.unit.twin.twin_cases import KNEE, stream

PARAMS = cold_start()
STATE = fold(None, PARAMS, KNEE, load(stream(), 72.0)).state


def test_a_forecast_made_on_day_3_speaks_of_the_14_days_that_begin_then():
    rows = forecast_rows(STATE, PARAMS, KNEE, 72.0)
    steps = [r.day for r in rows if r.code == "55423-8"]
    assert steps == list(range(3, 3 + DAYS_AHEAD))
    assert len(rows) == DAYS_AHEAD * len(FORECAST_METRICS)


def test_an_hour_into_the_day_the_first_whole_day_is_the_next():
    assert min(r.day for r in forecast_rows(STATE, PARAMS, KNEE, 73.0)) == 4


def test_the_rows_are_the_quantiles_that_the_charts_show():
    rows = [r for r in forecast_rows(STATE, PARAMS, KNEE, 72.0) if r.code == "8867-4"]
    curve = forecast_days(STATE, PARAMS, KNEE, "heart_rate", [r.day for r in rows])
    np.testing.assert_array_equal([r[3:] for r in rows], curve.quantiles)


def test_the_mean_of_a_skewed_day_total_lies_above_its_median_and_agrees_with_monte_carlo():
    row = next(r for r in forecast_rows(STATE, PARAMS, KNEE, 72.0) if r.code == "55423-8")
    assert row.mean > row.q50
    bound = PARAMS.for_metric("steps", KNEE)
    draws = np.random.default_rng(3).normal(7.0, 0.6, 400_000)
    natural = METRICS["steps"].transform.inverse(draws)
    found = natural_mean(bound, np.array(7.0), np.array(0.36))
    assert found == pytest.approx(natural.mean(), abs=5 * natural.std() / np.sqrt(len(draws)))


def test_a_patient_never_read_gets_the_curve_of_the_operation():
    rows = forecast_rows(None, PARAMS, KNEE, 72.0, metrics=("pain",))
    assert len(rows) == DAYS_AHEAD and {r.code for r in rows} == {loinc_of("pain")}


def test_days_beyond_the_model_are_refused():
    with pytest.raises(OutsideDomain):
        forecast_rows(STATE, PARAMS, KNEE, 24.0 * 85)
