"""NEWS2 against the printed chart, cell by cell, and against a second implementation that only reads that
chart."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, news2

REFERENCE = Path(__file__).parents[2] / "reference"
VECTORS = json.loads((REFERENCE / "score_vectors.json").read_text())["news2"]
CHART = json.loads((REFERENCE / "news2_chart.json").read_text())
WELL = {
    "respiratory_rate": 16,
    "spo2": 97,
    "on_oxygen": False,
    "systolic": 120,
    "pulse": 70,
    "consciousness": "A",
    "temperature": 37.0,
}
OBSERVATIONS = st.fixed_dictionaries(
    {
        "respiratory_rate": st.integers(3, 70),
        "spo2": st.integers(50, 100),
        "on_oxygen": st.booleans(),
        "systolic": st.integers(40, 280),
        "pulse": st.integers(20, 250),
        "consciousness": st.sampled_from("ACVPU"),
        "temperature": st.integers(300, 430).map(lambda tenths: tenths / 10),
        "spo2_scale": st.sampled_from((1, 2)),
    }
)


def read_chart(row: str, value: float) -> int:
    cells = [c for c in CHART[row] if (c[0] is None or value >= c[0]) and (c[1] is None or value <= c[1])]
    assert len(cells) == 1, f"{row} {value} falls in {len(cells)} cells"
    return cells[0][2]


def chart_points(o: dict) -> list[int]:
    """The second implementation: reads the printed cells, knows nothing of the first."""
    spo2 = "spo2_scale_1"
    if o.get("spo2_scale") == 2:
        spo2 = "spo2_scale_2_oxygen" if o["on_oxygen"] else "spo2_scale_2_air"
    return [
        read_chart("respiratory_rate", o["respiratory_rate"]),
        read_chart(spo2, o["spo2"]),
        CHART["on_oxygen"][json.dumps(o["on_oxygen"])],
        read_chart("systolic", o["systolic"]),
        read_chart("pulse", o["pulse"]),
        CHART["consciousness"][o["consciousness"]],
        read_chart("temperature", o["temperature"]),
    ]


def edges() -> list[tuple[str, dict, int]]:
    fields = {
        "spo2_scale_1": {},
        "spo2_scale_2_air": {"spo2_scale": 2},
        "spo2_scale_2_oxygen": {"spo2_scale": 2, "on_oxygen": True},
    }
    rows = []
    for row, cells in CHART.items():
        if isinstance(cells, list):
            key = "spo2" if row.startswith("spo2") else row
            for low, high, points in cells:
                for edge in (low, high):
                    if edge is not None:
                        rows.append((key, {**WELL, **fields.get(row, {}), key: edge}, points))
    return rows


def points_of(result, key: str) -> int | None:
    return next(item.points for item in result.items if item.key == key)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_reference_vectors(vector):
    result = news2(age_years=70, **vector["in"])
    assert [item.points for item in result.items] == vector["points"]
    assert (result.value, result.band, result.complete) == (vector["value"], vector["band"], True)


@pytest.mark.parametrize(("key", "observations", "points"), edges())
def test_every_edge_of_every_cell_of_the_chart(key, observations, points):
    assert points_of(news2(age_years=70, **observations), key) == points


@given(OBSERVATIONS)
def test_it_agrees_with_a_second_implementation_that_reads_the_chart(observations):
    result = news2(age_years=16, **observations)
    assert [item.points for item in result.items] == chart_points(observations)
    assert result.value == result.highest == sum(chart_points(observations)) <= 20


@given(OBSERVATIONS, st.sets(st.sampled_from(sorted(WELL)), min_size=1))
def test_a_partial_score_names_what_it_lacks_and_bounds_the_complete_one(observations, hidden):
    complete = news2(age_years=70, **observations)
    partial = news2(age_years=70, **{k: None if k in hidden else v for k, v in observations.items()})
    assert not partial.complete
    assert len(partial.missing) >= len(hidden)
    assert (partial.value or 0) <= complete.value <= partial.highest
    assert all(name in partial.text for name in partial.missing)
    if partial.band_certain:
        assert partial.band == complete.band


def test_a_wearable_alone_gives_a_partial_score_labelled_so():
    result = news2(age_years=70, respiratory_rate=22, spo2=94, pulse=95, temperature=37.2)
    assert result.value == 4
    assert result.text == ("NEWS2 partial, at least 4: air or oxygen, systolic blood pressure, consciousness missing")


def test_nothing_known_is_not_a_score_of_zero():
    result = news2(age_years=70)
    assert (result.value, result.band, len(result.missing)) == (None, "not_scored", 7)


def test_a_single_three_asks_for_an_urgent_ward_review():
    result = news2(age_years=70, **{**WELL, "pulse": 131})
    assert (result.value, result.band) == (3, "low_medium")
    assert [item.key for item in result.worst_items] == ["pulse"]


@pytest.mark.parametrize(
    ("total", "systolic", "rate", "band"), [(4, 100, 21, "low"), (5, 90, 21, "medium"), (6, 90, 25, "medium")]
)
def test_the_bands_change_at_five(total, systolic, rate, band):
    result = news2(age_years=70, **{**WELL, "systolic": systolic, "respiratory_rate": rate})
    assert (result.value, result.band) == (total, band)


def test_seven_asks_for_an_emergency_response():
    result = news2(age_years=70, **{**WELL, "systolic": 90, "respiratory_rate": 25, "spo2": 95})
    assert (result.value, result.band) == (7, "high")


@pytest.mark.parametrize(
    ("reading", "points"),
    [(38.04, 0), (38.05, 1), (39.04, 1), (39.05, 2), (36.04, 1), (36.05, 0), (35.04, 3), (35.05, 1)],
)
def test_temperature_is_compared_at_one_decimal_in_decimal_arithmetic(reading, points):
    assert points_of(news2(age_years=70, **{**WELL, "temperature": reading}), "temperature") == points


def test_an_unknown_oxygen_supply_leaves_a_high_saturation_on_scale_2_unscored():
    result = news2(age_years=70, **{**WELL, "spo2_scale": 2, "spo2": 97, "on_oxygen": None})
    assert result.missing == ("oxygen saturation", "air or oxygen")
    assert result.highest - result.value == 5


@pytest.mark.parametrize("age", [15.99, 0, math.nan])
def test_it_refuses_a_patient_under_sixteen(age):
    with pytest.raises(ScoreRefused, match="under 16"):
        news2(age_years=age, **WELL)


def test_it_refuses_pregnancy():
    with pytest.raises(ScoreRefused, match="pregnancy"):
        news2(age_years=30, pregnant=True, **WELL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 98.6},
        {"spo2": 101},
        {"pulse": math.nan},
        {"systolic": -1},
        {"consciousness": "alert"},
        {"spo2_scale": 3},
    ],
)
def test_it_refuses_what_cannot_be_a_reading(wrong):
    with pytest.raises(ScoreRefused):
        news2(age_years=70, **{**WELL, **wrong})
