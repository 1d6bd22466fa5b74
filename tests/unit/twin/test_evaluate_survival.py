"""Integrated Brier score and concordance out of folds, against what they must be by construction."""

import numpy as np
import pandas as pd
import pytest

from recovery.twin.evaluate_survival import cross_validate, integrated_brier


def test_a_clairvoyant_scores_nought_and_a_coin_a_quarter():
    t, events, grid = np.arange(1.0, 101.0), np.ones(100, bool), np.linspace(5, 95, 50)
    perfect = (t[:, None] > grid).astype(float)
    assert integrated_brier(t, events, t, events, perfect, grid) == 0.0
    assert integrated_brier(t, events, t, events, np.full_like(perfect, 0.5), grid) == pytest.approx(0.25)


def test_censoring_is_weighed_so_that_the_score_stays_that_of_the_uncensored():
    rng = np.random.default_rng(3)
    true, censored = rng.exponential(10, 20_000), rng.exponential(15, 20_000)
    t, events, grid = np.minimum(true, censored), true <= censored, np.linspace(1, 15, 30)
    guess = np.broadcast_to(np.exp(-grid / 10), (len(t), len(grid)))
    seen = integrated_brier(t, events, t, events, guess, grid)
    whole = integrated_brier(true, np.ones(len(t), bool), true, np.ones(len(t), bool), guess, grid)
    assert seen == pytest.approx(whole, abs=0.004)


def test_a_real_effect_beats_kaplan_meier_out_of_folds():
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    t, stop = rng.exponential(10 / np.exp(x)), rng.exponential(25, 400)
    found = cross_validate(pd.DataFrame({"x": x}), np.minimum(t, stop), t <= stop, ["x"], [], [0])
    assert found["c"] > 0.68
    assert found["ibs"] < found["ibs_kaplan_meier"] - 0.02


def test_noise_is_worth_a_coin():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=300)})
    found = cross_validate(frame, rng.exponential(10, 300), np.ones(300, bool), ["x"], [], [0, 1])
    assert found["c"] == pytest.approx(0.5, abs=0.05)
