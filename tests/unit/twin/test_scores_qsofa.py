"""qSOFA at each limit, and against a count written the other way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, qsofa


@pytest.mark.parametrize(
    ("rate", "systolic", "glasgow", "value"),
    [(21, 101, 15, 0), (22, 101, 15, 1), (21, 100, 15, 1), (21, 101, 14, 1), (22, 100, 14, 3)],
)
def test_each_limit_counts_one_point(rate, systolic, glasgow, value):
    result = qsofa(respiratory_rate=rate, systolic=systolic, glasgow=glasgow)
    assert (result.value, result.complete) == (value, True)
    assert result.band == ("positive" if value >= 2 else "negative")


@given(st.integers(3, 70), st.integers(40, 280), st.integers(3, 15))
def test_it_agrees_with_three_minus_the_items_that_are_well(rate, systolic, glasgow):
    well = [rate < 22, systolic > 100, glasgow == 15]
    assert qsofa(respiratory_rate=rate, systolic=systolic, glasgow=glasgow).value == 3 - sum(well)


def test_two_points_are_positive_whatever_is_missing():
    result = qsofa(respiratory_rate=24, systolic=95)
    assert (result.band, result.band_certain, result.missing) == ("positive", True, ("altered mentation",))


def test_one_point_with_an_item_missing_is_not_certainly_negative():
    result = qsofa(respiratory_rate=24, altered_mentation=False)
    assert (result.band, result.band_certain, result.complete) == ("negative", False, False)


def test_it_refuses_mentation_that_contradicts_the_glasgow_total():
    with pytest.raises(ScoreRefused, match="Glasgow"):
        qsofa(altered_mentation=False, glasgow=13)
