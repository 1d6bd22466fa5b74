"""What a reading will be worth, against simulated readings that were really conditioned on."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin import METRICS, Tier, cold_start, fold, load
from recovery.twin.advice import (
    WORTH_ASKING,
    advise,
    burden_of,
    deviation_reduction,
    forecast_reduction,
    log_hazard_slope,
    present,
)
from recovery.twin.filter import condition_on, design
from recovery.twin.forecast import level
from recovery.twin.hazard_store import shipped_model
from recovery.twin.params import DEVIATION
from recovery.twin.survival import LEAD_EDGES, faded, hazard_increments, lead_weights, published_model
from tests.unit.twin.twin_cases import KNEE, stream

PARAMS, MODEL = cold_start(), shipped_model()
NOW = 120.0
STATE = fold(None, PARAMS, KNEE, load(stream(), NOW)).state
HOURS = NOW + np.array([24.0, 48.0, 72.0])
DRAWS = 60_000


def brute_force(key: str, noise: float):
    """Variance of the means of the levels ahead and of the present deviation over readings drawn from what is
    believed: by the law of total variance, what one reading is expected to remove."""
    bound = PARAMS.for_metric(key, KNEE)
    belief = present(STATE, bound, NOW)
    rng = np.random.default_rng(3)
    h = design(bound, np.asarray(NOW))
    true = rng.multivariate_normal(belief.mean, belief.cov, DRAWS)
    readings = true @ h + rng.normal(0.0, np.sqrt(noise), DRAWS)
    wide = belief._replace(
        mean=np.broadcast_to(belief.mean, (DRAWS, 7)).copy(), cov=np.broadcast_to(belief.cov, (DRAWS, 7, 7)).copy()
    )
    after = condition_on(wide, np.broadcast_to(h, (DRAWS, 7)), np.full(DRAWS, noise), readings)
    gap = HOURS + bound.lag_hours - NOW
    rows = design(bound, HOURS + bound.lag_hours)
    rows[:, DEVIATION] = np.exp(-bound.deviation_rate * gap)
    return (after.mean @ rows.T).var(axis=0), after.mean[:, DEVIATION].var() / float(bound.deviation_var)


@pytest.mark.parametrize("key", ["heart_rate", "steps", "pain", "temperature"])
def test_the_expected_reduction_is_the_variance_that_simulated_readings_explain(key):
    bound = PARAMS.for_metric(key, KNEE)
    belief, noise = present(STATE, bound, NOW), float(bound.noise_var(int(Tier.CLEARED), 1))
    before, removed = forecast_reduction(belief, bound, noise, NOW, HOURS)
    _, gone = deviation_reduction(belief, bound, noise, NOW)
    levels, deviation = brute_force(key, noise)
    np.testing.assert_allclose(removed, levels, rtol=0.03)
    assert gone == pytest.approx(deviation, rel=0.03)
    assert (removed > 0).all() and (removed < before).all()


@pytest.mark.parametrize("key", ["heart_rate", "steps", "spo2", "pain"])
def test_the_variance_after_a_reading_is_the_variance_before_less_the_reduction(key):
    bound = PARAMS.for_metric(key, KNEE)
    belief, noise = present(STATE, bound, NOW), float(bound.noise_var(0, 1))
    before, removed = forecast_reduction(belief, bound, noise, NOW, HOURS)
    after = condition_on(belief, design(bound, np.asarray(NOW)), np.asarray(noise), np.asarray(12.3))
    _, left = level(after, bound, HOURS + bound.lag_hours)
    np.testing.assert_allclose(before - removed, left, rtol=1e-9)


def test_the_effect_of_a_deviation_on_the_risk_is_that_of_the_risk_model_itself():
    values = np.array([f.mean for f in MODEL.features])
    index = [f.key for f in MODEL.features].index("z_heart_rate")
    edges, hazards = np.array(LEAD_EDGES)[:8], []
    for step in (-0.005, 0.005):
        moved = values.copy()
        moved[index] += step
        z = faded(MODEL.features, MODEL.standardise(moved), lead_weights(MODEL.fade_hours))
        hazards.append(hazard_increments(MODEL, "complication", "arthroplasty", np.array(NOW), z)[:7].sum())
    assert edges[-1] == 168.0
    slope = np.log(hazards[1] / hazards[0]) / 0.01
    assert log_hazard_slope(MODEL, KNEE, "heart_rate", NOW) == pytest.approx(slope, rel=0.01)


def test_the_most_worth_per_minute_comes_first_and_nothing_worthless_is_asked_for():
    told = advise(STATE, PARAMS, KNEE, MODEL, NOW)
    assert told
    assert [one.worth_a_minute for one in told] == sorted((one.worth_a_minute for one in told), reverse=True)
    assert all(one.worth >= WORTH_ASKING and 0 <= one.forecast <= 1 and 0 <= one.risk <= 1 for one in told)
    assert all(one.sd_after < one.sd_before for one in told)
    assert sum(one.risk for one in told) <= 1


def test_a_measure_never_read_is_worth_more_than_one_read_an_hour_ago():
    unread = replace(STATE, metrics={key: held for key, held in STATE.metrics.items() if key != "pain"})
    with_pain = {one.metric: one for one in advise(STATE, PARAMS, KNEE, MODEL, NOW)}
    without = {one.metric: one for one in advise(unread, PARAMS, KNEE, MODEL, NOW)}
    assert without["pain"].age_h is None
    assert without["pain"].forecast > (with_pain["pain"].forecast if "pain" in with_pain else 0.0)


def test_an_implant_is_not_asked_of_a_patient_without_one():
    told = advise(None, PARAMS, KNEE, MODEL, NOW)
    assert not {one.metric for one in told} & {"qualified_steps", "cadence", "knee_rom"}


def test_a_better_instrument_is_worth_more():
    best = {one.metric: one.forecast for one in advise(STATE, PARAMS, KNEE, MODEL, NOW, tier=Tier.CLEARED)}
    watch = {one.metric: one.forecast for one in advise(STATE, PARAMS, KNEE, MODEL, NOW, tier=Tier.CONSUMER)}
    assert all(best[key] >= watch[key] for key in best.keys() & watch.keys())


def test_before_surgery_and_beyond_the_models_days_nothing_is_advised():
    assert advise(STATE, PARAMS, KNEE, MODEL, -5.0) == ()
    assert advise(None, PARAMS, KNEE, MODEL, 24.0 * 400) == ()


def test_a_model_without_patient_features_says_nothing_of_the_risk():
    assert all(one.risk == 0.0 for one in advise(STATE, PARAMS, KNEE, published_model(), NOW))


def test_every_metric_has_a_burden_with_a_source():
    for metric in METRICS.values():
        assert burden_of(metric).minutes > 0
        assert burden_of(metric).source.text
