"""KDIGO: the vectors, the reference from before the operation, the float trap, urine, and a second implementation."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.scores import Creatinine, ScoreRefused, Urine, kdigo
from tests.unit.twin.score_sheets import TABLES

VECTORS = TABLES["kdigo_vectors"]["rows"]


def stage(baseline, after, unit="mg/dL", **more):
    rows = [Creatinine(-24, baseline), *(Creatinine(hour, value) for hour, value in after)]
    return kdigo(rows, unit=unit, incision_h=-3, **more)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_reference_vectors(vector):
    assert stage(vector["baseline"], vector["after"]).creatinine_stage == vector["stage"]


def test_a_step_of_three_tenths_holds_wherever_binary_floats_put_it():
    for tenths in range(3, 30):
        assert stage(tenths / 10, [(40, (tenths + 3) / 10)]).creatinine_stage >= 1


@given(st.integers(100, 600), st.integers(1, 4))
def test_a_ratio_is_exact_in_decimals(hundredths, halves):
    ratio = Fraction(2 + halves, 2)
    value = ratio * Fraction(hundredths, 100)
    exact = float(value) if value * 1000 == int(value * 1000) else None
    if exact is not None and exact < 4:
        assert stage(hundredths / 100, [(100, exact)]).creatinine_stage == {3: 1, 4: 2, 5: 2, 6: 3}[2 + halves]


def by_hand(baseline, after):
    """The second implementation: whole hundredths of mg/dL, every rule written out anew."""
    injured = highest = 0
    for at, value in after:
        past = [(h, max(v, baseline)) for h, v in [(0, baseline), *after] if h < at or (h == 0 and v == baseline)]
        step = any(value - v >= 30 for h, v in past if at - h <= 48)
        raw = [v for h, v in after if h < at and at - h <= 168]
        recent = injured or at <= 168 or any(2 * value >= 3 * v for v in raw)
        ratio = max([n for n, ok in ((1, 2 * value >= 3 * baseline), (2, value >= 2 * baseline)) if ok], default=0)
        ratio = 3 if value >= 3 * baseline else ratio
        now = (ratio if recent else 0) or int(step)
        now = 3 if now and value >= 400 else now
        injured, highest = injured or now, max(highest, now)
    return highest


@given(
    st.integers(40, 390),
    st.dictionaries(st.integers(1, 700), st.integers(30, 900), min_size=1, max_size=10).map(
        lambda d: sorted(d.items())
    ),
)
def test_it_agrees_with_a_second_implementation_in_whole_numbers(baseline, after):
    found = stage(baseline / 100, [(hour, value / 100) for hour, value in after])
    assert found.creatinine_stage == by_hand(baseline, after)


def test_thinned_blood_that_thickens_again_is_no_injury():
    """A rolling minimum would call this stage 1: 0.6 to 1.0 is +0.4 within 48 h (rule 9)."""
    assert stage(1.0, [(6, 0.6), (24, 0.7), (48, 1.0), (72, 1.05)]).stage == 0


def test_a_step_later_on_counts_when_it_rises_above_the_reference():
    assert stage(1.0, [(96, 1.1), (130, 1.4)]).creatinine_stage == 1
    assert stage(1.0, [(96, 1.1), (150, 1.4)]).creatinine_stage == 0


def test_the_reference_is_never_taken_from_after_the_incision():
    found = kdigo([Creatinine(-1, 0.4), Creatinine(2, 0.5), Creatinine(30, 1.0)], unit="mg/dL", incision_h=-3)
    assert (found.stage, found.baseline, found.baseline_kind) == (None, None, "none")
    assert "creatinine before surgery" in found.missing


def test_the_reference_is_the_median_of_a_week_to_a_year_before_else_the_last_before_incision():
    old = [Creatinine(-24 * day, value) for day, value in ((300, 1.2), (100, 0.8), (10, 1.0), (400, 5.0), (2, 1.6))]
    found = kdigo([*old, Creatinine(24, 1.5)], unit="mg/dL", incision_h=-3)
    assert (found.baseline, found.baseline_kind) == (1.0, "median of 7 to 365 days before surgery")
    late = kdigo([Creatinine(-50, 1.6), Creatinine(-4, 1.1), Creatinine(24, 1.5)], unit="mg/dL", incision_h=-3)
    assert (late.baseline, late.baseline_kind) == (1.1, "last before incision")


@pytest.mark.parametrize(("value", "expected"), [(126.4, 0), (126.5, 1), (150, 1), (200, 2), (300, 3), (353.6, 3)])
def test_micromoles_have_their_own_limits(value, expected):
    assert stage(100, [(40, value)], unit="umol/L").creatinine_stage == expected


def test_four_milligrams_count_once_there_is_injury():
    assert stage(3.6, [(40, 4.0)]).creatinine_stage == 3
    assert stage(2.5, [(40, 3.9)]).creatinine_stage == 1


def test_the_first_injury_after_day_seven_needs_a_rise_seen_within_a_week():
    assert stage(1.0, [(300, 1.6)]).creatinine_stage == 0
    assert stage(1.0, [(200, 1.0), (300, 1.6)]).creatinine_stage == 1


def test_the_onset_is_the_hour_of_the_first_result_that_fulfils_a_criterion():
    found = stage(1.0, [(24, 1.1), (50, 1.6), (90, 3.2)])
    assert (found.stage, found.onset_h) == (3, 50)
    assert found.because == ("creatinine 3.0 times the reference or more",)


def hourly(rates, weight=80.0):
    return [Urine(hour, hour + 1, rate * weight) for hour, rate in enumerate(rates)]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([1.0] * 24, 0),
        ([0.5] * 24, 0),
        ([0.49] * 5 + [2.0] * 6, 0),
        ([0.49] * 6 + [2.0] * 6, 1),
        ([0.49] * 11 + [6.0] * 6, 1),
        ([0.49] * 12, 2),
        ([0.29] * 23, 2),
        ([0.3] * 24, 2),
        ([0.29] * 24, 3),
        ([0.0] * 11, 1),
        ([0.0] * 12, 3),
    ],
)
def test_each_limit_of_urine_output(rates, expected):
    assert stage(1.0, [(24, 1.0)], urine=hourly(rates), weight_kg=80).stage == expected


def test_urine_with_a_gap_is_not_judged_across_it():
    parts = [Urine(0, 4, 10), Urine(5, 9, 10)]
    assert stage(1.0, [(24, 1.0)], urine=parts, weight_kg=80).urine_stage is None
    assert stage(1.0, [(24, 1.0)], urine=[Urine(0, 4, 10), Urine(4, 9, 10)], weight_kg=80).urine_stage == 1


def test_urine_without_a_weight_is_missing_not_normal():
    found = stage(1.0, [(24, 1.0)], urine=hourly([0.0] * 24))
    assert (found.stage, found.urine_stage, found.missing) == (0, None, ("urine output",))
    assert found.text == "KDIGO at least 0: urine output missing"


def test_renal_replacement_is_stage_three():
    found = stage(1.0, [(24, 1.2)], renal_replacement_h=60)
    assert (found.stage, found.onset_h, found.because) == (3, 60, ("renal replacement therapy",))
    with pytest.raises(ScoreRefused, match="before the operation"):
        stage(1.0, [], renal_replacement_h=-50)


def test_a_low_filtration_rate_counts_only_under_eighteen_and_with_injury():
    assert stage(1.0, [(24, 1.5)], age_years=12, egfr=34).stage == 3
    assert stage(1.0, [(24, 1.5)], age_years=12, egfr=35).stage == 1
    assert stage(1.0, [(24, 1.5)], age_years=40, egfr=30).stage == 1
    assert stage(1.0, [(24, 1.0)], age_years=12, egfr=30).stage == 0


@given(
    st.lists(st.tuples(st.integers(1, 700), st.integers(30, 900)), max_size=8, unique_by=lambda row: row[0]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_results_does_not_matter(after, random):
    rows = [(hour, value / 100) for hour, value in after]
    assert stage(1.0, rows) == stage(1.0, random.sample(rows, len(rows)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "mmol/L"},
        {"after": [(24, 120)]},
        {"urine": [Urine(3, 2, 10)], "weight_kg": 80},
        {"urine": [Urine(0, 3, 10), Urine(2, 4, 10)], "weight_kg": 80},
        {"urine": hourly([1.0] * 8), "weight_kg": 0},
    ],
)
def test_it_refuses_what_cannot_be_an_input(wrong):
    with pytest.raises(ScoreRefused):
        stage(1.0, **{"after": [(24, 1.0)], **wrong})
