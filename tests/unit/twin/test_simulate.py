"""Synthetic patients: seeded, labelled, imperfect like a real stream."""

import numpy as np
import pytest

from recovery.twin import METRICS, Profile, cold_start, load
from recovery.twin.errors import TwinError
from recovery.twin.simulate import DRAWN, IMPLANTED, SIGNATURES, WATCHED, simulate
from tests.unit.twin.twin_cases import KNEE

PARAMS = cold_start()


def test_the_same_seed_gives_the_same_patient_and_another_seed_another():
    a, b, c = (simulate(seed, PARAMS, KNEE) for seed in (4, 4, 5))
    for key in a.samples:
        np.testing.assert_array_equal(a.samples[key].values, b.samples[key].values)
    assert not np.array_equal(a.samples["heart_rate"].values[:50], c.samples["heart_rate"].values[:50])


def test_a_synthetic_patient_says_so_with_its_seed():
    made = simulate(4, PARAMS, KNEE)
    assert "ynthetic" in made.label and made.simulator.startswith("synthetic") and made.seed == 4


def test_there_are_gaps_and_artefacts_but_most_readings_are_plausible():
    made = [simulate(seed, PARAMS, KNEE) for seed in range(10)]
    hours = 72 + 336
    share = np.mean([len(m.samples["heart_rate"]) / hours for m in made])
    assert 0.75 < share < 0.98
    rejected = [len(load(m.samples, 336.0).by_metric["heart_rate"].rejected) for m in made]
    assert 0 < sum(rejected) < 0.02 * hours * 10


@pytest.mark.parametrize("complication", SIGNATURES)
def test_a_complication_changes_nothing_before_its_onset_and_moves_each_metric_its_way_after(complication):
    ill, well = (
        simulate(6, PARAMS, KNEE, complication=c, onset_hour=72.0, laboratory=True) for c in (complication, None)
    )
    assert (ill.complication, ill.onset_hour) == (complication, 72.0)
    for effect in SIGNATURES[complication].effects:
        at = ill.samples[effect.metric].hours
        before, after = at < 72.0, at > 130.0
        x, y = ill.samples[effect.metric].values, well.samples[effect.metric].values
        np.testing.assert_array_equal(x[before], y[before])
        way = -1.0 if effect.metric == "steps" else np.sign(effect.size)
        assert way * (x[after].mean() - y[after].mean()) > 0


def test_in_pneumonia_the_respiratory_rate_moves_first():
    worn = [e for e in SIGNATURES["pneumonia"].effects if METRICS[e.metric].family == "vital"]
    order = sorted(worn, key=lambda e: e.delay_h)
    assert [e.metric for e in order[:2]] == ["respiratory_rate", "spo2"]


def test_an_implant_reports_gait_once_a_day_and_only_when_there_is_one():
    assert "knee_rom" not in simulate(1, PARAMS, KNEE).samples
    made = simulate(1, PARAMS, KNEE, implant=True, laboratory=True)
    assert set(made.samples) == {*WATCHED, "steps", "pain", *IMPLANTED, "qualified_steps", *DRAWN}
    assert len(made.samples["qualified_steps"]) == 14


def test_every_procedure_can_be_simulated_and_measured():
    for procedure in ("cardiac", "cholecystectomy", "hip_fracture", None):
        found = load(simulate(2, PARAMS, Profile(procedure)).samples, 336.0)
        assert all(len(m.measurements.value) for m in found.by_metric.values())


def test_an_unknown_complication_is_refused():
    with pytest.raises(TwinError, match="boredom"):
        simulate(1, PARAMS, KNEE, complication="boredom")


def test_blood_is_drawn_once_before_surgery_and_on_the_first_mornings_only_where_it_is_asked_for():
    made, without = (simulate(1, PARAMS, KNEE, laboratory=asked) for asked in (True, False))
    assert not {"crp", "leukocytes", "creatinine", "haemoglobin"} & set(without.samples)
    at = made.samples["crp"].hours
    assert (at < 0).sum() == 1 and (at > 0).sum() == 7 and at.max() < 7 * 24
    for key in without.samples:
        np.testing.assert_array_equal(made.samples[key].values, without.samples[key].values)
