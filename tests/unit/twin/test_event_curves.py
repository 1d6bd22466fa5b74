"""Kaplan-Meier and Aalen-Johansen against exact fractions, statsmodels, and each other."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight

from recovery.twin.errors import MalformedSamples
from recovery.twin.event_curves import aalen_johansen, kaplan_meier

ROWS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=40)


def by_hand(rows, cause, until):
    """Cumulative incidence by walking through the times, in exact fractions."""
    free, risen = Fraction(1), Fraction(0)
    for time in sorted({t for t, k in rows if k and t <= until}):
        at_risk = sum(t >= time for t, _ in rows)
        risen += free * Fraction(sum(row == (time, cause) for row in rows), at_risk)
        free *= 1 - Fraction(sum(t == time and k > 0 for t, k in rows), at_risk)
    return risen, free


@given(ROWS)
def test_they_agree_with_exact_fractions_ties_and_all(rows):
    t, k = map(np.array, zip(*rows, strict=True))
    curves, free = aalen_johansen(t, k), kaplan_meier(t, k)
    for until in (0, 3, 7, 12):
        assert float(free.at(until)) == pytest.approx(float(by_hand(rows, 1, until)[1]), abs=1e-12)
        for cause, steps in curves.items():
            assert float(steps.at(until)) == pytest.approx(float(by_hand(rows, cause, until)[0]), abs=1e-12)


@given(ROWS)
def test_all_incidences_and_the_share_still_free_add_up_to_one(rows):
    t, k = map(np.array, zip(*rows, strict=True))
    total = sum(steps.at(12) for steps in aalen_johansen(t, k).values()) + kaplan_meier(t, k).at(12)
    assert total == pytest.approx(1.0, abs=1e-12)


def test_it_agrees_with_statsmodels_to_a_millionth():
    rng = np.random.default_rng(9)
    t, k = rng.integers(1, 60, 500).astype(float), rng.integers(0, 4, 500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels divides by zero in its variance
        other = CumIncidenceRight(t, k)
    for cause, steps in aalen_johansen(t, k).items():
        assert np.abs(steps.at(other.times) - other.cinc[cause - 1]).max() < 1e-6


def test_one_minus_kaplan_meier_overstates_where_causes_compete():
    rng = np.random.default_rng(1)
    t, k = rng.exponential(10, 400), rng.integers(1, 3, 400)
    assert 1 - kaplan_meier(t, k == 1).at(20) > aalen_johansen(t, k)[1].at(20) + 0.1


def test_a_step_is_right_continuous():
    free = kaplan_meier([1.0, 2.0], [1, 1])
    assert (free.just_before(1.0), free.at(1.0), free.at(0.5)) == (1.0, 0.5, 1.0)


def test_nobody_with_an_event_leaves_everyone_free():
    assert kaplan_meier([3.0, 4.0], [0, 0]).at(10) == 1.0
    assert aalen_johansen([3.0], [0])[1].at(10) == 0.0


@pytest.mark.parametrize(("t", "k"), [([1.0], [1, 1]), ([-1.0], [1]), ([np.nan], [1]), ([1.0], [-1])])
def test_it_refuses_what_is_not_a_list_of_durations(t, k):
    with pytest.raises(MalformedSamples):
        aalen_johansen(t, k)
