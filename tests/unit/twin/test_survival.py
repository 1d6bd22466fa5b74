"""Laws of the hazards: probabilities in 0..1, never falling with the horizon, competing causes sharing one
whole."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from recovery.twin.errors import OutsideDomain
from recovery.twin.incidence import GENERIC, INCIDENCE, NAMED, ONSET, OUTCOMES, incidence
from recovery.twin.survival import (
    HORIZONS,
    LEAD_EDGES,
    Effects,
    Feature,
    HazardModel,
    cumulative_incidence,
    predict,
    probability,
    published_baselines,
    published_model,
)

CLASSES = (*INCIDENCE, GENERIC)
HOURS = st.floats(0, 720)


def fitted(scale: float = 0.5) -> HazardModel:
    """A made-up model with one static and one recent feature, for the laws only."""
    features = (Feature("age_decades", "static", 6.5, 1.2, 1.8, 9.9), Feature("z", "recent", 0.0, 1.0, -4.0, 6.0))
    effects = Effects((0.1, scale, 2 * scale), ((0.02, 0.0, 0.0), (0.0, 0.01, 0.005), (0.0, 0.005, 0.03)), 30)
    return HazardModel("laws", "made up", 72.0, published_baselines(), features, dict.fromkeys(OUTCOMES, effects))


def pairs() -> list[tuple[str, str]]:
    model = published_model()
    return [(o, c) for o in OUTCOMES for c in CLASSES if model.baseline(o, c)]


def assert_a_probability_law(prediction) -> None:
    p, low, high = prediction.probability, prediction.low, prediction.high
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p, axis=-1) >= -1e-15), "a longer horizon can only add events"
    assert np.all((low <= p + 1e-15) & (p <= high + 1e-15) & (low >= 0) & (high <= 1))


@pytest.mark.parametrize(("outcome", "procedure_class"), pairs())
def test_every_published_hazard_obeys_the_laws_at_every_hour(outcome, procedure_class):
    assert_a_probability_law(predict(published_model(), outcome, procedure_class, np.arange(0.0, 721.0, 6.0), []))


@given(st.sampled_from(pairs()), HOURS, arrays(float, 2, elements=st.floats(-50, 50)))
def test_no_feature_value_breaks_the_laws(pair, hours, values):
    assert_a_probability_law(predict(fitted(), *pair, hours, values))


@given(arrays(float, (3, 5), elements=st.floats(0, 8)))
def test_the_incidences_of_competing_causes_and_the_event_free_share_add_up_to_one(increments):
    incidences = cumulative_incidence(increments)
    free = np.exp(-np.cumsum(increments.sum(axis=0)))
    np.testing.assert_allclose(incidences.sum(axis=0) + free, 1.0, atol=1e-12)
    assert np.all(np.diff(incidences, axis=-1) >= -1e-15)


@given(HOURS, st.sampled_from([p for p in pairs() if p[0] != "death"]), st.floats(-3, 3), st.floats(-3, 3))
def test_death_competes_so_a_deadlier_course_leaves_fewer_to_have_the_outcome(hours, pair, age, z):
    model, values = fitted(), [6.5 + age, z]
    deadlier = {**model.effects, "death": Effects((3.0, 0.5, 1.0), model.effects["death"].covariance, 30)}
    other = HazardModel("laws", "made up", 72.0, model.baselines, model.features, deadlier)
    assert np.all(predict(other, *pair, hours, values).probability <= predict(model, *pair, hours, values).probability)


@pytest.mark.parametrize(("outcome", "procedure_class"), pairs())
def test_from_the_operation_to_day_30_the_published_incidence_comes_back(outcome, procedure_class):
    """Deaths compete, so the cumulative incidence may lie below the published one by at most the share that
    died."""
    published = incidence(outcome, procedure_class).mid / 100
    died = 0.0 if outcome == "death" else incidence("death", procedure_class).mid / 100
    found = predict(published_model(), outcome, procedure_class, 0.0, []).probability[-1]
    assert published * (1 - died) - 1e-12 <= found <= published + 1e-12


def test_the_day_of_onset_is_the_log_normal_of_the_published_quartiles():
    """Against scipy's own distribution: half of the wound infections by the published median of 17 days."""
    onset = ONSET["ssi"]
    reference = stats.lognorm(onset.sigma, scale=math.exp(onset.mu))
    baseline = published_model().baseline("ssi", "arthroplasty")
    days = np.array([1.0, 11.0, 17.0, 23.0, 30.0])
    expected = reference.cdf(days) / reference.cdf(30.0)
    np.testing.assert_allclose(baseline.share_by(days * 24), expected, rtol=1e-12)
    half_width = (23 / 11) ** 0.5
    assert reference.ppf([0.25, 0.5, 0.75]) == pytest.approx([17 / half_width, 17, 17 * half_width], rel=1e-4)


