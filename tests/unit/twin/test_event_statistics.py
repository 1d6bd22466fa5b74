"""Intervals, numbers at risk and the log-rank test against SciPy, lifelines and worked cases."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from scipy import stats

from recovery.twin.errors import MalformedSamples
from recovery.twin.event_statistics import Z95, incidence_curve, log_rank, numbers_at_risk

RNG = np.random.default_rng(20)
T = np.round(RNG.exponential(12.0, 300), 1) + 0.1
K = np.where(T == T.max(), 0, RNG.choice([0, 1], 300, p=[0.4, 0.6]))
ROWS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), min_size=2, max_size=40)


def test_without_rivals_it_is_one_minus_kaplan_meier_with_the_log_log_interval_of_scipy_and_lifelines():
    found = incidence_curve(T, K)
    scipy = stats.ecdf(stats.CensoredData.right_censored(T, K == 0)).sf
    with warnings.catch_warnings():  # before the first event SciPy has no interval
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = scipy.confidence_interval(method="log-log")
    lifelines = KaplanMeierFitter().fit(T, K).confidence_interval_
    for day in (3.0, 10.0, 25.0):
        middle, low, high = found.at(day)
        assert middle == pytest.approx(1.0 - scipy.evaluate(day), abs=1e-12)
        assert low == pytest.approx(1.0 - interval.high.evaluate(day), abs=1e-9)
        assert high == pytest.approx(1.0 - interval.low.evaluate(day), abs=1e-9)
        row = lifelines[lifelines.index <= day].iloc[-1]
        assert (low, high) == pytest.approx((1.0 - row.iloc[1], 1.0 - row.iloc[0]), abs=1e-9)


def test_with_rivals_the_variance_behind_the_interval_is_that_of_lifelines():
    t = np.arange(1.0, 201.0) / 7.0  # no ties: lifelines would shake them
    cause = RNG.choice([0, 1, 2], 200, p=[0.3, 0.4, 0.3])
    found = incidence_curve(t, cause)
    fitted = AalenJohansenFitter(calculate_variance=True).fit(t, cause, event_of_interest=1)
    for day in (5.0, 14.0, 27.0):
        middle, low, high = found.at(day)
        assert middle == pytest.approx(fitted.cumulative_density_[: day + 1e-9].iloc[-1, 0], abs=1e-12)
        width = np.log(-np.log(1 - high)) - np.log(-np.log(1 - low))
        se = width / (2 * Z95) * (1 - middle) * -np.log(1 - middle)
        assert se == pytest.approx(np.sqrt(fitted.variance_[fitted.variance_.index <= day].iloc[-1]), rel=1e-6)


@given(ROWS)
def test_the_interval_holds_the_estimate_and_stays_a_probability(rows):
    found = incidence_curve(*map(np.array, zip(*rows, strict=True)))
    assert (found.low <= found.middle + 1e-12).all() and (found.middle <= found.high + 1e-12).all()
    assert (found.low >= 0).all() and (found.high <= 1).all()
    assert (np.diff(found.middle) >= 0).all() and found.at(0.0) == (0.0, 0.0, 0.0)


def test_before_anything_happened_the_incidence_is_none():
    assert incidence_curve([3.0, 4.0], [0, 0]).at(30.0) == (0.0, 0.0, 0.0)


def test_numbers_at_risk_count_those_followed_to_that_time():
    assert numbers_at_risk([1.0, 2.0, 2.0, 5.0], [0.0, 2.0, 2.5, 6.0]) == (4, 3, 1, 0)


def test_two_groups_are_compared_as_scipy_compares_them():
    group = RNG.integers(0, 2, 300)
    found = log_rank([T[group == k] for k in (0, 1)], [K[group == k] for k in (0, 1)])
    sides = [stats.CensoredData.right_censored(T[group == k], K[group == k] == 0) for k in (0, 1)]
    assert found.p == pytest.approx(stats.logrank(*sides).pvalue, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_many_groups_are_compared_as_lifelines_compares_them(seed, groups):
    rng = np.random.default_rng(seed)
    t, happened, group = rng.integers(1, 15, 90), rng.integers(0, 2, 90), np.arange(90) % groups
    found = log_rank([t[group == k] for k in range(groups)], [happened[group == k] for k in range(groups)])
    with warnings.catch_warnings():  # of pandas, in lifelines
        warnings.simplefilter("ignore")
        theirs = multivariate_logrank_test(t, group, happened)
    assert found.statistic == pytest.approx(theirs.test_statistic, rel=1e-6, abs=1e-9)
    assert found.p == pytest.approx(theirs.p_value, rel=1e-6, abs=1e-12)


def test_there_is_nothing_to_compare_in_one_group_or_without_events():
    assert log_rank([[1.0, 2.0]], [[1, 0]]) is None
    assert log_rank([[1.0], [2.0]], [[0], [0]]) is None
    assert log_rank([[1.0], []], [[1], []]) is None


def test_a_time_that_is_no_number_is_refused():
    with pytest.raises(MalformedSamples):
        incidence_curve([float("nan")], [1])
