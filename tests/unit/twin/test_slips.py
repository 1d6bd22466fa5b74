"""A value in the wrong unit is kept, left out, and explained; it is never corrected in silence."""

import pytest

from recovery.twin import METRICS, Samples, measure
from recovery.twin.slips import SLIPS, likely_slip


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("temperature", 98.6, "as degrees Fahrenheit it would be 37.0 Cel"),
        ("temperature", 310.15, "as kelvin it would be 37.0 Cel"),
        ("spo2", 0.97, "as a fraction it would be 97 %"),
        ("creatinine", 88.42, "as umol/L it would be 1.00 mg/dL"),
        ("haemoglobin", 112.0, "as g/L it would be 11.2 g/dL"),
        ("leukocytes", 9100.0, "as cells per uL it would be 9.1 10*9/L"),
        ("crp", 1400.0, "ten times too high, so it would be 140 mg/L"),
        ("sleep", 390.0, "as minutes it would be 6.5 h"),
        ("walking_speed", 3.6, "as km/h it would be 1.00 m/s"),
    ],
)
def test_a_value_in_another_unit_is_refused_and_explained(key, value, words):
    found = measure(METRICS[key], Samples.of([30.5], [value], 1), 48.0)
    assert not len(found.measurements.value)
    (refused,) = found.rejected
    assert refused.value == value and "plausible limit" in refused.reason and words in refused.reason


def test_an_artefact_that_no_unit_explains_gets_no_explanation():
    (refused,) = measure(METRICS["heart_rate"], Samples.of([1.0], [900.0]), 48.0).rejected
    assert "slip" not in refused.reason
    assert likely_slip(METRICS["temperature"], 5.0) == ""


@pytest.mark.parametrize("key", SLIPS)
def test_every_slip_is_of_a_metric_that_exists_and_never_called_out_for_what_is_plausible_twice(key):
    low, high = METRICS[key].plausible
    for _, mended in SLIPS[key]:
        assert mended(high) != high and low < high
