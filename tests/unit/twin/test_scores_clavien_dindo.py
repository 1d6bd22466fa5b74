"""Clavien-Dindo grades from facts, and the comprehensive complication index from grades."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, clavien_dindo, complication_index
from tests.unit.twin.score_sheets import TABLES

WEIGHTS = TABLES["cci_weights"]
DENIED = {
    "death": False,
    "failing_organs": 0,
    "intervention": False,
    "general_anaesthesia": False,
    "drug_treatment": False,
    "deviation": False,
}
ORDER = ("none", "I", "II", "IIIa", "IIIb", "IVa", "IVb", "V")


@pytest.mark.parametrize(("grade", "value"), TABLES["cci_singles"].items())
def test_each_single_grade(grade, value):
    assert round(complication_index([grade]).value, 1) == value


@pytest.mark.parametrize(("grades", "value"), TABLES["cci_vectors"], ids=str)
def test_the_reference_vectors(grades, value):
    assert round(complication_index(grades).value, 1) == value


@given(st.lists(st.sampled_from([*WEIGHTS, "V"]), max_size=12))
def test_it_agrees_with_a_second_implementation_in_decimals(grades):
    by_hand = Decimal(100)
    if "V" not in grades:
        by_hand = min((Decimal(sum(WEIGHTS[grade] for grade in grades)) / 4).sqrt(), Decimal(100))
    assert complication_index(grades).value == pytest.approx(float(by_hand), abs=1e-12)


@given(st.lists(st.sampled_from(list(WEIGHTS)), max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_another_complication_never_lowers_it(grades, random):
    shuffled = random.sample(grades, len(grades))
    assert complication_index(grades).value == complication_index(shuffled).value
    assert complication_index([*grades, "I"]).value >= complication_index(grades).value


def test_no_complication_is_zero_and_many_grave_ones_stop_at_a_hundred():
    assert complication_index([]).value == 0
    assert complication_index(["IVb"] * 10).value == 100
    assert complication_index(["IIIad"]).value == complication_index(["IIIa"]).value


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        ({}, "none"),
        ({"deviation": True}, "I"),
        ({"deviation": True, "drug_treatment": True}, "II"),
        ({"intervention": True}, "IIIa"),
        ({"intervention": True, "general_anaesthesia": True}, "IIIb"),
        ({"failing_organs": 1}, "IVa"),
        ({"failing_organs": 2}, "IVb"),
        ({"failing_organs": 2, "death": True}, "V"),
    ],
)
def test_the_gravest_treatment_gives_the_grade(facts, grade):
    result = clavien_dindo(**{**DENIED, **facts})
    assert (result.grade, result.certain) == (grade, True)


facts_of_a_complication = st.fixed_dictionaries(
    {key: st.integers(0, 4) if key == "failing_organs" else st.booleans() for key in DENIED}
)


@given(facts_of_a_complication)
def test_it_agrees_with_the_highest_of_all_grades_that_apply(facts):
    holds = {
        "I": facts["deviation"],
        "II": facts["drug_treatment"],
        "IIIa": facts["intervention"],
        "IIIb": facts["intervention"] and facts["general_anaesthesia"],
        "IVa": facts["failing_organs"] == 1,
        "IVb": facts["failing_organs"] > 1,
        "V": facts["death"],
    }
    assert clavien_dindo(**facts).grade == max(
        (g for g, there in holds.items() if there), key=ORDER.index, default="none"
    )


@given(facts_of_a_complication, st.sets(st.sampled_from(sorted(DENIED)), min_size=1))
def test_what_is_not_known_can_only_raise_the_grade_and_is_named(facts, hidden):
    full = clavien_dindo(**facts)
    partial = clavien_dindo(**{key: fact for key, fact in facts.items() if key not in hidden})
    assert ORDER.index(partial.grade or "none") <= ORDER.index(full.grade)
    if partial.certain:
        assert partial.grade == full.grade
    else:
        assert all(name in partial.text for name in partial.missing)


def test_disability_is_a_suffix():
    assert clavien_dindo(**{**DENIED, "intervention": True}, disability_at_discharge=True).text == "IIIad"
    assert clavien_dindo(**{**DENIED, "death": True}, disability_at_discharge=True).text == "V"


def test_nothing_known_is_not_no_complication():
    assert clavien_dindo().grade is None


@pytest.mark.parametrize("grade", ["3", "iv", "VI", "", "Vd"])
def test_it_refuses_another_grade(grade):
    with pytest.raises(ScoreRefused):
        complication_index([grade])


def test_it_refuses_a_negative_number_of_organs():
    with pytest.raises(ScoreRefused):
        clavien_dindo(failing_organs=-1)
