"""RCRI: six items of one point, and both published rate tables."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, rcri

RATES = json.loads((Path(__file__).parents[2] / "reference" / "score_vectors.json").read_text())["rcri_rates"]
FLAGS = (
    "high_risk_surgery",
    "ischaemic_heart_disease",
    "heart_failure",
    "cerebrovascular_disease",
    "insulin_treated_diabetes",
)


@pytest.mark.parametrize("row", RATES, ids=lambda row: f"{row['points']} points")
def test_each_class_carries_both_published_rates(row):
    present = dict(zip(FLAGS, [True] * row["points"] + [False] * 5, strict=False))
    result = rcri(**present, creatinine_mg_dl=2.1 if row["points"] == 6 else 1.0)
    assert result.value == row["points"]
    assert [rate.per_hundred for rate in result.rates] == [row["lee_1999"], row["ccs_2017"]]
    assert "Lee 1999" in result.rates[0].source
    assert "2017" in result.rates[1].source


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_it_counts_what_is_present(present):
    result = rcri(**dict(zip(FLAGS, present[:5], strict=True)), creatinine_umol_l=200 if present[5] else 80)
    assert result.value == present.count(True)
    assert result.band == f"class_{min(present.count(True), 3) + 1}"


@pytest.mark.parametrize(
    ("creatinine", "points"),
    [
        ({"creatinine_mg_dl": 2.0}, 0),
        ({"creatinine_mg_dl": 2.01}, 1),
        ({"creatinine_umol_l": 177}, 0),
        ({"creatinine_umol_l": 177.1}, 1),
    ],
)
def test_creatinine_is_compared_in_its_own_unit(creatinine, points):
    assert rcri(**creatinine).value == points


def test_a_missing_item_gives_no_event_rate():
    result = rcri(**dict.fromkeys(FLAGS, False))
    assert (result.complete, result.rates, result.highest) == (False, (), 1)


def test_it_refuses_creatinine_in_two_units():
    with pytest.raises(ScoreRefused, match="two units"):
        rcri(creatinine_mg_dl=1.0, creatinine_umol_l=88.4)
