"""The expected course of blood values against what was published and measured after heart surgery.

Medians and quartiles per postoperative day: facts computed from the 499 cardiac patients of Castela Forte et al. 2021
(clinical reference 1.3, data inventory); sampled on indication, so late days speak of the sicker. Shape only.
"""

import numpy as np
import pytest

from recovery.twin import METRICS, Profile, cold_start, population_curve
from recovery.twin.anchors_laboratory import PEAK_CRP
from recovery.twin.metrics import metric_for_code

PARAMS = cold_start()
KEYS = tuple(key for key, one in METRICS.items() if one.family == "laboratory")
MEASURED = {
    "crp": ((42.0, 91.0, 129.0, 127.0, 100.0, 61.5), (25, 60, 79, 79, 62, 41), (57, 152, 197, 181, 149, 100)),
    "leukocytes": (
        (13.0, 14.6, 12.7, 10.8, 9.6, 9.3),
        (10.3, 11.6, 10.2, 9.0, 7.7, 7.6),
        (15.8, 18.4, 16.9, 14.1, 12.8, 11.9),
    ),
    "creatinine": (
        (0.79, 0.85, 0.92, 0.84, 0.86, 0.81),
        (0.67, 0.70, 0.70, 0.64, 0.68, 0.66),
        (0.97, 1.06, 1.26, 1.10, 1.10, 0.97),
    ),
    "haemoglobin": ((9.7, 9.8, 8.9, 9.1, 9.0, 9.4), (8.9, 8.7, 8.1, 8.3, 8.2, 8.5), (10.7, 11.0, 9.8, 10.0, 9.8, 10.5)),
}


def expected(metric: str, procedure: str | None, days) -> np.ndarray:
    """(D, 5) quantiles at the middle of postoperative days."""
    return population_curve(PARAMS, Profile(procedure), metric, 24.0 * np.asarray(days) + 12.0).quantiles


@pytest.mark.parametrize("key", KEYS)
def test_after_heart_surgery_the_expected_median_lies_between_the_measured_quartiles(key):
    middle = expected(key, "cardiac", range(6))[:, 2]
    _, low, high = MEASURED[key]
    assert ((middle >= np.array(low)) & (middle <= np.array(high))).all()


@pytest.mark.parametrize("key", KEYS)
def test_the_band_of_ninety_per_cent_is_wider_than_the_measured_middle_half(key):
    band = expected(key, "cardiac", range(6))
    _, low, high = MEASURED[key]
    assert (band[:, 0] < np.array(low)).all() and (band[:, 4] > np.array(high) * 0.95).all()


@pytest.mark.parametrize("procedure", PEAK_CRP)
def test_crp_peaks_on_the_second_or_third_day_after_every_operation_and_is_over_by_day_42(procedure):
    days = np.arange(0, 43)
    middle = expected("crp", procedure, days)[:, 2]
    assert days[middle.argmax()] in (2, 3)
    assert middle[42] < 10.0 and middle[14] < 0.3 * middle.max()


def test_after_a_knee_replacement_crp_peaks_where_the_reference_says():
    assert 80.0 <= expected("crp", "knee_replacement", range(5))[:, 2].max() <= 130.0


def test_leukocytes_are_highest_on_the_first_day_and_usual_again_within_two_weeks():
    middle = expected("leukocytes", "cardiac", range(31))[:, 2]
    assert middle.argmax() in (0, 1) and middle[14] == pytest.approx(7.5, rel=0.1)


def test_creatinine_stays_within_a_sixth_of_the_value_before_surgery_after_every_operation():
    for procedure in PEAK_CRP:
        middle = expected("creatinine", procedure, range(31))[:, 2]
        assert np.abs(middle / 0.93 - 1.0).max() < 1 / 6


def test_haemoglobin_falls_at_once_and_comes_back_over_weeks():
    middle = expected("haemoglobin", "hip_replacement", range(90))[:, 2]
    assert middle[:4].min() < 11.0 and 10.5 < middle[14] < 12.0
    assert middle[89] == pytest.approx(13.3, abs=0.2) and (np.diff(middle[5:]) > -1e-6).all()


@pytest.mark.parametrize(
    ("code", "key"),
    [("1988-5", "crp"), ("30522-7", "crp"), ("6690-2", "leukocytes"), ("26464-8", "leukocytes")]
    + [("2160-0", "creatinine"), ("14682-9", "creatinine"), ("718-7", "haemoglobin")],
)
def test_a_laboratory_code_names_its_metric(code, key):
    assert metric_for_code("http://loinc.org", code) is METRICS[key]
