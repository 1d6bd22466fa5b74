"""Figures of a served model against other software, by simulation, and where they keep silent."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from recovery.twin.governance import (
    FEWEST_PEOPLE,
    auroc,
    auroc_interval,
    category_drift,
    drift,
    judge,
    ratio,
    recalibration,
    share,
    stability,
    subgroups,
    tenths,
)


def made(n: int = 4000, slope: float = 1.0, seed: int = 1):
    """Risks, and events that follow them with the given calibration slope."""
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(-2.0, 1.0, n))
    return p, rng.random(n) < expit(slope * logit(p)), np.arange(n)


def test_a_share_has_the_interval_of_wilson():
    for k, n in ((0, 10), (3, 17), (17, 17), (40, 900)):
        low, high = proportion_confint(k, n, method="wilson")
        found = share(k, n)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    assert share(0, 0) is None


def test_the_area_under_the_curve_is_that_of_scikit_learn_ties_included():
    p, y, _ = made()
    for risks in (p, np.round(p, 1)):
        assert auroc(risks, y) == pytest.approx(roc_auc_score(y, risks), abs=1e-12)


def test_slope_and_intercept_are_those_of_statsmodels_with_errors_by_patient():
    p, y, _ = made()
    who = np.repeat(np.arange(1000), 4)
    fitted = sm.Logit(y, sm.add_constant(logit(p))).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": who, "use_correction": False}
    )
    slope, intercept = recalibration(p, y, who)
    assert (intercept.value, slope.value) == pytest.approx(tuple(fitted.params), abs=1e-6)
    assert (slope.low, slope.high) == pytest.approx(tuple(fitted.conf_int()[1]), abs=1e-4)


def test_overfitted_risks_show_in_the_slope_and_true_ones_do_not():
    p, y, who = made(slope=0.6)
    assert judge(p, y, who).slope.high < 0.8
    good = judge(*made())
    assert good.slope.low < 1 < good.slope.high
    assert good.observed_over_expected.low < 1 < good.observed_over_expected.high


def test_the_interval_of_the_area_holds_the_truth_about_as_often_as_it_says():
    truth = auroc(*made(200_000)[:2])
    held = 0
    for seed in range(40):
        found = auroc_interval(*made(400, seed=seed + 50))
        held += found.low <= truth <= found.high
    assert held >= 34


def test_several_rows_of_one_patient_do_not_make_the_interval_narrower():
    p, y, who = made(300)
    once, often = auroc_interval(p, y, who), auroc_interval(np.tile(p, 5), np.tile(y, 5), np.tile(who, 5))
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.25)


def test_a_count_has_the_exact_poisson_interval():
    found = ratio(10, 8.0)
    assert (found.low * 8, found.high * 8) == pytest.approx((4.795, 18.390), abs=0.001)
    assert ratio(0, 2.0).low == 0.0 and ratio(0, 2.0).high == pytest.approx(3.689 / 2, abs=0.001)
    assert ratio(3, 0.0) is None


def test_tenths_hold_everyone_once_and_equal_risks_are_one_group():
    p, y, _ = made()
    rows = tenths(p, y)
    assert len(rows) == 10 and sum(row.n for row in rows) == len(p) and sum(row.events for row in rows) == y.sum()
    assert len(tenths(np.full(100, 0.1), y[:100])) == 1
    assert tenths(p[:10], y[:10]) == ()


def test_few_people_are_not_shown_and_few_events_give_no_area():
    p, y, who = made(200)
    assert judge(p[: FEWEST_PEOPLE - 1], y[: FEWEST_PEOPLE - 1], who[: FEWEST_PEOPLE - 1]) is None
    nobody = judge(p, np.zeros(200, bool), who)
    assert (nobody.auroc, nobody.slope) == (None, None) and nobody.events == 0
    assert judge(np.tile(p[:10], 20), np.tile(y[:10], 20), np.tile(np.arange(10), 20)) is None


def test_equal_risks_give_no_slope_but_still_the_level():
    y = np.arange(300) % 5 == 0
    found = judge(np.full(300, 0.2), y, np.arange(300))
    assert found.slope is None and found.observed_over_expected.value == pytest.approx(1.0)


def test_the_same_law_drifts_little_and_a_shifted_one_a_lot():
    rng = np.random.default_rng(4)
    before = rng.normal(0, 1, 2000)
    assert drift("same", before, rng.normal(0, 1, 1000)).verdict == "little"
    assert drift("moved", before, rng.normal(1, 1, 1000)).verdict == "large"
    assert drift("few", before, before[:10]).verdict == "too few to say"


def test_the_index_is_the_published_sum_over_bins():
    before = np.arange(1000.0)
    lately = np.concatenate([np.arange(500.0), np.arange(500.0)])
    p, q = np.full(10, 0.1), np.r_[np.full(5, 0.2), np.zeros(5)]
    p, q = (1000 * p + 0.5) / 1005, (1000 * q + 0.5) / 1005
    assert stability(before, lately) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_missing_values_are_no_drift_and_a_new_category_is():
    rng = np.random.default_rng(9)
    values = rng.normal(size=300)
    assert drift("gaps", values, np.r_[values, np.full(300, np.nan)]).index < 0.01
    assert category_drift("operation", ["a"] * 90, ["a"] * 90).index < 0.01
    assert category_drift("operation", ["a"] * 90, ["b"] * 90).verdict == "large"


def test_each_subgroup_has_its_figures_or_is_withheld():
    p, y, who = made(1000)
    groups = np.where(np.arange(1000) < 990, "many", "few")
    found = subgroups(p, y, who, groups)
    assert found["few"] is None and found["many"].people == 990
