"""Looks gathered in slices are those gathered at once, through JSON and back; what unseen patients said is judged."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recovery.twin.cold_start import cold_start
from recovery.twin.errors import MalformedState, NotEnoughData
from recovery.twin.evaluate_suspicion import causes, counts, figures, fold_suspicion, held_out, judged_rows, of_rows
from recovery.twin.fit_hypotheses import Illness, fit
from recovery.twin.fit_looks import Gathered, collect, join, ordered_for
from recovery.twin.fit_parts import from_plain, to_plain
from recovery.twin.fit_run import FOLDS, fold_of
from recovery.twin.survival import published_model
from tests.unit.twin.test_fit_hypotheses import looks as looks_of_a_cohort  # noqa: F401
from tests.unit.twin.test_fit_parts import cases

HOURS = [24.0, 48.0, 72.0, 84.0, 96.0]


def through_json(value):
    return from_plain(json.loads(json.dumps(to_plain(value))))


def test_looks_of_slices_are_the_looks_of_all():
    everyone = join([collect(cases(), cold_start(), HOURS)])
    assert everyone.looks.metrics == ("heart_rate", "pain")  # of the others there is no reading
    joined = join([through_json(collect(cases()[at : at + 3], cold_start(), HOURS)) for at in (0, 3, 6)])
    assert joined.people.tolist() == everyone.people.tolist() == list(range(7))
    order, wanted = (np.lexsort((one.looks.hour, one.looks.patient)) for one in (joined, everyone))
    for name in ("patient", "hour", "classes", "static"):
        np.testing.assert_array_equal(getattr(joined.looks, name)[order], getattr(everyone.looks, name)[wanted])
    np.testing.assert_allclose(joined.looks.blocks.mean[order], everyone.looks.blocks.mean[wanted], rtol=1e-5)
    np.testing.assert_array_equal(joined.looks.blocks.n[order], everyone.looks.blocks.n[wanted])
    assert [list(one) for one in joined.looks.illnesses] == [list(one) for one in everyone.looks.illnesses]
    assert isinstance(joined.looks.illnesses[1][0], Illness)


def test_a_slice_reads_back_exactly_and_small():
    found = collect(cases(), cold_start(), HOURS)
    again = through_json(found)
    np.testing.assert_array_equal(again.looks.blocks.mean, found.looks.blocks.mean)
    assert again.looks.blocks.mean.dtype == np.float32 and again.looks.blocks.n.dtype == np.int16
    assert len(to_plain(found.looks.blocks.mean)["small"]) < found.looks.blocks.mean.nbytes / 4  # mostly zeros


def test_nobody_is_looked_at_after_death_and_a_slice_of_the_dead_gives_nothing():
    some = cases()
    for one in some:
        one.died_h = 50.0
    assert collect(some, cold_start(), HOURS).looks.hour.max() == 48.0
    assert collect(some, cold_start(), [72.0]) is None


def test_parts_of_different_versions_are_refused():
    one, other = (collect(cases(), cold_start(), HOURS) for _ in range(2))
    with pytest.raises(MalformedState, match="different versions"):
        join([one, Gathered(other.people, other.static_keys[1:], other.looks)])


def test_static_inputs_come_in_the_order_of_the_hazards_and_what_is_missing_is_not_known():
    found, hazards = collect(cases(), cold_start(), HOURS), published_model()
    looks = ordered_for(hazards, found.looks, found.static_keys)
    for place, feature in enumerate(hazards.features):
        if feature.kind == "static":
            np.testing.assert_array_equal(looks.static[:, place], found.column(feature.key))
        else:
            assert np.isnan(looks.static[:, place]).all()


@pytest.fixture
def gathered(looks_of_a_cohort):  # noqa: F811
    """240 people numbered from 1000, every third with a pneumonia; sex is their parity."""
    people = 1000 + np.arange(240)
    sex = (looks_of_a_cohort.patient % 2).astype(float)
    given = {name: getattr(looks_of_a_cohort, name) for name in ("metrics", "patient", "hour", "classes", "blocks")}
    looks = type(looks_of_a_cohort)(**given, static=sex[:, None], illnesses=looks_of_a_cohort.illnesses)
    return Gathered(people, ("male",), looks)


def test_people_are_counted_by_what_is_under_way(gathered):
    everyone = np.ones(len(gathered.looks.hour), bool)
    assert counts(gathered, everyone) == (80, 160)
    assert causes(gathered, everyone)["pneumonia"] == 80 and causes(gathered, everyone)["ssi"] == 0
    assert counts(gathered, gathered.rows_of([1000, 1001, 1002])) == (1, 2)


def test_a_person_of_two_operations_is_counted_once(gathered):
    everyone = np.ones(len(gathered.looks.hour), bool)
    twice = replace(gathered, people=1000 + np.arange(240) // 6)  # six operations each, two of them with a pneumonia
    assert counts(twice, everyone) == (40, 0) and causes(twice, everyone)["pneumonia"] == 40


def test_looks_without_a_reading_are_no_looks_at_a_complication(gathered):
    everyone = np.ones(len(gathered.looks.hour), bool)
    gathered.looks.blocks.n[gathered.looks.patient < 120] = 0
    assert counts(gathered, everyone) == (40, 160)
    gathered.looks.blocks.n[:] = 6


def test_a_hold_back_in_which_nobody_can_be_judged_gives_no_figures(gathered):
    everyone = np.ones(len(gathered.looks.hour), bool)
    hazards = published_model()
    model = fit(of_rows(gathered, everyone, hazards), hazards, "all", "twin", {})
    rows, said = held_out(gathered, ~everyone, model, hazards)
    assert not rows.any() and len(said) == 0
    assert figures(gathered, rows, said, 7)["all"] is None


def test_without_an_onset_before_its_diagnosis_nothing_is_learned(gathered):
    looks = replace(
        gathered.looks,
        illnesses=[[one._replace(onset=one.diagnosis) for one in row] for row in gathered.looks.illnesses],
    )
    with pytest.raises(NotEnoughData, match="onset"):
        fit(looks, published_model(), "none", "twin", {})


def test_each_judged_look_is_judged_once_by_hypotheses_that_saw_none_of_its_patients(gathered):
    everyone = np.ones(len(gathered.looks.hour), bool)
    told = np.full(len(everyone), np.nan)
    for fold in range(FOLDS):
        rows, said = fold_suspicion(gathered, everyone, fold, published_model(), "twin", 7)
        assert np.isnan(told[rows]).all()
        assert set(fold_of(gathered.people[gathered.looks.patient], 7)[rows]) == {fold}
        told[rows] = said
    judged = np.isfinite(told)
    np.testing.assert_array_equal(judged, judged_rows(gathered.looks))
    found = figures(gathered, judged, told[judged], 7)
    assert (found["all"]["people"], found["all"]["events"]) == (240, 80 * 3)
    assert found["all"]["auroc"]["value"] > 0.9
    assert found["subgroups"]["sex"]["male"]["people"] == 120 and set(found["subgroups"]["age"]) == {"not known"}
