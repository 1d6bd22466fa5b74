"""Forecasts against Monte Carlo, and the limits they keep to."""

import numpy as np
import pytest

from recovery.twin import (
    METRICS,
    Profile,
    Samples,
    Tier,
    cold_start,
    fold,
    forecast,
    forecast_days,
    load,
    population_curve,
    trajectory,
)
from recovery.twin.errors import OutsideDomain, UnknownMetric
from recovery.twin.filter import design
from recovery.twin.forecast import QUANTILES, day_level, level
from recovery.twin.params import DEVIATION
from recovery.twin.scorecard import Card
from recovery.twin.state import Memory, MetricState, TwinState
from tests.unit.twin.twin_cases import KNEE, stream

PARAMS = cold_start()
STATE = fold(None, PARAMS, KNEE, load(stream(), 120.0)).state
DRAWS = 200_000


def drawn_states(key):
    """(DRAWS, d) states at belief.at and the bound parameters."""
    bound, belief = PARAMS.for_metric(key, KNEE), STATE.metrics[key].memory.belief
    rng = np.random.default_rng(42)
    return rng, bound, belief, rng.multivariate_normal(belief.mean, belief.cov, DRAWS)


def walked(rng, bound, deviation, gaps):
    """Deviation paths (DRAWS, len(gaps)) after each gap in hours, drawn step by step."""
    path = []
    for gap in gaps:
        rho = np.exp(-bound.deviation_rate * gap)
        push = np.sqrt(bound.deviation_var * (1 - rho**2)) * rng.standard_normal(len(deviation))
        deviation = rho * deviation + push
        path.append(deviation)
    return np.stack(path, axis=1)


def assert_quantiles_near(found, draws):
    """Each quantile within 5 standard errors of the Monte Carlo one: se = sqrt(p (1 - p) / n) / density."""
    for p, q in zip(QUANTILES, found, strict=True):
        share = np.mean(draws <= q)
        assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / len(draws)), (p, q, share)


def test_the_forecast_of_a_reading_agrees_with_monte_carlo():
    rng, bound, belief, states = drawn_states("heart_rate")
    hour = 150.0
    path = walked(rng, bound, states[:, DEVIATION], [hour - belief.at])
    h = design(bound, hour)
    h[DEVIATION] = 0.0
    noise = np.sqrt(bound.noise_var(int(Tier.CONSUMER), 1)) * rng.standard_normal(DRAWS)
    draws = states @ h + path[:, 0] + noise
    assert_quantiles_near(forecast(STATE, PARAMS, KNEE, "heart_rate", [hour], reading=True).quantiles[0], draws)


def test_the_forecast_of_a_log_metric_agrees_with_monte_carlo_on_the_natural_scale():
    rng, bound, belief, states = drawn_states("steps")
    end = 24.0 * 10
    path = walked(rng, bound, states[:, DEVIATION], [end - belief.at])
    h = design(bound, end)
    h[DEVIATION] = 0.0
    noise = np.sqrt(bound.noise_var(int(Tier.CONSUMER), 24)) * rng.standard_normal(DRAWS)
    draws = METRICS["steps"].transform.inverse(states @ h + path[:, 0] + noise)
    assert_quantiles_near(forecast_days(STATE, PARAMS, KNEE, "steps", [9]).quantiles[0], draws)


def test_the_level_of_a_whole_day_agrees_with_monte_carlo():
    rng, bound, belief, states = drawn_states("heart_rate")
    hours = 24.0 * 7 + np.arange(24.0)
    path = walked(rng, bound, states[:, DEVIATION], np.diff(hours, prepend=belief.at))
    h = design(bound, hours)
    h[:, DEVIATION] = 0.0
    days = (states @ h.T + path).mean(axis=1)
    mean, var = day_level(belief, bound, [7])
    noise = bound.noise_var(int(Tier.CONSUMER), 1) * np.pi / 2 / 24
    assert mean[0] == pytest.approx(days.mean(), abs=5 * days.std() / np.sqrt(DRAWS))
    # Var of a sample variance is 2 var^2 / n.
    assert var[0] - noise == pytest.approx(days.var(), rel=5 * np.sqrt(2 / DRAWS))


