"""Laws that every metric and every procedure obeys, over the whole registry."""

import json

import numpy as np
import pytest

from recovery.twin import (
    METRICS,
    PROCEDURES,
    PopulationParams,
    Profile,
    Samples,
    Tier,
    cold_start,
    fold,
    forecast,
    forecast_days,
    load,
    population_curve,
)
from recovery.twin.anchors import CURVES
from recovery.twin.errors import MalformedState
from recovery.twin.filter import initial
from recovery.twin.metrics import IMPLANT_CODES, LOINC, QUESTIONNAIRE_CODES
from recovery.twin.params import STATE_SIZE

PARAMS = cold_start()
PAIRS = [(m, c) for m, curves in PARAMS.by_metric.items() for c in curves]
WEEKS = 24.0 * np.array([-3, -1, 0, 1, 3, 7, 14, 30, 60, 90])


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_is_fully_described(key):
    metric = METRICS[key]
    assert metric.key == key and metric.label and metric.unit and metric.codes
    assert metric.plausible[0] < metric.plausible[1] and metric.display[0] < metric.display[1]
    assert {c.system for c in metric.codes} <= {LOINC, IMPLANT_CODES, QUESTIONNAIRE_CODES}
    assert len(metric.noise.between) == len(Tier) and all(sd > 0 for sd in metric.noise.between)
    assert list(metric.noise.between) == sorted(metric.noise.between), "a better tier is never noisier"
    assert metric.noise.source.text and metric.plausible_source.text


def test_no_code_belongs_to_two_metrics():
    codes = [c for m in METRICS.values() for c in m.codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("key", METRICS)
def test_every_value_comes_back_from_the_model_scale(key):
    metric = METRICS[key]
    x = np.linspace(*metric.plausible, 50)
    np.testing.assert_allclose(metric.transform.inverse(metric.transform.forward(x)), x, rtol=1e-9, atol=1e-9)
    assert (np.diff(metric.transform.forward(x)) > 0).all()


@pytest.mark.parametrize("key", METRICS)
def test_the_slope_is_the_derivative_of_the_scale(key):
    t, (low, high) = METRICS[key].transform, METRICS[key].plausible
    x = np.linspace(low, high, 7)[1:-1]
    step = 1e-5 * (high - low)
    numeric = (t.forward(x + step) - t.forward(x - step)) / (2 * step)
    np.testing.assert_allclose(t.slope(x), numeric, rtol=1e-6)


@pytest.mark.parametrize(("key", "curve"), PAIRS)
def test_parameters_are_finite_sourced_and_a_proper_prior(key, curve):
    p = PARAMS.by_metric[key][curve]
    assert p.prior_mean.shape == (STATE_SIZE,) and np.isfinite(p.prior_mean).all()
    assert (np.linalg.eigvalsh(p.prior_cov) >= 0).all()
    assert p.deviation_rate > 0 and p.deviation_var > 0 and (p.sensor_noise_var > 0).all()
    assert p.sample_noise_var >= 0 and p.last_hour >= 24 * 90
    assert len(p.sources) >= 5 and all(s.mark in "VGMD" and s.text for s in p.sources)


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_has_a_generic_curve_and_it_is_no_surer_than_any_procedure(key):
    curves = PARAMS.by_metric[key]
    generic = initial(curves["generic"]).cov.trace()
    assert all(initial(p).cov.trace() <= generic + 1e-9 for p in curves.values())


@pytest.mark.parametrize(("key", "curve"), PAIRS)
def test_the_procedure_curve_has_rising_quantiles_inside_the_display(key, curve):
    metric = METRICS[key]
    q = population_curve(PARAMS, Profile(curve), key, WEEKS).quantiles
    assert np.isfinite(q).all() and (np.diff(q, axis=-1) >= 0).all()
    assert q.min() >= metric.display[0] and q.max() <= metric.display[1]


@pytest.mark.parametrize("key", METRICS)
def test_a_fed_twin_forecasts_finite_rising_quantiles(key):
    metric = METRICS[key]
    hours = np.arange(0.0, 240.0) + 0.5
    middle = float(metric.transform.inverse(PARAMS.by_metric[key]["generic"].prior_mean[0]))
    per_hour = middle / 24.0 if metric.grain == "day" else middle
    state = fold(None, PARAMS, Profile(), load({key: Samples.of(hours, np.full(240, per_hour))}, 240.0)).state
    for curve in (
        forecast(state, PARAMS, Profile(), key, [240, 400, 2000]),
        forecast_days(state, PARAMS, Profile(), key, [10, 20, 80]),
    ):
        assert np.isfinite(curve.quantiles).all() and (np.diff(curve.quantiles, axis=-1) >= 0).all()


def anchored():
    """Every relative course; the one that the bases cannot follow is named, not hidden."""
    lasting = pytest.mark.xfail(
        strict=True, reason="every base returns to baseline, the fall in heart rate after lost weight does not"
    )
    for m, curves in CURVES.items():
        for p in curves.by_procedure if curves.kind != "level" else ():
            missed = (m, p) == ("heart_rate", "sleeve_gastrectomy")
            yield pytest.param(m, p, marks=lasting if missed else ())


@pytest.mark.parametrize(("metric", "procedure"), list(anchored()))
def test_the_cold_start_reproduces_its_anchors(metric, procedure):
    """Within a quarter of the largest anchored departure from baseline: three bases cannot do everything."""
    curves, bound = CURVES[metric], PARAMS.by_metric[metric][procedure]
    t, level = METRICS[metric].transform, bound.prior_mean[0]
    v = np.array(curves.by_procedure[procedure])
    base = float(t.inverse(level))
    published = t.forward(base * v / 100 if curves.kind == "percent" else base + v) - level
    days = np.array(curves.days)
    made = np.exp(-(24 * days[:, None] + 12) / bound.tau_hours) @ bound.prior_mean[1:4]
    assert np.abs(made - published).max() <= 0.25 * np.abs(published).max()


@pytest.mark.parametrize("key", PROCEDURES)
def test_a_procedure_in_the_catalogue_has_a_step_and_heart_rate_curve_of_its_own(key):
    for metric in ("heart_rate", "steps", "temperature", "pain"):
        assert PARAMS.for_metric(metric, Profile(key)).curve == key


def test_parameters_survive_json_to_the_last_bit():
    plain = PARAMS.to_plain()
    back = PopulationParams.from_plain(json.loads(json.dumps(plain)))
    assert back.to_plain() == plain
    for key, curve in PAIRS:
        np.testing.assert_array_equal(back.by_metric[key][curve].prior_cov, PARAMS.by_metric[key][curve].prior_cov)


def test_parameters_that_cannot_be_read_are_refused():
    with pytest.raises(MalformedState):
        PopulationParams.from_plain({"version": "x"})
    broken = PARAMS.to_plain()
    broken["metrics"]["steps"]["generic"]["prior_cov"] = [[1.0]]
    with pytest.raises(MalformedState, match="shape"):
        PopulationParams.from_plain(broken)


def test_parameters_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="read-only"):
        PARAMS.by_metric["steps"]["generic"].prior_mean[0] = 0.0
    with pytest.raises(TypeError):
        PARAMS.by_metric["steps"]["generic"] = None
