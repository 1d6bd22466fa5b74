"""ARISCAT at each limit of each item, and against a second implementation made of a list of rules."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, ariscat

VECTORS = json.loads((Path(__file__).parents[2] / "reference" / "score_vectors.json").read_text())["ariscat"]
LOW = {
    "age_years": 40,
    "spo2_on_air": 98,
    "respiratory_infection_last_month": False,
    "haemoglobin_g_dl": 13,
    "incision": "peripheral",
    "duration_hours": 1,
    "emergency": False,
}
RULES = [
    ("age_years", lambda v: 51 <= v < 81, 3),
    ("age_years", lambda v: v >= 81, 16),
    ("spo2_on_air", lambda v: 91 <= v <= 95, 8),
    ("spo2_on_air", lambda v: v <= 90, 24),
    ("respiratory_infection_last_month", bool, 17),
    ("haemoglobin_g_dl", lambda v: v <= 10, 11),
    ("incision", lambda v: v == "upper_abdominal", 15),
    ("incision", lambda v: v == "intrathoracic", 24),
    ("duration_hours", lambda v: 2 < v <= 3, 16),
    ("duration_hours", lambda v: v > 3, 23),
    ("emergency", bool, 8),
]
INPUTS = st.fixed_dictionaries(
    {
        "age_years": st.integers(18, 100),
        "spo2_on_air": st.integers(70, 100),
        "respiratory_infection_last_month": st.booleans(),
        "haemoglobin_g_dl": st.integers(40, 180).map(lambda tenths: tenths / 10),
        "incision": st.sampled_from(("peripheral", "upper_abdominal", "intrathoracic")),
        "duration_hours": st.integers(1, 40).map(lambda quarters: quarters / 4),
        "emergency": st.booleans(),
    }
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_reference_vectors(vector):
    result = ariscat(**vector["in"])
    assert [item.points for item in result.items] == vector["points"]
    assert (result.value, result.band) == (vector["value"], vector["band"])
    assert result.rates[0].per_hundred == vector["per_hundred"]


@pytest.mark.parametrize(
    ("field", "value", "points"),
    [
        ("age_years", 50.9, 0),
        ("age_years", 51, 3),
        ("age_years", 80.9, 3),
        ("age_years", 81, 16),
        ("spo2_on_air", 96, 0),
        ("spo2_on_air", 95, 8),
        ("spo2_on_air", 91, 8),
        ("spo2_on_air", 90, 24),
        ("haemoglobin_g_dl", 10.0, 11),
        ("haemoglobin_g_dl", 10.1, 0),
        ("haemoglobin_g_dl", 10.04, 11),
        ("duration_hours", 2.0, 0),
        ("duration_hours", 2.01, 16),
        ("duration_hours", 3.0, 16),
        ("duration_hours", 3.01, 23),
        ("incision", "upper_abdominal", 15),
        ("incision", "intrathoracic", 24),
        ("respiratory_infection_last_month", True, 17),
        ("emergency", True, 8),
    ],
)
def test_each_limit_of_each_item(field, value, points):
    assert ariscat(**{**LOW, field: value}).value == points


@given(INPUTS)
def test_it_agrees_with_a_second_implementation_made_of_rules(inputs):
    assert ariscat(**inputs).value == sum(points for field, holds, points in RULES if holds(inputs[field]))


@given(INPUTS, st.sets(st.sampled_from(sorted(LOW)), min_size=1))
def test_a_partial_score_bounds_the_complete_one_and_gives_no_rate(inputs, hidden):
    partial = ariscat(**{k: None if k in hidden else v for k, v in inputs.items()})
    assert (partial.value or 0) <= ariscat(**inputs).value <= partial.highest
    assert (len(partial.missing), partial.rates) == (len(hidden), ())


@pytest.mark.parametrize(
    ("changes", "value", "band", "per_hundred"),
    [
        ({"spo2_on_air": 90}, 24, "low", 1.6),
        ({"respiratory_infection_last_month": True, "emergency": True}, 25, "low", 1.6),
        ({"incision": "upper_abdominal", "haemoglobin_g_dl": 9}, 26, "intermediate", 13.3),
        (
            {"age_years": 60, "respiratory_infection_last_month": True, "spo2_on_air": 90},
            44,
            "intermediate",
            13.3,
        ),
        (
            {"incision": "intrathoracic", "haemoglobin_g_dl": 9, "spo2_on_air": 94, "age_years": 60},
            46,
            "high",
            42.1,
        ),
    ],
)
def test_the_bands_and_their_published_rates(changes, value, band, per_hundred):
    result = ariscat(**{**LOW, **changes})
    assert (result.value, result.band, result.rates[0].per_hundred) == (value, band, per_hundred)


@pytest.mark.parametrize("wrong", [{"incision": "chest"}, {"age_years": -1}, {"haemoglobin_g_dl": 120}])
def test_it_refuses_what_cannot_be_an_input(wrong):
    with pytest.raises(ScoreRefused):
        ariscat(**{**LOW, **wrong})
