"""Surgical Apgar against the printed table and a second implementation that reads it."""

import pytest
from hypothesis import given

from recovery.twin.scores import ScoreRefused, surgical_apgar
from tests.unit.twin.score_sheets import TABLES, edges, inputs_of, read_sheet

SHEET = TABLES["surgical_apgar"]
WORST = {"blood_loss_ml": 2000, "lowest_mean_pressure": 30, "lowest_heart_rate": 120}
RANGES = {"blood_loss_ml": (0, 4000, 1), "lowest_mean_pressure": (0, 150, 1), "lowest_heart_rate": (20, 180, 1)}


def test_the_reference_vector():
    result = surgical_apgar(blood_loss_ml=600, lowest_mean_pressure=55, lowest_heart_rate=76)
    assert [item.points for item in result.items] == [2, 2, 1]
    assert (result.value, result.complete) == (5, True)


@pytest.mark.parametrize(("field", "value", "points"), list(edges(SHEET)))
def test_every_edge_of_every_cell(field, value, points):
    assert surgical_apgar(**{**WORST, field: value}).value == points


@given(inputs_of(SHEET, RANGES))
def test_it_agrees_with_a_second_implementation_that_reads_the_table(inputs):
    total = sum(read_sheet(SHEET, inputs).values())
    result = surgical_apgar(**inputs)
    assert result.value == total <= 10
    assert result.band == ("high_risk" if total <= 4 else "not_high_risk")


def test_an_arrhythmic_bradycardia_scores_nothing():
    slow = {"blood_loss_ml": 50, "lowest_mean_pressure": 80, "lowest_heart_rate": 40}
    assert surgical_apgar(**slow).value == 10
    assert surgical_apgar(**slow, bradyarrhythmia=True).value == 6
    assert surgical_apgar(bradyarrhythmia=True).missing == ("blood loss", "lowest mean arterial pressure")


def test_a_missing_item_bounds_the_score_from_both_sides():
    result = surgical_apgar(blood_loss_ml=50, lowest_mean_pressure=80)
    assert (result.value, result.highest, result.complete) == (6, 10, False)
    assert (result.band, result.band_certain) == ("not_high_risk", True)
    assert not surgical_apgar(lowest_mean_pressure=80).band_certain


def test_it_refuses_a_negative_blood_loss():
    with pytest.raises(ScoreRefused):
        surgical_apgar(blood_loss_ml=-1)
