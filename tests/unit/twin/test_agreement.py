"""Bias and limits of agreement, against the paper's own data and against the standard library."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.agreement import FEWEST_PAIRS, agreement, matched

# Peak expiratory flow, first of two by each meter, 17 people: Bland and Altman, Lancet 1986, table 1.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_data_of_the_paper_give_the_figures_of_the_paper() -> None:
    found = agreement(np.array(WRIGHT, float) - np.array(MINI, float), fewest=17)
    assert found is not None
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert (found.high - found.bias) / 1.96 == pytest.approx(38.8, abs=0.05)
    # The paper rounds the SD first and doubles it: -2.1 - 2 x 38.8 = -79.7 and 75.5.
    assert (found.low, found.high) == (pytest.approx(-79.7, abs=1.7), pytest.approx(75.5, abs=1.7))


@given(st.lists(st.floats(-500, 500, allow_subnormal=False), min_size=FEWEST_PAIRS, max_size=200))
def test_the_standard_library_says_the_same(differences: list[float]) -> None:
    found = agreement(np.array(differences))
    assert found is not None and found.pairs == len(differences)
    mean, spread = statistics.fmean(differences), statistics.stdev(differences)
    assert found.bias == pytest.approx(mean, abs=1e-9)
    assert (found.low, found.high) == (
        pytest.approx(mean - 1.96 * spread, abs=1e-6),
        pytest.approx(mean + 1.96 * spread, abs=1e-6),
    )


def test_below_the_fewest_pairs_nothing_is_said() -> None:
    assert agreement(np.ones(FEWEST_PAIRS - 1)) is None
    assert agreement(np.ones(FEWEST_PAIRS)) is not None
    assert agreement(np.ones(1), fewest=0) is None


def test_one_that_repeats_the_other_is_told_from_one_that_agrees() -> None:
    assert agreement(np.zeros(FEWEST_PAIRS)).same  # type: ignore[union-attr]
    assert not agreement(np.ones(FEWEST_PAIRS)).same  # type: ignore[union-attr]


TIMES = st.lists(st.integers(0, 10_000), max_size=60, unique=True).map(sorted)


@given(TIMES, TIMES, st.integers(0, 500))
def test_pairs_are_near_and_no_reading_is_in_two(one: list[int], other: list[int], within: int) -> None:
    here, there = matched(np.array(one, np.int64), np.array(other, np.int64), within)
    assert len(set(here.tolist())) == len(set(there.tolist())) == len(here)
    for i, j in zip(here, there, strict=True):
        gap = abs(one[i] - other[j])
        assert gap <= within
        assert gap == min(abs(one[i] - time) for time in other) == min(abs(other[j] - time) for time in one)


def test_a_reading_without_a_fellow_is_left_out() -> None:
    here, there = matched(np.array([0, 100, 5000]), np.array([90, 4000]), 60)
    assert (here.tolist(), there.tolist()) == ([1], [0])
