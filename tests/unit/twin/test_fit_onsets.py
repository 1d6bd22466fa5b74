"""Days of onset: the published law where a cohort is silent, the cohort's own where it says much."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin.fit_hazard import JUDGED, all_are_named, fit
from recovery.twin.fit_onsets import drawn_to
from recovery.twin.survival import predict, published_baselines
from tests.unit.twin.test_fit_hazard import made_landmarks


def with_infections(days: np.ndarray):
    """Everyone has surgical site infection on the given day, and nothing else."""
    data = made_landmarks(len(days))
    return replace(data, event_h={**data.event_h, "ssi": 24.0 * days, "complication": 24.0 * days})


def test_a_cohort_without_a_diagnosis_leaves_the_published_days():
    published = published_baselines()
    found = drawn_to(made_landmarks(20), published)
    assert {name: dict(rows) for name, rows in found.items()} == {name: dict(rows) for name, rows in published.items()}


def test_many_diagnoses_move_the_day_and_few_hardly_do():
    published = published_baselines()["ssi"]["colorectal"].onsets[0]
    days = np.random.default_rng(3).lognormal(np.log(5.0), 0.3, 2000)
    many, few = (drawn_to(with_infections(days[:n]), published_baselines())["ssi"]["colorectal"] for n in (2000, 2))
    assert many.onsets[0][1] == pytest.approx(np.log(5.0), abs=0.03)
    assert many.onsets[0][2] == pytest.approx(0.3, abs=0.05)
    assert np.log(5.0) < few.onsets[0][1] < published[1]
    assert "2000 diagnoses of the training cohort" in many.source


def test_any_complication_keeps_its_weights_and_takes_the_new_days():
    found = drawn_to(with_infections(np.full(50, 6.0)), published_baselines())
    whole, own = found["complication"]["colorectal"].onsets, found["ssi"]["colorectal"].onsets[0]
    assert own[1:] in [row[1:] for row in whole]
    before = published_baselines()["complication"]["colorectal"].onsets
    assert [row[0] for row in whole] == [row[0] for row in before]


def test_complications_are_added_up_only_where_each_has_a_name():
    named = with_infections(np.linspace(3.0, 20.0, 120))
    nameless = made_landmarks(120)
    assert all_are_named(named) and not all_are_named(nameless)
    model = fit(named, "test", {}, JUDGED)
    assert model.any_is_the_sum and not fit(named, "test", {}, ("complication",)).any_is_the_sum
    values = np.zeros(len(model.features))
    early, late = (
        float(predict(model, "complication", "colorectal", h, values, (168,)).probability[0]) for h in (0.0, 504.0)
    )
    assert early > late
