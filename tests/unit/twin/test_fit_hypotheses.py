"""Learning signatures from looks: what was put in comes out, and nobody is judged by looks near an illness."""

import numpy as np
import pytest

from recovery.twin.fit_hypotheses import Illness, Looks, fit, labels, suspicion
from recovery.twin.surprise_blocks import BLOCKS, Blocks
from recovery.twin.survival import published_model

HAZARDS = published_model()
PATIENTS, LAST = 240, 360


@pytest.fixture(scope="module")
def looks():
    """Every third patient has a pneumonia from hour 150, diagnosed at hour 222: heart rate +2 SD, SpO2 -1 SD."""
    rng = np.random.default_rng(11)
    surprise = rng.normal(size=(PATIENTS, 2, LAST + 72))
    illnesses = [[Illness(222.0, 150.0, "pneumonia")] if p % 3 == 0 else [] for p in range(PATIENTS)]
    surprise[::3, 0, 72 + 150 :] += 2.0
    surprise[::3, 1, 72 + 150 :] -= 1.0
    hours = np.arange(6, LAST + 1, 6)
    means = np.stack(
        [surprise[:, :, h : h + 72][:, :, ::-1].reshape(PATIENTS, 2, BLOCKS, 6).mean(axis=-1) for h in hours], axis=1
    )
    n = len(hours)
    return Looks(
        metrics=("heart_rate", "spo2"),
        patient=np.repeat(np.arange(PATIENTS), n),
        hour=np.tile(hours.astype(float), PATIENTS),
        classes=np.full(PATIENTS * n, "colorectal"),
        static=np.empty((PATIENTS * n, 0)),
        blocks=Blocks(means.reshape(-1, 2, BLOCKS), np.full((PATIENTS * n, 2, BLOCKS), 6.0)),
        illnesses=illnesses,
    )


@pytest.fixture(scope="module")
def model(looks):
    return fit(looks, HAZARDS, "test", "twin", {})


def test_looks_are_cases_from_three_hours_after_the_onset_until_the_diagnosis(looks):
    label = labels(looks)
    mine = looks.patient == 0
    assert set(looks.hour[mine & (label == 1)]) == set(np.arange(156.0, 223.0, 6.0))
    assert set(looks.hour[mine & (label == -1)]) == {144.0, 150.0, *np.arange(228.0, LAST + 1.0, 6.0)}
    assert not label[looks.patient == 1].any()


def test_the_signature_that_was_put_in_comes_out_a_little_smaller(model):
    shifts = model.signatures["pneumonia"].shifts
    assert np.mean(shifts["heart_rate"][2:10]) == pytest.approx(2.0, abs=0.15)
    assert np.mean(shifts["spo2"][2:10]) == pytest.approx(-1.0, abs=0.15)


def test_a_complication_that_never_happened_has_no_signature(model):
    assert "ssi" not in model.signatures


def test_the_noise_is_that_of_a_mean_of_six(model):
    noise = model.noise["heart_rate"]
    assert noise.own + noise.shared / 6 == pytest.approx(1 / 6, rel=0.15)


def test_suspicion_is_calibrated_on_what_it_was_fitted_to(looks, model):
    label = labels(looks)
    said = suspicion(model, HAZARDS, looks)
    assert said[label == 1].mean() > 0.6
    assert said[label == 0].mean() < 0.05