def test_the_noise_of_a_daily_median_is_close_to_that_of_24_drawn_hours():
    bound = PARAMS.for_metric("heart_rate", KNEE)
    sd = np.sqrt(bound.noise_var(int(Tier.CONSUMER), 1))
    medians = np.median(sd * np.random.default_rng(1).standard_normal((20_000, 24)), axis=1)
    assert np.pi / 2 * sd**2 / 24 == pytest.approx(medians.var(), rel=0.08)


def test_far_ahead_the_deviation_is_forgotten_but_the_person_is_not():
    bound, belief = PARAMS.for_metric("heart_rate", KNEE), STATE.metrics["heart_rate"].memory.belief
    mean, var = level(belief, bound, [24.0 * 90])
    h = design(bound, 24.0 * 90)
    h[DEVIATION] = 0.0
    assert mean[0] == pytest.approx(h @ belief.mean, abs=1e-4)
    assert var[0] == pytest.approx(h @ belief.cov @ h + bound.deviation_var, rel=1e-4)


def test_a_twin_with_readings_is_surer_than_the_procedure_curve():
    hours = [150.0, 300.0]
    own = trajectory(STATE, PARAMS, KNEE, "heart_rate", hours)
    norm = population_curve(PARAMS, KNEE, "heart_rate", hours)
    assert (own.basis, norm.basis) == ("personal", "population")
    assert (np.ptp(own.quantiles, axis=1) < np.ptp(norm.quantiles, axis=1)).all()


def test_the_time_of_day_is_in_the_forecast_and_out_of_the_trajectory():
    day = 200.0 + np.arange(24.0)
    assert np.ptp(forecast(STATE, PARAMS, KNEE, "temperature", day).median) > 0.3
    assert np.ptp(trajectory(STATE, PARAMS, KNEE, "temperature", day).median) < 0.1


def test_a_twin_that_does_worse_than_the_population_falls_back_and_says_so():
    own = STATE.metrics["heart_rate"]
    bad = MetricState(
        Memory(own.memory.belief, Card(40, 30, 10, 9.0, 8.0)),
        own.recent_hours,
        own.recent_surprises,
        own.worn_hours,
        own.last_reading_hour,
    )
    curve = forecast(TwinState(STATE.model_version, 120.0, {"heart_rate": bad}), PARAMS, KNEE, "heart_rate", [150.0])
    assert curve.basis == "population"
    np.testing.assert_array_equal(curve.quantiles, forecast(None, PARAMS, KNEE, "heart_rate", [150.0]).quantiles)


def test_an_unknown_procedure_gives_a_generic_and_wider_curve_that_says_so():
    known = population_curve(PARAMS, KNEE, "heart_rate", [36.0])
    unknown = population_curve(PARAMS, Profile("appendicectomy"), "heart_rate", [36.0])
    assert unknown.generic and not known.generic
    assert np.ptp(unknown.quantiles) > np.ptp(known.quantiles)


def test_a_forecast_beyond_the_published_anchors_is_refused():
    with pytest.raises(OutsideDomain, match="day 90"):
        forecast(STATE, PARAMS, KNEE, "heart_rate", [24.0 * 91])
    with pytest.raises(OutsideDomain):
        forecast_days(STATE, PARAMS, KNEE, "heart_rate", [np.nan])


def test_a_metric_that_does_not_exist_is_refused():
    with pytest.raises(UnknownMetric):
        forecast(STATE, PARAMS, KNEE, "mood", [10.0])


def test_a_patient_without_readings_is_forecast_from_the_procedure_curve():
    curve = forecast_days(None, PARAMS, KNEE, "steps", [1, 7, 30])
    assert curve.basis == "population"
    # Clinical reference 2.2: 8, 25 and 68 % of 6,651 steps, within the rounding of three bases.
    np.testing.assert_allclose(curve.median, 66.51 * np.array([8, 25, 68]), rtol=0.15)


def test_higher_readings_raise_the_forecast():
    def after(shift):
        samples = {"heart_rate": Samples.of(np.arange(-24.0, 48.0), np.full(72, 75.0 + shift))}
        return forecast(fold(None, PARAMS, KNEE, load(samples, 48.0)).state, PARAMS, KNEE, "heart_rate", [72.0]).median

    assert after(10.0) > after(0.0)
