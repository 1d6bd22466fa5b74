"""Hypothesis models as plain numbers."""

import json

import pytest

from recovery.twin.cold_start import cold_start
from recovery.twin.errors import MalformedState
from recovery.twin.hypotheses_store import from_plain, shipped_for, shipped_models, to_plain
from recovery.twin.population_store import synthetic_population_with_laboratory
from tests.unit.twin.test_hypotheses import MODEL


def test_a_model_comes_back_from_json_as_it_was():
    plain = json.loads(json.dumps(to_plain(MODEL)))
    assert to_plain(from_plain(plain)) == to_plain(MODEL)


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 99},
        {"noise": {"heart_rate": {"centre": 0.0}}},
        {"noise": {"heart_rate": {"centre": 0.0, "own": -1.0, "shared": 0.0}}},
        {"temper": 0.0},
        {"signatures": {"ssi": {"shifts": {"temperature": [1.0]}, "source": "", "log_prior": None}}},
        {"calibration": {"intercept": float("nan")}},
        {"signatures": []},
    ],
)
def test_numbers_that_cannot_be_a_model_are_refused(damage):
    with pytest.raises(MalformedState):
        from_plain({**to_plain(MODEL), **damage})


def test_every_shipped_twin_has_its_hypotheses_labelled_synthetic():
    for twin in (cold_start(), synthetic_population_with_laboratory()):
        model = shipped_for(twin.version)
        assert model is not None and model.training["synthetic"] is True
        assert "synthetic" in model.evidence


def test_a_twin_that_nobody_fitted_under_has_none():
    assert shipped_for("learned-here-7") is None
    assert len(shipped_models()) == 2
