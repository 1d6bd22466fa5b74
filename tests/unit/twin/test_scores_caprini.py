"""Caprini 2005, factor by factor, and against a second implementation that adds the printed lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, caprini
from tests.unit.twin.score_sheets import TABLES, edges, inputs_of, read_sheet

SHEET = {key: TABLES["caprini"][key] for key in ("age_years", "bmi", "operation")}
POINTS = {key: int(n) for n in "1235" for key in TABLES["caprini"][n]}
ABSENT = dict.fromkeys(POINTS, False)
YOUNG = {"age_years": 30, "bmi": 22, "operation": "none"}
RANGES = {"age_years": (18, 100, 1), "bmi": (140, 600, 10)}


@pytest.mark.parametrize(("factor", "points"), POINTS.items())
def test_each_factor_carries_its_points(factor, points):
    assert caprini({**ABSENT, factor: True}, **YOUNG).value == points


@pytest.mark.parametrize(("field", "value", "points"), list(edges(SHEET)))
def test_each_edge_of_age_weight_and_operation(field, value, points):
    assert caprini(ABSENT, **{**YOUNG, field: value}).value == points


@given(st.fixed_dictionaries({key: st.booleans() for key in POINTS}), inputs_of(SHEET, RANGES))
def test_it_agrees_with_a_second_implementation_that_adds_the_lists(present, patient):
    total = sum(POINTS[key] for key, there in present.items() if there) + sum(read_sheet(SHEET, patient).values())
    assert caprini(present, **patient).value == total


@pytest.mark.parametrize(
    ("present", "band", "per_hundred"),
    [
        ((), "very_low", 0.5),
        (("copd",), "low", 1.5),
        (("malignancy",), "low", 1.5),
        (("vte",), "moderate", 3.0),
        (("malignancy", "plaster"), "moderate", 3.0),
        (("stroke",), "high", 6.0),
    ],
)
def test_the_bands_and_their_rates_without_prophylaxis(present, band, per_hundred):
    result = caprini({**ABSENT, **dict.fromkeys(present, True)}, **YOUNG)
    assert (result.band, result.rates[0].per_hundred) == (band, per_hundred)
    assert "2012" in result.rates[0].source


def test_a_factor_not_mentioned_is_missing_and_a_partial_score_has_no_rate():
    result = caprini({}, **YOUNG)
    assert len(result.missing) == len(POINTS)
    assert (result.value, result.rates) == (0, ())
    assert not result.band_certain


def test_five_known_points_are_high_whatever_is_missing():
    result = caprini({"stroke": True})
    assert (result.band, result.band_certain, result.complete) == ("high", True, False)


def test_items_of_women_are_settled_for_a_man():
    asked = {key: False for key in POINTS if key not in ("pregnancy", "miscarriage", "oestrogen")}
    assert caprini(asked, **YOUNG, sex="male").complete
    assert len(caprini(asked, **YOUNG, sex="female").missing) == 3
    with pytest.raises(ScoreRefused, match="pregnancy"):
        caprini({"pregnancy": True}, sex="male")


@pytest.mark.parametrize("wrong", [{"operation": "huge"}, {"bmi": 2500}, {"sex": "m"}])
def test_it_refuses_what_cannot_be_an_input(wrong):
    with pytest.raises(ScoreRefused):
        caprini(ABSENT, **{**YOUNG, **wrong})


def test_it_refuses_a_factor_it_does_not_hold():
    with pytest.raises(ScoreRefused, match="smoking"):
        caprini({"smoking": True})
