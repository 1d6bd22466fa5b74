"""A frame hides steps from a wearable: what the twin learns is what was walked, less surely; all else is as it was."""

from math import inf

import numpy as np
import pytest

from recovery.twin import METRICS, Samples, cold_start, fold, load
from recovery.twin.gait_aid import AIDS, AidUse, aid_at, aid_named, as_walked
from recovery.twin.metrics import Tier
from recovery.twin.state import TwinState
from recovery.twin.wear import learned
from tests.unit.twin.twin_cases import KNEE

STEPS = METRICS["steps"]
FRAME = AidUse("frame", 0.0, 240.0)
PARAMS = cold_start()


def days(count, value=1000.0, tier=Tier.CONSUMER):
    return Samples.of(24.0 * np.arange(count) + 12.0, np.full(count, value), int(tier), 0, 24.0)


def walked(samples, uses, metric=STEPS):
    found = load({metric.key: samples}, 24.0 * 20).by_metric[metric.key].measurements
    plain = learned(metric, found, (), 12.0)
    return plain, as_walked(metric, found, plain, uses)


def test_a_count_with_a_frame_is_read_as_23_of_100_steps_short_and_wider():
    (value, unsure), (more, wider) = walked(days(2), (FRAME,))
    assert STEPS.transform.inverse(more) == pytest.approx(1000.0 / 0.77)
    assert np.sqrt(wider - unsure) == pytest.approx(np.full(2, 0.0551 / 0.77 * 1299 / 1349), rel=0.01)
    assert (more > value).all()


def test_days_before_and_after_the_frame_are_as_counted():
    (value, _), (more, wider) = walked(days(12), (AidUse("frame", 48.0, 240.0),))
    assert (more > value).tolist() == [False] * 2 + [True] * 8 + [False] * 2
    assert (wider > 0).tolist() == (more > value).tolist()


@pytest.mark.parametrize("tier", [Tier.IMPLANT, Tier.SELF_REPORT])
def test_what_an_implant_counted_or_a_person_told_is_left_alone(tier):
    plain, more = walked(days(3, tier=tier), (FRAME,))
    assert all((a == b).all() for a, b in zip(plain, more, strict=True))


def test_a_stick_and_other_measures_change_nothing_to_the_last_bit():
    plain, more = walked(days(3), (AidUse("stick", 0.0, inf),))
    assert all((a == b).all() for a, b in zip(plain, more, strict=True))
    pulse = METRICS["heart_rate"]
    plain, more = walked(Samples.of([3.0, 4.0], [70.0, 71.0]), (FRAME,), pulse)
    assert all((a == b).all() for a, b in zip(plain, more, strict=True))


def test_crutches_are_less_sure_than_a_frame_and_of_two_aids_the_one_that_hides_more_counts():
    assert AIDS["crutches"].sd > AIDS["frame"].sd and AIDS["crutches"].missed < AIDS["frame"].missed
    both = (AidUse("crutches", 0.0, inf), FRAME)
    assert (
        aid_at(both, 10.0) is AIDS["frame"] and aid_at(both, 300.0) is AIDS["crutches"] and aid_at(both, -1.0) is None
    )


def test_the_most_that_can_be_walked_stays_the_most():
    _, (more, _) = walked(days(1, 59_000.0), (FRAME,))
    assert np.isfinite(more).all() and STEPS.transform.inverse(more)[0] <= 60_000.0 + 1e-6


def test_the_twin_of_a_walker_with_a_frame_believes_more_steps_and_is_the_same_live_and_late():
    samples = {"steps": days(10)}
    plain, aided = (fold(None, PARAMS, KNEE, load(samples, 240.0, aids=uses)).state for uses in ((), (FRAME,)))
    level = {name: s.metrics["steps"].memory.belief.mean[0] for name, s in (("plain", plain), ("aided", aided))}
    assert level["aided"] > level["plain"] + 0.05
    state = None
    for day in range(1, 11):
        part = load(samples, 24.0 * day, aids=(FRAME,))
        state = fold(
            TwinState.from_plain(state.to_plain()) if state else None, PARAMS, KNEE, part, 24.0 * day - 12.0
        ).state
    assert state.metrics["steps"].memory.belief.mean == pytest.approx(aided.metrics["steps"].memory.belief.mean)


@pytest.mark.parametrize(
    ("words", "aid"),
    [("Walking frame", "frame"), ("Zimmer frame, wheeled", "frame"), ("2 crutches", "crutches"), ("Cane", "stick")]
    + [("No aid", "none"), ("StepWalker watch", ""), ("", ""), ("Hurricane lamp", "")],
)
def test_an_aid_is_known_by_its_words(words, aid):
    assert aid_named(words) == aid
