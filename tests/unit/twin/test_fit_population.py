"""The population fit on patients drawn from parameters that are known: does it find them, and can it be interrupted?"""

import json
from dataclasses import replace

import numpy as np
import pytest

from recovery.twin import Profile, cold_start
from recovery.twin.day_law import DayLaw
from recovery.twin.errors import MalformedState, NotEnoughData
from recovery.twin.filter import Readings, design, initial
from recovery.twin.fit_day_law import outcomes
from recovery.twin.fit_population import ITERATIONS, Fitting, begin, finish, fit_population, step
from recovery.twin.fit_population_data import FIRST_DAY, LAST_DAY, MetricData, Training
from recovery.twin.forecast import day_level
from recovery.twin.params import BASELINE, DEVIATION, PopulationParams

START = cold_start()
DAYS = np.arange(FIRST_DAY, LAST_DAY)
HOW = {"version": "fit-test", "data": "0" * 64, "synthetic": True}
TRUE_LEVEL, TRUE_SPREAD, TRUE_SLOW, TRUE_NOISE, TRUE_DAYS = 8.0, 0.4, 0.05, 0.08, 4.0


def truth(curve):
    """The published parameters of steps with another baseline, spread, deviation and noise."""
    params = START.by_metric["steps"][curve]
    mean, cov = np.array(params.prior_mean), np.array(params.prior_cov)
    mean[BASELINE], cov[BASELINE, BASELINE], cov[DEVIATION, DEVIATION] = TRUE_LEVEL, TRUE_SPREAD**2, TRUE_SLOW
    return replace(params, prior_mean=mean, prior_cov=cov, deviation_rate=np.array(1 / (24 * TRUE_DAYS)))


def drawn(n, seed, curves=("knee_replacement", "cholecystectomy")):
    """n patients' daily steps from day -7 to 30, one day in six missing."""
    rng = np.random.default_rng(seed)
    profiles = [Profile(curves[i % len(curves)], 60.0 + i % 20) for i in range(n)]
    ends, values = 24.0 * (DAYS + 1.0), np.full((n, len(DAYS)), np.nan)
    slow = np.linalg.cholesky(np.exp(-np.abs(DAYS[:, None] - DAYS) / TRUE_DAYS) * TRUE_SLOW)
    for i, profile in enumerate(profiles):
        params = truth(profile.curve)
        state = rng.multivariate_normal(params.prior_mean, params.prior_cov)
        rows = design(params, ends)
        rows[:, DEVIATION] = 0.0
        own = slow @ rng.standard_normal(len(DAYS)) + np.sqrt(TRUE_NOISE) * rng.standard_normal(len(DAYS))
        values[i] = rows @ state + own
    hidden = (rng.random(values.shape) < 1 / 6) | (DAYS < -7) | (DAYS >= 30)
    values[hidden] = np.nan
    at = np.where(np.isfinite(values), ends, np.nan)
    order = np.argsort(~np.isfinite(values), axis=1, kind="stable")
    rows = Readings(*(np.take_along_axis(a, order, axis=1) for a in (at, values, np.full(values.shape, 24.0))))
    data = MetricData(
        "steps",
        rows,
        np.zeros(values.shape),
        values,
        values.copy(),
        np.where(np.isfinite(values), 24.0, 0.0),
        _none(n),
        2,
    )
    return Training(tuple(map(str, range(n))), tuple(profiles), np.ones(values.shape), {"steps": data})


def _none(n):
    return np.full((n, 2), np.nan)


COHORT = drawn(240, 5)
FITTED = fit_population(COHORT, START, **HOW)


def test_the_fit_finds_the_baseline_that_the_patients_were_drawn_from():
    for curve in ("knee_replacement", "cholecystectomy"):
        found = FITTED.by_metric["steps"][curve]
        # 120 patients of spread 0.4 a procedure: standard error about 0.05 with the noise of their days.
        assert found.prior_mean[BASELINE] == pytest.approx(TRUE_LEVEL, abs=0.2)
        assert START.by_metric["steps"][curve].prior_mean[BASELINE] > TRUE_LEVEL + 0.5


def test_the_fit_finds_spread_slow_deviation_and_noise():
    found = FITTED.by_metric["steps"]["knee_replacement"]
    assert found.prior_cov[BASELINE, BASELINE] == pytest.approx(TRUE_SPREAD**2, rel=0.3)
    assert found.deviation_var == pytest.approx(TRUE_SLOW, rel=0.5)
    assert found.noise_var(2, 24) == pytest.approx(TRUE_NOISE, rel=0.2)
    assert 2.0 < 1.0 / (24.0 * found.deviation_rate) < 8.0


