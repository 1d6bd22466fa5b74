"""The shipped hazard model: plain numbers, honest about its training, exact through JSON, refused when
bent."""

import copy
import json

import numpy as np
import pytest

from recovery.twin.errors import MalformedState
from recovery.twin.hazard_store import from_plain, shipped_model, to_plain
from recovery.twin.incidence import INCIDENCE, OUTCOMES
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.risk import assess
from recovery.twin.risk_inputs import RiskFactors, risk_inputs
from recovery.twin.survival import predict, published_model
from tests.unit.twin.made import made_features

PLAIN = to_plain(shipped_model())


def test_a_model_comes_back_from_json_with_the_same_risks():
    model, back = shipped_model(), from_plain(json.loads(json.dumps(PLAIN)))
    assert to_plain(back) == PLAIN
    values = [feature.mean for feature in model.features]
    for a, b in zip(
        predict(model, "af", "cardiac", 30.0, values), predict(back, "af", "cardiac", 30.0, values), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_it_says_that_it_was_fitted_on_a_synthetic_cohort():
    model = shipped_model()
    assert model.evidence == "fitted on a synthetic cohort"
    assert model.training["synthetic"] is True
    assert "synthetic" in model.training["description"]
    assert len(model.training["data_sha256"]) == 64
    estimates = assess(Profile("colectomy", age_years=70), made_features(48.0), 48.0, model)
    assert {e.evidence for e in estimates} == {"fitted on a synthetic cohort"}


def test_it_tells_how_well_it_did_on_unseen_patients_beside_news2():
    days = shipped_model().training["cross_validation"]["days"]
    for day in ("1", "4", "7", "10"):
        assert days[day]["auroc"] > days[day]["news2_auroc"]
        assert days[day]["auroc_90"][0] <= days[day]["auroc"] <= days[day]["auroc_90"][1]
        assert days[day]["events"] > 10


def test_its_baselines_are_the_published_ones_with_days_of_onset_drawn_to_the_cohort():
    published = published_model()
    for outcome in OUTCOMES:
        for name in INCIDENCE:
            theirs, ours = published.baseline(outcome, name), shipped_model().baseline(outcome, name)
            assert (theirs is None) == (ours is None)
            if theirs and ours:
                assert ours.mid == pytest.approx(theirs.mid, rel=1e-5)
                assert ours.source.startswith(theirs.source)
                assert abs(ours.onsets[0][1] - theirs.onsets[0][1]) < 1.0


def test_every_feature_it_reads_is_an_input_that_is_served():
    served = risk_inputs(Profile(), made_features(48.0), RiskFactors()).values
    assert {feature.key for feature in shipped_model().features} <= set(served)


@pytest.mark.parametrize("procedure", [*PROCEDURES, None])
def test_every_operation_gets_lawful_risks_from_it(procedure):
    for hours in (6.0, 100.0, 400.0, 719.0):
        features = made_features(hours, heart_rate=2.0, respiratory_rate=1.0)
        for e in assess(Profile(procedure, age_years=66, sex="male"), features, hours, shipped_model()):
            assert e.abstained_because is None
            assert 0 <= e.low <= e.probability <= e.high <= 1


def test_worse_vital_signs_never_lower_the_risk_of_tomorrow():
    who = Profile("lobectomy", age_years=66, sex="male", bmi=26)
    calm, ill = (
        next(e for e in assess(who, made_features(120.0, **worse), 120.0, shipped_model()) if e.horizon_h == 24)
        for worse in ({}, {"respiratory_rate": 3.0, "heart_rate": 3.0, "temperature": 3.0, "spo2": 3.0})
    )
    assert ill.probability > 1.5 * calm.probability


def bent(change) -> dict:
    plain = copy.deepcopy(PLAIN)
    change(plain)
    return plain


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(format=2),
        lambda p: p.pop("effects"),
        lambda p: p["effects"]["complication"]["coefficients"].append(1.0),
        lambda p: p["effects"]["complication"]["coefficients"].__setitem__(1, float("nan")),
        lambda p: p["effects"]["complication"]["covariance"].__setitem__(0, -5.0),
        lambda p: p.update(fade_hours=0.0),
        lambda p: p["features"][0].update(sd=0.0),
        lambda p: p["baselines"]["ssi"]["cardiac"].update(low=0.9),
        lambda p: p["baselines"]["ssi"]["cardiac"].update(onsets=[[1.0]]),
    ],
)
def test_a_bent_model_is_refused(change):
    with pytest.raises(MalformedState):
        from_plain(bent(change))
