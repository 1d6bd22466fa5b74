"""Published effects of the history: every complication has some, in the units of the risk's inputs, and a fit starts
from them and leaves them when its own events say otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from recovery.twin import fit_hazard
from recovery.twin.fit_hazard import HISTORY, exposures, fit
from recovery.twin.incidence import NAMED
from recovery.twin.profile import Profile
from recovery.twin.published_effects import PUBLISHED_EFFECTS, log_effects
from recovery.twin.risk_inputs import RiskFactors, static_inputs
from recovery.twin.survival import published_model
from tests.unit.twin.test_fit_hazard import KEYS, made_landmarks

SSI = published_model().baseline("ssi", "colorectal")


def infected(patients: int, log_ratio: float, seed: int = 3):
    """Landmarks after colectomy of whom diabetes (as common as not) multiplies the hazard of infection."""
    data = made_landmarks(patients)
    rng = np.random.default_rng(seed)
    diabetes = (rng.random(patients) < 0.5).astype(float)
    values = np.where(np.array(KEYS) == "diabetes", diabetes[:, None], data.values)
    grid = np.linspace(48.0, 720.0, 2000)
    cumulative = SSI.cumulative_hazard(grid) - SSI.cumulative_hazard(np.array([48.0]))
    drawn = rng.exponential(size=patients) / np.exp(log_ratio * (diabetes - 0.5))
    hours = np.interp(drawn, cumulative, grid, right=np.inf)
    return replace(data, values=values, event_h={**data.event_h, "ssi": hours, "complication": hours})


def per_unit(model, outcome, key):
    place = [f.key for f in model.features].index(key)
    effects, sd = model.effects[outcome], model.features[place].sd
    return effects.coefficients[1 + place] / sd, np.sqrt(effects.covariance[1 + place][1 + place]) / sd


def test_every_named_complication_starts_from_something_published_of_inputs_that_there_are():
    known = static_inputs(Profile(), RiskFactors())
    assert set(PUBLISHED_EFFECTS) == set(NAMED)
    for row in PUBLISHED_EFFECTS.values():
        assert set(row) <= set(known) & set(HISTORY)
        assert all(one.source.startswith(("[V]", "[G]")) and 1.0 < one.ratio <= 3.0 for one in row.values())


def test_ratios_are_those_of_the_sources_in_the_units_of_the_inputs():
    """Chapuis 2013: men 1.7, three hours or more 1.6, read as twice the time; Billings 2012: 1.265 for 5 kg/m2."""
    ileus, kidney = log_effects("ileus"), log_effects("aki")
    assert np.exp(ileus["male"]) == pytest.approx(1.7)
    assert np.exp(ileus["log_duration"] * np.log(2.0)) == pytest.approx(1.6)
    assert np.exp(kidney["bmi"] * 5.0) == pytest.approx(1.265)
    assert log_effects("readmission") == {}


def test_a_few_infections_leave_the_published_effect_of_diabetes_and_its_doubt():
    model = fit(infected(60, 0.0), "few", {}, ("complication", "ssi"))
    ratio, sd = per_unit(model, "ssi", "diabetes")
    assert ratio == pytest.approx(np.log(1.53), abs=0.08)
    assert sd == pytest.approx(fit_hazard.RIDGE_PUBLISHED**-0.5 / 0.5, rel=0.1)  # half a unit is one deviation


def test_many_infections_that_say_otherwise_overrule_what_is_published():
    model = fit(infected(6000, -0.9), "many", {}, ("complication", "ssi"))
    ratio, sd = per_unit(model, "ssi", "diabetes")
    assert ratio == pytest.approx(-0.9, abs=0.25)
    assert sd < 0.15


def test_the_fit_is_the_mode_that_a_general_optimiser_finds():
    data = infected(400, 0.4)
    model = fit(data, "mode", {}, ("complication", "ssi"))
    at_risk, exposure, events = exposures(model, data, "ssi")
    static = [f.kind == "static" for f in model.features]
    z = model.standardise(data.take(at_risk).columns([f.key for f in model.features]))[:, static]
    x = np.column_stack([np.ones(len(z)), z])
    features = [f for f in model.features if f.kind == "static"]
    centre = np.array([0.0, *(log_effects("ssi").get(f.key, 0.0) * f.sd for f in features)])
    operation = [f.key.startswith("operation_") for f in features]
    width = np.array([1.0, *np.where(operation, fit_hazard.RIDGE_STATIC_DEPARTURE, fit_hazard.RIDGE_PUBLISHED)])

    def loss(beta):
        mean = exposure.sum(axis=1) * np.exp(x @ beta)
        return mean.sum() - events.sum(axis=1) @ (x @ beta) + 0.5 * width @ (beta - centre) ** 2

    found = minimize(loss, centre, method="BFGS", options={"gtol": 1e-6}).x
    fitted = np.array(model.effects["ssi"].coefficients)[[True, *static]]
    assert fitted == pytest.approx(found, abs=1e-4)
