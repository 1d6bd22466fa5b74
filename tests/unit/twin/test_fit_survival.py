"""Cause-specific Cox models: known truth found, incidences that add up, plain numbers, landmarks as strata."""

import json

import numpy as np
import pandas as pd
import pytest

from recovery.twin import fit_survival
from recovery.twin.cause_specific import cumulative_incidence, from_plain, survival
from recovery.twin.errors import MalformedState, OutsideDomain
from recovery.twin.event_curves import aalen_johansen
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.fit_survival import NotConverged, fit_cause_specific, fit_landmarks, landmark_frame
from recovery.twin.incidence import OUTCOMES

NAMES = {1: "complication", 2: "death"}


@pytest.fixture(scope="module")
def frame():
    """Exponential causes: x doubles one by exp(0.8), leaves the other; followed for at most 10."""
    rng = np.random.default_rng(6)
    n = 2500
    x = rng.normal(size=n)
    first, second = rng.exponential(8 / np.exp(0.8 * x)), rng.exponential(20, n)
    until = np.minimum(np.minimum(first, second), 10.0)
    cause = np.where(until == 10.0, 0, np.where(first < second, 1, 2))
    return pd.DataFrame({"x": x, "site": rng.choice(["a", "b"], n), "t": until, "cause": cause})


@pytest.fixture(scope="module")
def model(frame):
    return fit_cause_specific(frame, frame.t, frame.cause, NAMES, ["x"], penalty=1e-6)


def test_it_finds_the_truth_that_made_the_data(frame, model):
    own, other = (model.hazards[name].coefficients[0] / frame.x.std(ddof=0) for name in NAMES.values())
    assert own == pytest.approx(0.8, abs=0.1)
    assert other == pytest.approx(0.0, abs=0.15)


def test_the_incidence_of_one_patient_is_that_of_the_truth(model):
    found = cumulative_incidence(model, {"x": [1.0]}, [5.0])["complication"][0, 0]
    a, b = np.exp(0.8) / 8, 1 / 20
    assert found == pytest.approx(a / (a + b) * (1 - np.exp(-5 * (a + b))), abs=0.04)


def test_incidences_and_the_share_free_add_up_to_one(frame, model):
    columns, times = {"x": frame.x[:50].to_numpy()}, [0.0, 1.0, 5.0, 9.9]
    parts = cumulative_incidence(model, columns, times)
    assert np.allclose(sum(parts.values()) + survival(model, columns, times), 1.0, atol=1e-12)
    assert all((np.diff(part, axis=1) >= 0).all() and (part[:, 0] == 0).all() for part in parts.values())


def test_without_effects_it_is_close_to_aalen_johansen(frame):
    noise = frame.assign(x=np.random.default_rng(0).normal(size=len(frame)))
    null = fit_cause_specific(noise, noise.t, noise.cause, NAMES, ["x"], penalty=10.0)
    plain = aalen_johansen(frame.t, frame.cause)
    found = cumulative_incidence(null, {"x": [0.0]}, [2.0, 8.0])
    for cause, name in NAMES.items():
        assert found[name][0] == pytest.approx(plain[cause].at([2.0, 8.0]), abs=0.005)


def test_json_out_and_in_changes_no_incidence(model):
    again = from_plain(json.loads(json.dumps(model.to_plain())))
    columns = {"x": [-1.0, 0.3]}
    for name, found in cumulative_incidence(model, columns, [3.0, 9.0]).items():
        assert (cumulative_incidence(again, columns, [3.0, 9.0])[name] == found).all()


def test_it_says_nothing_beyond_the_follow_up_or_for_another_stratum(model):
    with pytest.raises(OutsideDomain, match="followed for 10"):
        cumulative_incidence(model, {"x": [0.0]}, [11.0])
    with pytest.raises(OutsideDomain, match="stratum"):
        cumulative_incidence(model, {"x": [0.0]}, [1.0], "24")


def test_it_refuses_what_is_not_a_stored_model(model):
    with pytest.raises(MalformedState):
        from_plain({**model.to_plain(), "format": 7})
    with pytest.raises(MalformedState):
        from_plain({"format": 1})


def test_a_fit_that_did_not_converge_is_refused_not_handed_over(frame, monkeypatch):
    class Stuck(fit_survival.CoxPHFitter):
        def fit(self, *args, **kwargs):
            raise fit_survival.ConvergenceWarning("stuck")

    monkeypatch.setattr(fit_survival, "CoxPHFitter", Stuck)
    with pytest.raises(NotConverged, match="larger penalty"):
        fit_cause_specific(frame, frame.t, frame.cause, NAMES, ["x"])


def test_each_stratum_keeps_its_own_baseline(frame):
    slow = frame.assign(t=np.where(frame.site == "b", frame.t * 3, frame.t))
    stratified = fit_cause_specific(slow, slow.t, slow.cause, NAMES, ["x"], strata=slow.site)
    at = [cumulative_incidence(stratified, {"x": [0.0]}, [5.0], site)["complication"][0, 0] for site in "ab"]
    assert at[0] > 1.8 * at[1]


def landmarks():
    """Three patients at two landmarks: one complication at 60 h, one death at 100 h, one free."""
    hours, patient = np.tile([24.0, 72.0], 3), np.repeat([0, 1, 2], 2)
    never = {outcome: np.full(6, np.inf) for outcome in OUTCOMES}
    never["complication"] = np.where(patient == 0, 60.0, np.inf)
    never["death"] = np.where(patient == 1, 100.0, np.inf)
    end = np.where(patient == 1, 100.0, 720.0)
    values = patient[:, None].astype(float)
    return Landmarks(("z",), hours, patient, np.full(6, "knee"), values, never, end, np.zeros(6))


def test_landmark_rows_start_free_end_at_the_first_event_or_the_horizon():
    rows = landmark_frame(landmarks(), ("z",), "complication", 168.0)
    told = [(r.patient, r.landmark, r.duration_h, r.cause) for r in rows.itertuples()]
    assert told == [(0, "24", 36, 1), (1, "24", 76, 2), (1, "72", 28, 2), (2, "24", 168, 0), (2, "72", 168, 0)]


def test_landmark_models_serve_each_day_from_its_own_baseline(frame):
    rows = frame.rename(columns={"t": "duration_h"}).assign(landmark=np.where(frame.site == "a", "24", "72"))
    fitted = fit_landmarks(rows, ["x"], "complication", evidence="made data")
    assert set(fitted.baselines["complication"]) == {"24", "72"}
    assert fitted.training["evidence"] == "made data"
    risk = cumulative_incidence(fitted, {"x": [-1.0, 1.0]}, [5.0], "24")["complication"][:, 0]
    assert risk[0] < risk[1]
