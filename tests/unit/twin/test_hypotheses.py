"""Hypotheses against ordinary recovery: the likelihood by hand, and what must hold for every reading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from recovery.twin.benign import BENIGN_SIGNATURES
from recovery.twin.hypotheses import (
    NOT_POSSIBLE,
    HypothesisModel,
    Noise,
    Signature,
    calibration_names,
    complications,
    contributions,
    likelihood_ratios,
    onset_hours_ago,
    prior_log_hazard,
    weigh,
)
from recovery.twin.surprise_blocks import BLOCKS, Blocks
from recovery.twin.survival import published_model

RISE, FALL = (2.0,) * BLOCKS, (-1.5,) * BLOCKS
NOISE = {"heart_rate": Noise(0.1, 0.2, 0.6), "spo2": Noise(-0.1, 0.1, 0.5), "temperature": Noise(0.0, 0.3, 0.4)}


def made_model(**changes):
    values = {
        "version": "test",
        "twin_version": "twin",
        "evidence": "made for a test",
        "temper": 1.0,
        "noise": NOISE,
        "signatures": {
            "pneumonia": Signature({"heart_rate": RISE, "spo2": FALL}, "test"),
            "ssi": Signature({"temperature": RISE}, "test"),
            "fever_without_source": BENIGN_SIGNATURES["fever_without_source"],
        },
        "calibration": {"intercept": 0.0, "any": 1.0},
    }
    return HypothesisModel(**{**values, **changes})


MODEL = made_model()
QUIET = Blocks(np.tile([[0.1], [-0.1], [0.0]], BLOCKS), np.full((3, BLOCKS), 6.0))
NOTHING = Blocks(np.zeros((3, BLOCKS)), np.zeros((3, BLOCKS)))
PRIOR = np.log([0.02, 0.01])


def ill(since: int) -> Blocks:
    """Pneumonia as the signature says, begun `since` blocks ago."""
    mean = QUIET.mean.copy()
    mean[0, :since] += 2.0
    mean[1, :since] -= 1.5
    return Blocks(mean, QUIET.n)


def test_the_likelihood_ratio_is_that_of_two_normal_densities():
    rng = np.random.default_rng(3)
    seen = Blocks(rng.normal(size=(3, BLOCKS)), rng.integers(0, 7, (3, BLOCKS)).astype(float))
    found = likelihood_ratios(MODEL, seen)
    for h, signature in enumerate(MODEL.signatures.values()):
        for onset in range(1, BLOCKS + 1):
            total = 0.0
            for m, (metric, noise) in enumerate(NOISE.items()):
                for b in range(onset):
                    if seen.n[m, b]:
                        shift = signature.shifts.get(metric, (0.0,) * BLOCKS)[onset - 1 - b]
                        sd = np.sqrt(noise.own + noise.shared / seen.n[m, b])
                        total += norm.logpdf(seen.mean[m, b], noise.centre + shift, sd)
                        total -= norm.logpdf(seen.mean[m, b], noise.centre, sd)
            assert found[h, onset - 1] == pytest.approx(total, abs=1e-9)


def test_what_the_metrics_say_adds_up_to_the_likelihood_ratio():
    np.testing.assert_allclose(contributions(MODEL, ill(4)).sum(axis=-2), likelihood_ratios(MODEL, ill(4)), atol=1e-9)


def test_without_a_reading_the_posterior_is_the_prior():
    found = weigh(MODEL, NOTHING, PRIOR, 100.0)
    odds = np.array([0.02, 0.01, 0.05])
    np.testing.assert_allclose(found.posterior, odds / (1 + odds.sum()))


def test_a_course_like_the_signature_is_named_and_its_onset_found():
    found = weigh(MODEL, ill(4), PRIOR, 100.0)
    assert found.posterior[MODEL.names.index("pneumonia")] > 0.95
    assert 18 <= onset_hours_ago(found.by_onset)[0] <= 27


def test_an_ordinary_course_speaks_against_every_complication():
    before, after = weigh(MODEL, NOTHING, PRIOR, 100.0), weigh(MODEL, QUIET, PRIOR, 100.0)
    assert after.ordinary > before.ordinary
    assert (after.posterior < before.posterior).all()


def test_a_fever_of_a_day_is_shared_with_its_harmless_rival():
    mean = QUIET.mean.copy()
    mean[2, :4] += 2.0
    with_rival = weigh(MODEL, Blocks(mean, QUIET.n), PRIOR, 100.0)
    alone = made_model(signatures={k: v for k, v in MODEL.signatures.items() if k not in BENIGN_SIGNATURES})
    without = weigh(alone, Blocks(mean, QUIET.n), PRIOR, 100.0)
    assert with_rival.posterior[1] < without.posterior[1]
    assert with_rival.posterior[2] > with_rival.posterior[0]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_probabilities_add_up_to_one_and_patients_do_not_mix(seed):
    rng = np.random.default_rng(seed)
    seen = Blocks(rng.normal(0, 2, (5, 3, BLOCKS)), rng.integers(0, 7, (5, 3, BLOCKS)).astype(float))
    priors, hours = rng.normal(-5, 2, (5, 2)), rng.uniform(1, 700, 5)
    many = weigh(MODEL, seen, priors, hours)
    np.testing.assert_allclose(many.posterior.sum(axis=-1) + many.ordinary, 1.0, atol=1e-9)
    assert ((many.suspicion >= 0) & (many.suspicion <= 1)).all()
    one = weigh(MODEL, Blocks(seen.mean[2], seen.n[2]), priors[2], hours[2])
    np.testing.assert_allclose(one.posterior, many.posterior[2], atol=1e-12)


def test_suspicion_is_the_logistic_of_named_inputs():
    model = made_model(calibration=dict.fromkeys(calibration_names(MODEL), 0.0) | {"intercept": -2.0, "log_hour": 0.5})
    found = weigh(model, ill(4), PRIOR, 100.0)
    harmless = found.posterior[2]
    assert found.suspicion == pytest.approx((1 - harmless) / (1 + np.exp(2.0 - 0.5 * np.log(100.0))))


def test_what_a_harmless_cause_explains_raises_no_suspicion():
    mean = QUIET.mean.copy()
    mean[2, :4] += 2.0
    fever = Blocks(mean, QUIET.n)
    with_rival = weigh(MODEL, fever, PRIOR, 100.0)
    alone = made_model(signatures={k: v for k, v in MODEL.signatures.items() if k not in BENIGN_SIGNATURES})
    without = weigh(alone, fever, PRIOR, 100.0)
    assert with_rival.suspicion == pytest.approx(without.suspicion * (1 - with_rival.posterior[2]))
    assert with_rival.suspicion < 0.9 * without.suspicion


def test_a_complication_unknown_after_the_operation_is_all_but_impossible():
    model = made_model(signatures={name: Signature({}, "test") for name in ("leak", "ssi")})
    hazards = published_model()
    knee, bowel = (
        prior_log_hazard(model, hazards, c, np.array(96.0), np.empty(0)) for c in ("arthroplasty", "colorectal")
    )
    assert complications(model) == ("leak", "ssi")
    assert knee[0] == NOT_POSSIBLE and knee[1] > NOT_POSSIBLE
    assert bowel[0] > NOT_POSSIBLE
