"""The fit on landmarks made from a known hazard: it finds the truth, keeps exposures honest, and stores
plainly."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin import fit_hazard
from recovery.twin.evaluate_hazard import calibration, cross_validate, judged, risks
from recovery.twin.fit_hazard import RECENT, STATIC, exposures, fit, rounded, scaled
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.incidence import OUTCOMES
from recovery.twin.survival import COVERED_HOURS, published_model

KEYS = (*STATIC, *RECENT)


def made_landmarks(patients: int = 3000, seed: int = 5, log_ratio: float = 0.9) -> Landmarks:
    """One landmark per patient at day 2 after colectomy; ASA multiplies the published hazard by
    exp(log_ratio z)."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(patients, len(KEYS)))
    hours = np.full(patients, 48.0)
    baseline = published_model().baseline("complication", "colorectal")
    grid = np.linspace(48.0, 720.0, 2000)
    cumulative = baseline.cumulative_hazard(grid) - baseline.cumulative_hazard(np.array([48.0]))
    ratio = np.exp(log_ratio * values[:, KEYS.index("asa")])
    happened = [
        float(np.interp(e / r, cumulative, grid, right=np.inf))
        for e, r in zip(rng.exponential(size=patients), ratio, strict=True)
    ]
    event = {outcome: np.full(patients, np.inf) for outcome in OUTCOMES}
    event["complication"] = np.array(happened)
    return Landmarks(
        keys=KEYS,
        hours=hours,
        patient=np.arange(patients),
        classes=np.full(patients, "colorectal"),
        values=values,
        event_h=event,
        end_h=np.full(patients, COVERED_HOURS),
        news2=rng.integers(0, 7, patients).astype(float),
    )


def test_it_finds_the_hazard_ratio_the_data_were_made_with(monkeypatch):
    monkeypatch.setattr(fit_hazard, "RIDGE", 1.0)  # the shipped penalty shrinks on purpose
    model = fit(made_landmarks(), "test", {}, ("complication",))
    found = dict(zip(("intercept", *KEYS), model.effects["complication"].coefficients, strict=True))
    sd = np.sqrt(np.diag(model.effects["complication"].covariance))
    asa = 1 + KEYS.index("asa")
    assert found.pop("asa") == pytest.approx(0.9, abs=0.1)
    assert sd[asa] < 0.1
    assert max(abs(value) for value in found.values()) < 0.25


def test_the_published_baseline_alone_explains_data_made_from_it():
    """Expected events (baseline times exposure) equal observed ones within three Poisson standard errors."""
    data = made_landmarks(log_ratio=0.0)
    model = replace(published_model(), features=scaled(data))
    _, exposure, events = exposures(model, data, "complication")
    assert abs(exposure.sum() - events.sum()) < 3 * np.sqrt(events.sum())


def test_an_event_is_counted_in_one_bin_and_ends_the_exposure():
    data = made_landmarks(50)
    hour = np.where(np.arange(50) % 2 == 0, 60.0, np.inf)
    data = replace(data, event_h={**data.event_h, "complication": hour})
    _, exposure, events = exposures(published_model(), data, "complication")
    assert events.sum() == 25
    assert events[0, 1] == 1.0  # 12 h after the landmark: the end of the second bin
    assert exposure[0, 2:].sum() == 0.0
    assert np.all(exposure[1] > 0)


def test_the_dead_and_the_already_diagnosed_are_not_at_risk():
    data = made_landmarks(10)
    data = replace(
        data,
        event_h={**data.event_h, "complication": np.where(np.arange(10) < 3, 40.0, np.inf)},
        end_h=np.where(np.arange(10) == 9, 47.0, COVERED_HOURS),
    )
    at_risk, _, _ = exposures(published_model(), data, "complication")
    assert at_risk.tolist() == [False] * 3 + [True] * 6 + [False]


def test_an_outcome_that_never_happened_has_no_effects():
    model = fit(made_landmarks(300), "test", {}, ("complication", "death"))
    assert set(model.effects) == {"complication"}


def test_a_rare_outcome_leans_on_any_complication_and_is_less_sure():
    data = made_landmarks()
    some = np.where(np.arange(3000) % 10 == 0, data.event_h["complication"], np.inf)
    data = replace(data, event_h={**data.event_h, "ssi": some})
    model = fit(data, "test", {}, ("complication", "ssi"))
    asa = 1 + KEYS.index("asa")
    shared, own = model.effects["complication"], model.effects["ssi"]
    assert own.coefficients[asa] == pytest.approx(shared.coefficients[asa], abs=0.35)
    assert own.covariance[asa][asa] > shared.covariance[asa][asa]
    assert own.events < shared.events


def test_no_patient_is_in_both_sides_of_a_fold():
    data = made_landmarks(200)
    data = replace(data, patient=np.arange(200) // 4)
    seen = []

    def spy(part: Landmarks):
        seen.append(set(part.patient))
        return replace(published_model(), features=scaled(part))

    day = replace(data, hours=np.resize(np.array([24.0, 48.0, 96.0, 168.0, 240.0]), 200))
    cross_validate(day, spy, 1)
    assert len(seen) == 5
    for part in seen:
        held_out = set(data.patient) - part
        assert len(held_out) == 10
        assert not held_out & part


def test_a_perfect_prediction_is_calibrated_and_a_doubled_one_has_half_the_slope():
    rng = np.random.default_rng(2)
    odds = rng.normal(-1.5, 1.2, 40_000)
    event = rng.random(40_000) < 1 / (1 + np.exp(-odds))
    slope, intercept = calibration(event, 1 / (1 + np.exp(-odds)))
    doubled, _ = calibration(event, 1 / (1 + np.exp(-2 * odds)))
    assert slope == pytest.approx(1.0, abs=0.05)
    assert intercept == pytest.approx(0.0, abs=0.06)
    assert doubled == pytest.approx(0.5, abs=0.03)


def test_the_judgement_counts_only_those_still_free_of_a_complication():
    data = made_landmarks(400)
    early = np.where(np.arange(400) < 50, 20.0, data.event_h["complication"])
    data = replace(data, event_h={**data.event_h, "complication": early})
    model = fit(made_landmarks(), "test", {}, ("complication",))
    row = judged(data, risks(model, data), 2, 1)
    assert row["n"] == 350
    assert row["auroc_90"][0] <= row["auroc"] <= row["auroc_90"][1]
    assert row["auroc"] > 0.65


def test_rounding_keeps_six_figures_and_the_shape():
    assert rounded({"a": [1.23456789, (2,)], "b": "x", "c": 7}) == {"a": [1.23457, [2]], "b": "x", "c": 7}


def test_the_evidence_says_synthetic():
    assert "synthetic" in fit_hazard.EVIDENCE
