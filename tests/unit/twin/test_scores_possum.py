"""POSSUM and P-POSSUM against the printed sheet, cell by cell, and the published equations."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import ScoreRefused, possum, possum_operative, possum_physiology
from recovery.twin.scores.possum import P_POSSUM_MORTALITY, POSSUM_MORBIDITY, POSSUM_MORTALITY, expected
from tests.unit.twin.score_sheets import TABLES, edges, inputs_of, read_sheet

PHYSIOLOGY, OPERATIVE = TABLES["possum_physiology"], TABLES["possum_operative"]
WELL = {
    "age_years": 50,
    "systolic": 120,
    "pulse": 70,
    "glasgow": 15,
    "haemoglobin_g_dl": 14,
    "white_cells": 7,
    "urea_mmol_l": 5,
    "sodium": 140,
    "potassium": 4,
    "cardiac": "none",
    "respiratory": "none",
    "ecg": "normal",
}
SMALL = {
    "severity": "minor",
    "procedures": 1,
    "blood_loss_ml": 50,
    "soiling": "none",
    "malignancy": "none",
    "urgency": "elective",
}
RANGES = {
    "age_years": (0, 110, 1),
    "systolic": (40, 260, 1),
    "pulse": (20, 220, 1),
    "glasgow": (3, 15, 1),
    "haemoglobin_g_dl": (40, 220, 10),
    "white_cells": (5, 500, 10),
    "urea_mmol_l": (10, 500, 10),
    "sodium": (110, 160, 1),
    "potassium": (15, 80, 10),
    "procedures": (1, 6, 1),
    "blood_loss_ml": (0, 3000, 1),
}


@pytest.mark.parametrize("row", TABLES["possum_vectors"]["rows"], ids=str)
def test_the_three_equations_give_the_reference_percentages(row):
    physiology, operative, *percent = row
    for equation, told in zip((P_POSSUM_MORTALITY, POSSUM_MORTALITY, POSSUM_MORBIDITY), percent, strict=True):
        assert round(100 * expected(physiology, operative, equation), 2) == told


def test_a_well_patient_and_a_small_operation_score_the_least_possible():
    found = possum(possum_physiology(**WELL), possum_operative(**SMALL))
    assert (found.physiology.value, found.operative.value) == (12, 6)
    assert round(100 * found.p_possum_mortality, 2) == 0.22
    assert (found.complete, found.missing) == (True, ())


@pytest.mark.parametrize(("field", "value", "points"), list(edges(PHYSIOLOGY)))
def test_every_edge_of_the_physiology_sheet(field, value, points):
    assert possum_physiology(**{**WELL, field: value}).value == 11 + points


@pytest.mark.parametrize(("field", "value", "points"), list(edges(OPERATIVE)))
def test_every_edge_of_the_operative_sheet(field, value, points):
    assert possum_operative(**{**SMALL, field: value}).value == 5 + points


@pytest.mark.parametrize(
    ("field", "value", "points"),
    [
        ("haemoglobin_g_dl", 12.95, 1),
        ("haemoglobin_g_dl", 12.949, 2),
        ("haemoglobin_g_dl", 9.95, 4),
        ("potassium", 5.35, 4),
        ("potassium", 3.449, 2),
        ("urea_mmol_l", 7.55, 2),
        ("white_cells", 10.04, 1),
        ("sodium", 135.5, 1),
        ("systolic", 99.5, 2),
        ("age_years", 60.9, 1),
    ],
)
def test_a_value_between_two_cells_is_rounded_to_the_printed_precision_first(field, value, points):
    assert possum_physiology(**{**WELL, field: value}).value == 11 + points


@given(inputs_of(PHYSIOLOGY, RANGES), inputs_of(OPERATIVE, RANGES))
def test_it_agrees_with_a_second_implementation_that_reads_the_sheet(patient, operation):
    ps, os = (sum(read_sheet(*pair).values()) for pair in ((PHYSIOLOGY, patient), (OPERATIVE, operation)))
    found = possum(possum_physiology(**patient), possum_operative(**operation))
    assert (found.physiology.value, found.operative.value) == (ps, os)
    odds = math.exp(-9.065 + 0.1692 * ps + 0.1550 * os)
    assert found.p_possum_mortality == pytest.approx(odds / (1 + odds), rel=1e-12)


@given(inputs_of(PHYSIOLOGY, RANGES), st.sets(st.sampled_from(sorted(WELL)), min_size=1))
def test_a_missing_item_is_named_and_leaves_no_risk(patient, hidden):
    partial = possum_physiology(**{k: v for k, v in patient.items() if k not in hidden})
    found = possum(partial, possum_operative(**SMALL))
    assert (found.p_possum_mortality, found.possum_mortality, found.possum_morbidity) == (None, None, None)
    assert len(found.missing) == len(hidden)
    assert (partial.value or 0) < possum_physiology(**patient).value <= partial.highest


@pytest.mark.parametrize(
    "wrong", [{"haemoglobin_g_dl": 135}, {"cardiac": "bad"}, {"potassium": math.nan}, {"glasgow": 2}]
)
def test_it_refuses_what_cannot_be_an_input(wrong):
    with pytest.raises(ScoreRefused):
        possum_physiology(**{**WELL, **wrong})


def test_an_operation_has_at_least_one_procedure():
    with pytest.raises(ScoreRefused):
        possum_operative(**{**SMALL, "procedures": 0})
