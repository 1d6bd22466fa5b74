"""A cohort gathered in slices equals the cohort gathered at once, through JSON and back."""

import json

import numpy as np
import pytest

from recovery.twin import Profile, Samples
from recovery.twin.cold_start import cold_start
from recovery.twin.errors import MalformedState
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_landmarks import collect
from recovery.twin.fit_parts import from_plain, join_landmarks, join_training, population_part, to_plain
from recovery.twin.fit_population_data import training_data
from recovery.twin.fit_run import FOLDS, counts, figures, fold_of, fold_predictions
from recovery.twin.fit_scorecard import scorecards
from tests.unit.twin.test_fit_hazard import made_landmarks


def cases(n: int = 7) -> list[Case]:
    rng = np.random.default_rng(8)
    made = []
    for i in range(n):
        hours = np.arange(-24.0, 120.0 + 24 * i) + 0.5
        samples = {"heart_rate": Samples.of(hours, 78.0 + rng.normal(0, 3, len(hours)))}
        if i % 3 == 0:
            samples["pain"] = Samples.of(hours[30::24], np.full(len(hours[30::24]), 4.0))
        arrived = {key: one.hours + 1.0 for key, one in samples.items()}
        ill = [(90.0, 80.0, "ssi")] if i % 2 else []
        profile = Profile("knee_replacement", age_years=60.0 + i, sex="female" if i % 2 else "male")
        made.append(Case(str(i), 0.0, profile, samples=samples, arrived=arrived, diagnoses=ill))
    return made


def through_json(value):
    return from_plain(json.loads(json.dumps(to_plain(value))))


def test_landmarks_of_slices_are_the_landmarks_of_all():
    everyone = collect(cases(), cold_start(), [24.0, 48.0, 96.0])
    parts = []
    for start in (0, 3, 6):
        part = collect(cases()[start : start + 3], cold_start(), [24.0, 48.0, 96.0])
        part.patient[:] += start
        parts.append(through_json(part))
    joined = join_landmarks(parts)
    order, wanted = (np.lexsort((one.hours, one.patient)) for one in (joined, everyone))
    np.testing.assert_allclose(joined.values[order], everyone.values[wanted], rtol=1e-9)
    np.testing.assert_array_equal(joined.event_h["ssi"][order], everyone.event_h["ssi"][wanted])
    assert joined.classes[order].tolist() == everyone.classes[wanted].tolist()


def test_training_data_of_slices_are_the_training_data_of_all():
    everyone = training_data(cases())
    joined = join_training([through_json(population_part(cases()[at : at + 2])) for at in (0, 2, 4, 6)])
    assert joined.patients == everyone.patients and joined.profiles == everyone.profiles
    assert joined.by_metric.keys() == everyone.by_metric.keys()
    for key, data in everyone.by_metric.items():
        found = joined.by_metric[key]
        np.testing.assert_array_equal(found.days, data.days)
        np.testing.assert_array_equal(found.readings.value, data.readings.value)
        np.testing.assert_array_equal(found.clock, data.clock)
        assert found.tier == data.tier


def test_parts_of_different_versions_are_not_joined_and_strange_parts_not_read():
    part = collect(cases()[:2], cold_start(), [24.0])
    other = collect(cases()[2:], cold_start(), [24.0])
    object.__setattr__(other, "keys", other.keys[:-1])
    with pytest.raises(MalformedState, match="begin it again"):
        join_landmarks([part, other])
    with pytest.raises(MalformedState):
        from_plain({"class": "Popen", "fields": {}})
    with pytest.raises(MalformedState):
        to_plain(object())


def test_a_patient_is_in_one_fold_and_the_folds_are_even():
    patients = np.repeat(np.arange(100) * 7, 3)
    folds = fold_of(patients, 7)
    assert all(len(set(folds[patients == one])) == 1 for one in patients)
    assert np.bincount(folds).tolist() == [60] * FOLDS
    assert not np.array_equal(folds, fold_of(patients, 8))


def test_predictions_out_of_fold_cover_everyone_once_and_find_the_risk():
    data = made_landmarks(1500)
    predicted = np.full(len(data.hours), np.nan)
    for fold in range(FOLDS):
        rows, said = fold_predictions(data, fold, 7)
        assert np.isnan(predicted[rows]).all()
        predicted[rows] = said
    assert np.isfinite(predicted).all()
    told = figures(data, predicted, 7)
    assert told["all"]["people"] == 1500 and told["all"]["auroc"]["low"] > 0.6
    assert set(told["days"]) == {"2"} and set(told["subgroups"]) == {"sex", "age"}
    json.dumps(told)


def test_counts_are_of_patients_not_of_rows():
    data = made_landmarks(300)
    ill, free = counts(data)
    assert ill + free == 300 and ill == int(np.isfinite(data.event_h["complication"]).sum())


def test_scorecards_add_up_over_patients():
    params = cold_start()
    both, one, other = (scorecards(part, params) for part in (cases(2), cases(2)[:1], cases(2)[1:]))
    np.testing.assert_allclose(both["heart_rate"], np.add(one["heart_rate"], other["heart_rate"]))
    assert scorecards([], params) == {}
