"""SIRS at each limit, and against a count of what is normal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, sirs

WELL = {"temperature": 37.0, "pulse": 70, "respiratory_rate": 16, "white_cells": 7.0}


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"temperature": 38.0}, 0),
        ({"temperature": 38.1}, 1),
        ({"temperature": 38.05}, 1),
        ({"temperature": 36.0}, 0),
        ({"temperature": 35.9}, 1),
        ({"pulse": 90}, 0),
        ({"pulse": 91}, 1),
        ({"respiratory_rate": 20}, 0),
        ({"respiratory_rate": 21}, 1),
        ({"paco2_mmhg": 32}, 0),
        ({"paco2_mmhg": 31.9}, 1),
        ({"white_cells": 12}, 0),
        ({"white_cells": 12.1}, 1),
        ({"white_cells": 4}, 0),
        ({"white_cells": 3.9}, 1),
        ({"bands_percent": 10}, 0),
        ({"bands_percent": 10.1}, 1),
    ],
)
def test_each_limit_counts_one_point(changes, value):
    result = sirs(**{**WELL, **changes})
    assert (result.value, result.complete) == (value, True)


@given(
    st.integers(300, 430),
    st.integers(20, 250),
    st.integers(3, 70),
    st.integers(100, 900),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_it_agrees_with_four_minus_what_is_normal(temperature, pulse, rate, paco2, cells, bands):
    normal = [360 <= temperature <= 380, pulse <= 90, rate <= 20 and paco2 >= 320, 40 <= cells <= 120 and bands <= 100]
    result = sirs(
        temperature=temperature / 10,
        pulse=pulse,
        respiratory_rate=rate,
        paco2_mmhg=paco2 / 10,
        white_cells=cells / 10,
        bands_percent=bands / 10,
    )
    assert result.value == 4 - sum(normal)
    assert result.band == ("positive" if sum(normal) <= 2 else "negative")


def test_a_normal_paco2_or_band_count_alone_leaves_the_item_missing():
    result = sirs(temperature=37.0, pulse=70, paco2_mmhg=40, bands_percent=2)
    assert len(result.missing) == 2
    assert not result.band_certain
    assert sirs(paco2_mmhg=30, bands_percent=20).value == 2


def test_a_published_wrong_answer_is_not_repeated():
    """99 F, 70 /min, 16 /min, 7,000 cells were labelled 2 in a public copy of a benchmark (clinical-reference 4.15)."""
    assert sirs(temperature=37.2, pulse=70, respiratory_rate=16, white_cells=7.0).value == 0


@pytest.mark.parametrize("wrong", [{"temperature": 99}, {"white_cells": 7000}, {"bands_percent": 101}])
def test_it_refuses_a_value_in_another_unit(wrong):
    with pytest.raises(ScoreRefused):
        sirs(**{**WELL, **wrong})