def test_the_conditional_risk_is_incidence_times_density_over_those_still_free():
    """Numerical integration of the density, the definition written out, against the closed form."""
    baseline = published_model().baseline("pneumonia", "lobectomy")
    onset = ONSET["pneumonia"]
    density = stats.lognorm(onset.sigma, scale=math.exp(onset.mu))
    within = density.cdf(30.0)
    later, _ = integrate.quad(density.pdf, 3.0, 10.0)
    expected = baseline.mid * later / within / (1 - baseline.mid * density.cdf(3.0) / within)
    hazard = np.diff(baseline.cumulative_hazard(np.array([72.0, 240.0])))[0]
    assert 1 - math.exp(-hazard) == pytest.approx(expected, rel=1e-9)


def test_with_constant_hazards_the_incidence_is_the_textbook_formula():
    """Cause 1 at rate a, cause 2 at rate b for time T: a / (a + b) * (1 - exp(-(a + b) T))."""
    a, b = 0.3, 0.9
    found = cumulative_incidence(np.array([[a * 0.25] * 4, [b * 0.25] * 4]))
    assert found[0, -1] == pytest.approx(a / (a + b) * -math.expm1(-(a + b)), rel=1e-12)


def test_the_interval_is_the_delta_method_checked_against_simulation():
    """Coefficients and baseline drawn from their distributions: 5 % and 95 % quantiles within Monte Carlo
    error."""
    model, rng = fitted(0.3), np.random.default_rng(7)
    values = [7.5, 1.5]
    found = predict(model, "pneumonia", "hip_fracture", 48.0, values, (168,))
    effects = model.effects["pneumonia"]
    draws = rng.multivariate_normal(effects.coefficients, effects.covariance, 4000)
    factor = np.exp(rng.normal(0, model.baseline("pneumonia", "hip_fracture").log_sd, 4000))
    simulated = []
    for beta, f in zip(draws, factor, strict=True):
        drawn = Effects(tuple(beta + [math.log(f), 0, 0]), effects.covariance, 30)
        death = {**model.effects, "pneumonia": drawn}
        sample = HazardModel("mc", "made up", 72.0, model.baselines, model.features, death)
        simulated.append(float(predict(sample, "pneumonia", "hip_fracture", 48.0, values, (168,)).probability[0]))
    quantiles = np.quantile(simulated, [0.05, 0.95])
    assert found.low[0] == pytest.approx(quantiles[0], rel=0.06)
    assert found.high[0] == pytest.approx(quantiles[1], rel=0.06)


def test_a_recent_finding_matters_more_for_tomorrow_than_for_the_month():
    contributions = predict(fitted(), "ssi", "colorectal", 96.0, [6.5, 2.0]).contributions
    assert np.all(np.diff(contributions[:, 1]) < 0)
    assert contributions[0, 1] > 0


def test_an_unknown_feature_counts_as_the_mean_and_widens_the_interval():
    model = fitted()
    known = predict(model, "ssi", "colorectal", 96.0, [6.5, 0.0])
    unknown = predict(model, "ssi", "colorectal", 96.0, [math.nan, 0.0])
    np.testing.assert_allclose(unknown.probability, known.probability)
    assert np.all(unknown.high - unknown.low > known.high - known.low)


