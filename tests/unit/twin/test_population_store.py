"""Parameters as a file: what comes back, and that the fitted ones say what they are."""

import numpy as np
import pytest

from recovery.twin import METRICS, Profile, cold_start, population_curve
from recovery.twin.errors import MalformedState
from recovery.twin.population_store import (
    from_file_text,
    synthetic_population,
    synthetic_population_with_laboratory,
    to_file_text,
)


def test_metrics_not_in_the_file_come_from_the_cold_start():
    back = from_file_text(to_file_text(cold_start(), ["steps"]))
    assert set(back.by_metric) == set(METRICS)
    for curve, params in cold_start().by_metric["steps"].items():
        np.testing.assert_allclose(back.by_metric["steps"][curve].prior_cov, params.prior_cov, rtol=1e-8)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}'])
def test_a_file_that_holds_something_else_is_refused(text):
    with pytest.raises(MalformedState):
        from_file_text(text)


def test_the_fitted_file_says_that_it_is_synthetic_wherever_it_is_read():
    params = synthetic_population()
    assert params.trained_on["synthetic"] is True and "SYNTHETIC" in params.trained_on["data"]
    assert "synthetic" in params.version and len(params.trained_on["data_hash"]) == 64
    for key in params.trained_on["metrics"]:
        for bound in params.by_metric[key].values():
            assert "SYNTHETIC" in bound.sources[0].text
            assert (np.linalg.eigvalsh(bound.prior_cov) > -1e-9).all()


def test_the_product_starts_from_publications_and_not_from_the_fitted_file():
    assert cold_start().trained_on is None and cold_start().version != synthetic_population().version


def test_blood_values_learned_from_the_synthetic_cohort_are_a_version_of_their_own_that_says_so():
    base, made = synthetic_population(), synthetic_population_with_laboratory()
    learned = made.trained_on["laboratory"]
    assert learned["synthetic"] is True and learned["data_hash"] == made.trained_on["data_hash"]
    assert sorted(learned["metrics"]) == ["creatinine", "crp", "haemoglobin", "leukocytes"]
    assert made.version not in (base.version, cold_start().version)
    for key, curves in made.by_metric.items():
        if key not in learned["metrics"]:
            assert curves is base.by_metric[key]
        else:
            assert all("SYNTHETIC" in one.sources[0].text and one.day_law is not None for one in curves.values())


def test_the_learned_course_of_crp_is_that_of_the_cohort_but_for_its_steepest_day():
    """Medians of cohort-a after bypass surgery: 187, 198, 160 mg/L on days 2 to 4, 45 on day 9; 158 on day 1, up from 8
    the day before, which three bases follow only in part."""
    params, days = synthetic_population_with_laboratory(), np.array([2, 3, 4, 9, 1])
    curve = population_curve(params, Profile("cardiac"), "crp", 24.0 * days + 12.0).median
    np.testing.assert_allclose(curve[:4], [187, 198, 160, 45], rtol=0.1)
    assert 0.7 < curve[4] / 158 < 1.0