def test_forecasts_of_new_patients_keep_their_intervals():
    new = drawn(300, 77)
    seen = outcomes(FITTED, new, "steps", (7,))
    law = FITTED.by_metric["steps"]["knee_replacement"].day_law
    z = (seen.value - seen.mean) / np.sqrt(seen.level_var + law.noise(seen.mean[:, None], np.zeros(2))[:, 0])
    for lead in (1.0, 7.0, 14.0):
        low, quarter, _, three, high = law.quantiles_of(lead)
        at = z[seen.lead == lead]
        # About 250 forecasts a lead: 5 standard errors of a share of 0.9 are 0.095, of 0.5 0.16.
        assert np.mean((at >= low) & (at <= high)) == pytest.approx(0.90, abs=0.095)
        assert np.mean((at >= quarter) & (at <= three)) == pytest.approx(0.50, abs=0.16)


def test_stopped_and_resumed_from_plain_numbers_the_fit_ends_the_same():
    state = begin(COHORT, START)
    while not state.is_done:
        state = Fitting.from_plain(json.loads(json.dumps(state.to_plain())))
        left = state.steps_left
        state = step(state, COHORT, START)
        assert state.steps_left == left - 1
    assert finish(state, COHORT, **HOW).to_plain() == FITTED.to_plain()
    assert step(state, COHORT, START) is state


def test_em_steps_between_two_searches_for_scales_raise_the_likelihood():
    state = begin(COHORT, START)
    for _ in range(ITERATIONS - 1):
        state = step(state, COHORT, START)
    first, second, third = state.likelihoods[3:6]
    assert first < second < third


def test_a_procedure_with_hardly_any_patients_stays_near_its_published_course():
    few = drawn(62, 9, ("cholecystectomy",) * 61 + ("hip_fracture",))
    fitted = fit_population(few, START, **HOW)
    published = START.by_metric["steps"]["hip_fracture"].prior_mean[BASELINE]
    assert fitted.by_metric["steps"]["hip_fracture"].prior_mean[BASELINE] > (published + TRUE_LEVEL) / 2
    untouched = fitted.by_metric["steps"]["cardiac"].prior_mean
    np.testing.assert_array_equal(untouched, START.by_metric["steps"]["cardiac"].prior_mean)


def test_an_unknown_procedure_is_given_no_narrower_a_prior_than_a_known_one():
    curves = FITTED.by_metric["steps"]
    assert np.trace(curves["generic"].prior_cov) >= np.trace(curves["knee_replacement"].prior_cov) - 1e-12


def test_a_cohort_too_small_is_refused():
    with pytest.raises(NotEnoughData, match="50 patients"):
        begin(drawn(20, 1), START)


def test_the_result_says_what_it_was_trained_on_and_that_it_is_synthetic():
    about = FITTED.trained_on
    assert (about["patients"], about["measurements"]) == (240, COHORT.measurements)
    assert about["synthetic"] and "SYNTHETIC" in about["data"] and about["data_hash"] == HOW["data"]
    assert "SYNTHETIC" in FITTED.by_metric["steps"]["generic"].sources[0].text
    assert FITTED.by_metric["pain"]["generic"].sources == START.by_metric["pain"]["generic"].sources


def test_fitted_parameters_survive_json_to_the_last_bit():
    plain = FITTED.to_plain()
    assert PopulationParams.from_plain(json.loads(json.dumps(plain))).to_plain() == plain


def test_a_day_law_is_interpolated_between_leads_and_held_outside():
    law = DayLaw(1.0, np.array([1.0, 7.0]), np.array([[-2.0, -1, 0, 1, 2], [-3.0, -1, 0, 1, 4]]))
    np.testing.assert_allclose(law.quantiles_of(4.0), [-2.5, -1, 0, 1, 3])
    np.testing.assert_array_equal(law.quantiles_of([0.0, 99.0]), law.z)


def test_a_day_law_is_noisier_for_a_larger_time_of_day_pattern():
    law = DayLaw(1.0, np.array([1.0]), np.zeros((1, 5)), clock_share=0.5)
    np.testing.assert_allclose(law.noise(np.zeros(2), np.array([3.0, 4.0])), [13.5, 13.5])


def test_a_day_law_with_falling_quantiles_is_refused():
    with pytest.raises(MalformedState, match="rising"):
        DayLaw.from_plain(DayLaw(1.0, np.array([1.0]), np.array([[2.0, 1, 0, -1, -2]])).to_plain())


def test_the_learned_law_moves_the_forecast_and_leaves_the_filter_alone():
    params = FITTED.for_metric("steps", Profile("knee_replacement"))
    with_law, without = (day_level(initial(p), p, [9.0]) for p in (params, replace(params, day_law=None)))
    assert with_law[0] == without[0] and with_law[1] != without[1]