def test_one_patient_and_many_are_the_same_call():
    model, hours = fitted(), np.array([10.0, 100.0, 400.0])
    values = np.array([[5.0, 1.0], [8.0, -1.0], [math.nan, 3.0]])
    together = predict(model, "vte", "cardiac", hours, values)
    for i in range(3):
        alone = predict(model, "vte", "cardiac", hours[i], values[i])
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-12)


@pytest.mark.parametrize("yet_to_begin", [False, True])
def test_the_probability_alone_is_that_of_the_whole_prediction_to_the_last_bit(yet_to_begin):
    model, hours = replace(fitted(), any_is_the_sum=True), np.array([1.0, 30.0, 30.0, 700.0])
    values = np.array([[5.0, 1.0], [8.0, -1.0], [math.nan, 3.0], [6.0, 0.0]])
    for outcome, horizons in (("complication", (24,)), ("pneumonia", HORIZONS), ("death", (72, 720))):
        asked = (model, outcome, "cardiac", hours, values, horizons)
        whole = predict(*asked, yet_to_begin=yet_to_begin).probability
        np.testing.assert_array_equal(probability(*asked, yet_to_begin=yet_to_begin), whole)


def test_two_models_of_one_name_keep_their_own_numbers():
    mild, grave = fitted(0.1), fitted(0.9)
    assert mild.version == grave.version
    told = [predict(model, "ssi", "colorectal", 96.0, [8.0, 2.0]).probability[0] for model in (mild, grave, mild)]
    assert told[0] == told[2] < told[1]


def test_only_a_known_static_value_far_beyond_its_range_lies_outside():
    """Ages of 18 to 99 in training, with a deviation of 12 years."""
    ages = [8.0, 17.0, 0.5, 1.0, 11.0, 11.2, math.nan]
    values = np.array([[age, 50.0] for age in ages])
    expected = [False, True, True, False, False, True, False]
    assert fitted().outside(values).tolist() == expected
    age, reading = fitted().features
    assert [age.far_outside(one) for one in ages[:-1]] == expected[:-1]
    assert not reading.far_outside(50.0)


def test_a_little_beyond_training_counts_as_the_edge():
    edge, beyond = (predict(fitted(), "ssi", "colorectal", 96.0, [age, 0.0]).probability for age in (9.9, 10.9))
    assert edge.tolist() == beyond.tolist()


def test_the_square_of_an_input_bounds_nothing_by_itself():
    """A body mass index of 46 is a little above one of 45; its square off 28 is far above."""
    assert not Feature("bmi_squared_off_28", "static", 29.6, 38.8, 0.0, 278.9).far_outside(600.0)
    assert Feature("bmi", "static", 29.2, 5.3, 17.0, 44.7).far_outside(52.5)


def test_the_curve_refuses_hours_beyond_its_sources():
    with pytest.raises(OutsideDomain):
        published_model().baseline("ssi", "cardiac").cumulative_hazard(2000.0)


def test_an_outcome_without_a_published_figure_is_refused():
    with pytest.raises(OutsideDomain, match="leak"):
        predict(published_model(), "leak", "arthroplasty", 24.0, [])


def test_an_unknown_operation_is_wider_than_any_known_one():
    for outcome in OUTCOMES:
        generic = incidence(outcome, GENERIC)
        rows = [incidence(outcome, c) for c in INCIDENCE if incidence(outcome, c)]
        if generic:
            assert generic.low == min(r.low for r in rows)
            assert generic.high == max(r.high for r in rows)


def test_every_published_number_names_its_source():
    for outcome, procedure_class in pairs():
        assert "clinical-reference" in published_model().baseline(outcome, procedure_class).source
    assert set(ONSET) == {*NAMED, "readmission", "death"}


def test_the_horizons_lie_on_the_lead_grid():
    assert set(map(float, HORIZONS)) <= set(LEAD_EDGES)
