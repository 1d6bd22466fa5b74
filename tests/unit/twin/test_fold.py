"""Promise 2: any order, any batching, duplicates and late data give the same twin."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.twin import (
    METRICS,
    Profile,
    Request,
    Samples,
    TwinState,
    cold_start,
    features,
    fold,
    fold_many,
    load,
    rewind_hour,
)
from recovery.twin.errors import BackwardsInTime, ModelMismatch
from recovery.twin.state import retained_hours
from tests.unit.twin.twin_cases import KNEE, joined, stream

PARAMS = cold_start()
UNTIL = 120.0
WHOLE = stream()


def rebuilt(samples, until=UNTIL):
    return fold(None, PARAMS, KNEE, load(samples, until)).state


def assert_same_memory(a, b):
    np.testing.assert_allclose(a.belief.mean, b.belief.mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(a.belief.cov, b.belief.cov, rtol=0, atol=1e-9)
    assert a.belief.at == b.belief.at
    np.testing.assert_allclose(a.card.as_array(), b.card.as_array(), rtol=0, atol=1e-9)


def assert_same_twin(a, b):
    """Every belief, card, recent surprise, worn hour and checkpoint, to 1e-9."""
    assert (a.until_hour, set(a.metrics)) == (b.until_hour, set(b.metrics))
    for key, mine in a.metrics.items():
        theirs = b.metrics[key]
        assert_same_memory(mine.memory, theirs.memory)
        np.testing.assert_array_equal(mine.recent_hours, theirs.recent_hours)
        np.testing.assert_allclose(mine.recent_surprises, theirs.recent_surprises, rtol=0, atol=1e-9)
        assert (mine.worn_hours, mine.last_reading_hour) == (theirs.worn_hours, theirs.last_reading_hour)
    assert [c.hour for c in a.checkpoints] == [c.hour for c in b.checkpoints]
    for mine, theirs in zip(a.checkpoints, b.checkpoints, strict=True):
        assert set(mine.memories) == set(theirs.memories)
        for key in mine.memories:
            assert_same_memory(mine.memories[key], theirs.memories[key])


def deliver(state, store, parcel, until):
    """What the service does: add a parcel to the store, rewind, load from there, fold."""
    hours = [h for s in parcel.values() for h in s.hours]
    dirty = min(hours, default=state.until_hour) if state else -np.inf
    for key, s in parcel.items():
        store[key] = joined([store[key], s]) if key in store else s
    start = rewind_hour(state, dirty)
    return fold(state, PARAMS, KNEE, load(store, until, start), dirty).state


def split(samples, labels):
    """Parcels by label (one per sample), each a mapping of metric to the samples with that label."""
    parcels = {}
    for key, s in samples.items():
        mark = labels[key]
        for label in np.unique(mark):
            parcels.setdefault(int(label), {})[key] = s.take(mark == label)
    return [parcels[k] for k in sorted(parcels)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), parcels=st.integers(1, 8), hours=st.lists(st.floats(0, UNTIL), max_size=8))
def test_any_order_and_any_batching_give_the_same_twin(seed, parcels, hours):
    rng = np.random.default_rng(seed)
    labels = {key: rng.integers(0, parcels, len(s)) for key, s in WHOLE.items()}
    state, store, reached = None, {}, sorted(hours)
    for i, parcel in enumerate(split(WHOLE, labels)):
        state = deliver(state, store, parcel, reached[i] if i < len(reached) else UNTIL)
    assert_same_twin(deliver(state, store, {}, UNTIL), rebuilt(WHOLE))


@settings(max_examples=20, deadline=None)
@given(late=st.floats(-48.0, 119.0), width=st.floats(1.0, 60.0))
def test_late_data_give_the_same_twin_as_data_in_time(late, width):
    labels = {key: ((s.hours >= late) & (s.hours < late + width)).astype(int) for key, s in WHOLE.items()}
    state, store = None, {}
    for parcel in split(WHOLE, labels):
        state = deliver(state, store, parcel, UNTIL)
    assert_same_twin(state, rebuilt(WHOLE))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_duplicates_and_shuffling_change_nothing(seed):
    rng = np.random.default_rng(seed)
    messy = {}
    for key, s in WHOLE.items():
        index = np.concatenate([np.arange(len(s)), rng.integers(0, len(s), 30)])
        messy[key] = s.take(rng.permutation(index))
    a, b = rebuilt(messy), rebuilt(WHOLE)
    assert a.to_plain() == b.to_plain()


def test_hourly_live_updates_end_in_the_twin_that_a_rebuild_makes():
    samples, state, store = stream(seed=3, last=60.0), None, {}
    for hour in range(-47, 61):
        parcel = {k: s.take((s.hours >= hour - 1) & (s.hours < hour)) for k, s in samples.items()}
        state = deliver(state, store, parcel, float(hour))
    state = deliver(state, store, {}, 60.0)
    assert_same_twin(state, rebuilt(samples, 60.0))


def test_a_twin_rewound_past_dropped_checkpoints_equals_a_rebuild():
    samples = stream(seed=5, first=-24.0, last=720.0)
    held = {k: s.hours < 400.0 for k, s in samples.items()}
    early = {k: s.take(held[k] | (s.hours > 410.0)) for k, s in samples.items()}
    late = {k: s.take(~held[k] & (s.hours <= 410.0)) for k, s in samples.items()}
    store = {}
    state = deliver(None, store, early, 720.0)
    assert 0.0 <= rewind_hour(state, 400.0) < 400.0
    assert_same_twin(deliver(state, store, late, 720.0), rebuilt(samples, 720.0))


def test_many_patients_folded_together_equal_each_alone():
    profiles = [KNEE, Profile("cardiac"), Profile(), Profile("hip_fracture")]
    streams = [stream(seed=s, last=30.0 + 20.0 * s) for s in range(4)]
    untils = [30.0 + 20.0 * s for s in range(4)]
    triples = list(zip(profiles, streams, untils, strict=True))
    together = fold_many([Request(None, p, load(s, u)) for p, s, u in triples], PARAMS)
    for done, (p, s, u) in zip(together, triples, strict=True):
        assert_same_twin(done.state, fold(None, PARAMS, p, load(s, u)).state)


def test_a_stored_twin_comes_back_bit_for_bit_and_folds_on_alike():
    state = rebuilt(WHOLE, 90.0)
    back = TwinState.from_plain(json.loads(json.dumps(state.to_plain())))
    assert back.to_plain() == state.to_plain()
    for key, m in state.metrics.items():
        np.testing.assert_array_equal(back.metrics[key].memory.belief.cov, m.memory.belief.cov)
    start = rewind_hour(state, 90.0)
    on = [fold(s, PARAMS, KNEE, load(WHOLE, UNTIL, start), 90.0).state for s in (state, back)]
    assert on[0].to_plain() == on[1].to_plain()


def test_a_thirty_day_twin_of_six_metrics_stays_below_20_kb():
    samples = stream(seed=9, first=-168.0, last=720.0)
    samples["respiratory_rate"] = samples["temperature"] = Samples.of(
        samples["steps"].hours, 36.0 + 0 * samples["steps"].hours
    )
    state = rebuilt(samples, 720.0)
    assert len(state.metrics) == 6
    assert len(json.dumps(state.to_plain(), separators=(",", ":"))) < 20_000


def test_checkpoints_once_dropped_are_never_wanted_again():
    kept = [set(retained_hours(-100.0, until)) for until in np.arange(0.0, 3000.0, 7.0)]
    for earlier, later in zip(kept, kept[1:], strict=False):
        newest = max(earlier, default=-1000)
        assert {c for c in later if c <= newest} <= earlier


def test_a_twin_without_any_sample_is_an_empty_twin():
    state = rebuilt({})
    assert (state.metrics, state.checkpoints) == ({}, ())
    assert rewind_hour(None, 5.0) == -np.inf == rewind_hour(state, 5.0)


def test_a_metric_with_samples_but_no_measurement_yet_is_there_without_a_belief():
    state = rebuilt({"steps": WHOLE["steps"].take(WHOLE["steps"].hours > 118.0)})
    assert state.metrics["steps"].count == 0
    assert state.metrics["steps"].last_reading_hour is not None


def test_samples_after_the_asked_hour_do_not_leak_into_the_twin():
    before = {k: s.take(s.hours <= 70.0) for k, s in WHOLE.items()}
    assert rebuilt(WHOLE, 70.0).to_plain() == rebuilt(before, 70.0).to_plain()


def test_a_wild_reading_is_down_weighted_and_says_by_how_much():
    hours = np.arange(0.0, 48.0)
    values = np.full(48, 80.0)
    values[40] = 190.0
    judged = fold(None, PARAMS, KNEE, load({"heart_rate": Samples.of(hours, values)}, 48.0)).judged["heart_rate"]
    verdicts = judged.verdicts()
    assert verdicts[40][0] == "down-weighted" and "SD from expectation" in verdicts[40][1]
    assert verdicts[39] == ("accepted", "as expected")


def test_folding_to_an_earlier_hour_is_refused():
    with pytest.raises(BackwardsInTime, match="rebuild"):
        fold(rebuilt(WHOLE), PARAMS, KNEE, load(WHOLE, 50.0))


def test_samples_loaded_from_too_late_an_hour_are_refused():
    with pytest.raises(BackwardsInTime, match="loaded from 110"):
        fold(rebuilt(WHOLE), PARAMS, KNEE, load(WHOLE, UNTIL, 110.0), 80.0)


def test_a_twin_of_another_model_is_refused():
    state = rebuilt(WHOLE)
    other = TwinState("other", state.until_hour, state.metrics, state.checkpoints)
    with pytest.raises(ModelMismatch):
        fold(other, PARAMS, KNEE, load(WHOLE, UNTIL))


def with_laboratory() -> dict[str, Samples]:
    """The usual stream with blood values on five mornings, one of them a slip of ten."""
    mornings = np.array([-12.0, 18.5, 42.5, 66.5, 90.5])
    values = {
        "crp": [3, 80, 150, 1400, 110],
        "leukocytes": [7, 13, 11, 10, 9],
        "haemoglobin": [13, 11, 10.4, 10.2, 10.3],
    }
    return WHOLE | {key: Samples.of(mornings, np.array(v, float), 1, 3) for key, v in values.items()}


def test_blood_values_delivered_late_and_in_any_order_give_the_rebuilt_twin():
    samples = with_laboratory()
    early = {key: s.take(s.hours < 60.0) for key, s in samples.items() if key != "crp"}
    first = fold(None, PARAMS, KNEE, load(early, 72.0)).state
    start = rewind_hour(TwinState.from_plain(json.loads(json.dumps(first.to_plain()))), -12.0)
    late = fold(first, PARAMS, KNEE, load(samples, UNTIL, start), -12.0).state
    assert_same_twin(late, rebuilt(samples))
    assert {"crp", "leukocytes", "haemoglobin"} < set(late.metrics)


def test_a_slip_of_ten_in_a_blood_value_is_refused_with_a_reason_and_moves_nothing():
    samples = with_laboratory()
    slipped = load(samples, UNTIL).by_metric["crp"]
    assert [(one.value, "above 600 mg/L" in one.reason) for one in slipped.rejected] == [(1400.0, True)]
    without = samples | {"crp": samples["crp"].take(samples["crp"].values < 600)}
    assert_same_twin(rebuilt(samples), rebuilt(without))


def test_the_followed_metrics_of_a_stream_are_untouched_by_blood_values_beside_them():
    with_, without = rebuilt(with_laboratory()), rebuilt(WHOLE)
    for key in WHOLE:
        assert_same_memory(with_.metrics[key].memory, without.metrics[key].memory)


def test_a_version_made_before_blood_values_were_followed_leaves_them_alone():
    old = replace(PARAMS, by_metric={k: v for k, v in PARAMS.by_metric.items() if METRICS[k].family != "laboratory"})
    state = fold(None, old, KNEE, load(with_laboratory(), UNTIL)).state
    assert_same_twin(state, rebuilt(WHOLE))
    assert features(state, old, UNTIL, KNEE).metrics["crp"].level is None
