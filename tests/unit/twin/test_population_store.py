"""Parameters as a file: what comes back, and that the fitted ones say what they are."""

import numpy as np
import pytest

from recovery.twin import METRICS, cold_start
from recovery.twin.errors import MalformedState
from recovery.twin.population_store import from_file_text, synthetic_population, to_file_text


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
