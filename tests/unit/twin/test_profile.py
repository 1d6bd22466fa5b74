"""Profiles and procedures, and the covariates that a later fit will give effects to."""

from dataclasses import replace

import numpy as np
import pytest

from recovery.twin import PROCEDURES, Profile, cold_start, procedure, procedure_for_snomed
from recovery.twin.errors import UnknownProcedure
from recovery.twin.params import frozen


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("609588000", "knee_replacement"),
        ("52734007", "hip_replacement"),
        ("23968004", "colectomy"),
        ("45595009", "cholecystectomy"),
        ("232717009", "cardiac"),
        ("73156009", "hip_fracture"),
        ("173171007", "lobectomy"),
        ("55705006", "spinal_fusion"),
    ],
)
def test_a_snomed_code_finds_its_procedure(code, key):
    assert procedure_for_snomed(code).key == key


def test_an_unknown_code_is_no_error_but_an_unknown_key_is():
    assert procedure_for_snomed("1") is None
    with pytest.raises(UnknownProcedure):
        procedure("juggling")


def test_no_snomed_code_names_two_procedures():
    codes = [c for p in PROCEDURES.values() for c in p.snomed]
    assert len(codes) == len(set(codes))


def test_unknown_covariates_sit_at_the_population_mean():
    np.testing.assert_array_equal(Profile().covariates(), np.zeros(4))
    np.testing.assert_allclose(Profile(None, 75.0, "male", 30.0, frailty=5.0).covariates(), [1.0, 0.5, 2.0, 1.0])


def test_a_fitted_covariate_effect_moves_the_prior_of_the_patient_only():
    generic = cold_start().by_metric["heart_rate"]["generic"]
    effects = np.zeros((7, 4))
    effects[0, 0] = -1.5
    fitted = replace(generic, covariate_effects=frozen(effects))
    older = fitted.bind(Profile(age_years=85.0, surgery_end_hour_of_day=9.5))
    assert older.prior_mean[0] == pytest.approx(generic.prior_mean[0] - 3.0)
    assert (float(older.clock_hour), float(fitted.clock_hour)) == (9.5, 12.0)


def test_a_procedure_whose_approach_is_not_stated_lies_between_its_approaches_and_is_less_sure():
    steps = cold_start().by_metric["steps"]
    curves = [steps[k] for k in ("colectomy_open", "colectomy", "colectomy_laparoscopic")]
    day7 = [np.exp(-180.0 / p.tau_hours) @ p.prior_mean[1:4] for p in curves]
    assert day7[0] < day7[1] < day7[2]
    assert np.trace(curves[1].prior_cov) > np.trace(curves[0].prior_cov)
