"""Charlson with both sets of weights, against a second implementation that adds the printed columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, charlson
from tests.unit.twin.score_sheets import TABLES, edges, read_cell

PRINTED = {key: row for key, row in TABLES["charlson_weights"].items() if key != "columns"}
COLUMNS = TABLES["charlson_weights"]["columns"]
MILD = {"mild_liver": "severe_liver", "diabetes": "diabetes_organ_damage", "tumour": "metastatic"}
WELL = dict.fromkeys(PRINTED, False)
KNOWN = st.fixed_dictionaries({key: st.booleans() for key in PRINTED})


def by_hand(present, column):
    counted = {key for key, there in present.items() if there}
    return sum(PRINTED[key][COLUMNS.index(column)] for key in counted if MILD.get(key) not in counted)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("condition", PRINTED)
def test_each_condition_carries_its_printed_weight(column, condition):
    result = charlson({**WELL, condition: True}, weights=column)
    assert result.value == PRINTED[condition][COLUMNS.index(column)]


@given(KNOWN, st.sampled_from(COLUMNS), st.integers(18, 100))
def test_it_agrees_with_a_second_implementation_that_adds_the_columns(present, column, age):
    points = by_hand(present, column)
    assert charlson(present, weights=column).value == points
    with_age = charlson(present, weights=column, age_adjusted=True, age_years=age)
    assert with_age.value == points + read_cell(TABLES["charlson_age"], age)


@pytest.mark.parametrize(("field", "age", "points"), list(edges({"age": TABLES["charlson_age"]})))
def test_age_adds_a_point_a_decade_from_fifty(field, age, points):
    assert charlson(WELL, age_adjusted=True, age_years=age).value == points


@pytest.mark.parametrize(("mild", "severe"), MILD.items())
def test_only_the_more_severe_of_a_pair_counts(mild, severe):
    both = charlson({**WELL, mild: True, severe: True})
    assert both.value == PRINTED[severe][0]


@given(KNOWN, st.sampled_from(COLUMNS), st.sets(st.sampled_from(sorted(PRINTED)), min_size=1))
def test_a_condition_not_mentioned_is_missing_and_bounds_the_index(present, column, hidden):
    partial = charlson({key: there for key, there in present.items() if key not in hidden}, weights=column)
    assert (partial.value or 0) <= charlson(present, weights=column).value <= partial.highest


@pytest.mark.parametrize(("extra", "band"), [({}, "0"), ({"dementia": True}, "1_to_2"), ({"aids": True}, "5_or_more")])
def test_the_groups_of_the_paper(extra, band):
    assert charlson({**WELL, **extra}).band == band


def test_the_label_and_the_source_say_which_weights_were_used():
    old, new = charlson(WELL), charlson(WELL, weights="quan_2011", age_adjusted=True, age_years=70)
    assert (old.label, new.label) == ("Charlson (1987 weights)", "Charlson with age (Quan 2011 weights)")
    assert "1987" in old.source
    assert "2011" in new.source


def test_an_adjusted_index_without_an_age_names_the_age():
    assert charlson(WELL, age_adjusted=True).missing == ("age",)


@pytest.mark.parametrize(("conditions", "weights"), [({"gout": True}, "charlson_1987"), ({}, "elixhauser")])
def test_it_refuses_unknown_conditions_and_weights(conditions, weights):
    with pytest.raises(ScoreRefused):
        charlson(conditions, weights=weights)
