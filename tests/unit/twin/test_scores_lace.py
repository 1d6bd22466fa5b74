"""LACE against the printed table, its own comorbidity weights, and a second implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, lace
from recovery.twin.scores.lace import comorbidity
from tests.unit.twin.score_sheets import TABLES, edges, inputs_of, read_sheet

SHEET, WEIGHTS = TABLES["lace"], TABLES["lace_weights"]
NOTHING = {"days": 0, "acute": False, "comorbidity_points": 0, "emergency_visits": 0}
RANGES = {"days": (0, 60, 1), "comorbidity_points": (0, 20, 1), "emergency_visits": (0, 12, 1)}
KNOWN = st.fixed_dictionaries({key: st.booleans() for key in WEIGHTS})
MILD = {"diabetes": "diabetes_organ_damage", "mild_liver_or_renal": "severe_liver_or_renal", "tumour": "metastatic"}


def points_by_hand(present):
    counted = {key for key, there in present.items() if there}
    return sum(WEIGHTS[key] for key in counted if MILD.get(key) not in counted)


def test_the_reference_vector():
    result = lace(days=5, acute=True, comorbidity_points=4, emergency_visits=1)
    assert [item.points for item in result.items] == [4, 3, 5, 1]
    assert (result.value, result.band) == (13, "high")


@pytest.mark.parametrize(("field", "value", "points"), list(edges(SHEET)))
def test_every_edge_of_every_cell(field, value, points):
    assert lace(**{**NOTHING, field: value}).value == points


@pytest.mark.parametrize(("days", "points"), [(0.9, 0), (1.0, 1), (3.99, 3), (6.99, 4), (13.99, 5), (14.0, 7)])
def test_only_whole_days_count(days, points):
    assert lace(**{**NOTHING, "days": days}).value == points


@given(inputs_of(SHEET, RANGES))
def test_it_agrees_with_a_second_implementation_that_reads_the_table(inputs):
    total = sum(read_sheet(SHEET, inputs).values())
    assert (lace(**inputs).value, lace(**inputs).band) == (total, "high" if total >= 10 else "not_high")
    assert total <= 19


@given(KNOWN)
def test_comorbidity_adds_its_own_weights_and_only_the_more_severe_of_a_pair(present):
    assert comorbidity(present) == points_by_hand(present)


@given(KNOWN, st.sets(st.sampled_from(sorted(WEIGHTS)), min_size=1))
def test_comorbidity_is_unknown_only_while_the_unknown_could_move_the_item(present, hidden):
    seen = comorbidity({key: there for key, there in present.items() if key not in hidden})
    full = lace(**{**NOTHING, "comorbidity_points": comorbidity(present)}).value
    if seen is not None:
        assert lace(**{**NOTHING, "comorbidity_points": seen}).value == full


def test_a_condition_not_mentioned_is_not_absent():
    assert comorbidity({}) is None
    assert comorbidity({"dementia": True, "heart_failure": True}) == 5
    result = lace(days=2, acute=False, emergency_visits=0)
    assert (result.missing, result.highest) == (("comorbidity",), 7)


@pytest.mark.parametrize("wrong", [{"days": -1}, {"emergency_visits": -1}, {"comorbidity_points": True}])
def test_it_refuses_what_cannot_be_a_count(wrong):
    with pytest.raises(ScoreRefused):
        lace(**wrong)


def test_it_refuses_a_condition_it_does_not_hold():
    with pytest.raises(ScoreRefused, match="gout"):
        comorbidity({"gout": True})
