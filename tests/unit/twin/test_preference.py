"""Whom of two devices to believe."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.measurement import Samples, measure
from recovery.twin.metrics import METRICS
from recovery.twin.preference import prefer

HEART, STEPS = METRICS["heart_rate"], METRICS["steps"]
WATCH, RING, PATCH = 0, 1, 2


def test_where_the_chosen_one_speaks_the_other_is_silent_and_elsewhere_it_stands_in():
    both = Samples.of([0.2, 0.4, 1.5], [80, 90, 91], 2, [WATCH, RING, RING])
    found = prefer(HEART, both, WATCH)
    assert measure(HEART, found, 3).measurements.value.tolist() == [80, 91]
    assert measure(HEART, prefer(HEART, both, RING), 3).measurements.value.tolist() == [90, 91]


def test_a_hospital_device_outranks_whatever_was_chosen():
    mixed = Samples.of([0.2, 0.4], [80, 120], [2, 1], [WATCH, PATCH])
    assert measure(HEART, prefer(HEART, mixed, WATCH), 3).measurements.value.tolist() == [120]


def test_what_a_person_reads_off_may_be_believed_before_their_watch():
    mixed = Samples.of([0.2, 0.4], [80, 70], [2, 3], [WATCH, RING])
    assert measure(HEART, prefer(HEART, mixed, RING), 3).measurements.value.tolist() == [70]


def day(worn: int, a_step: float, series: int) -> Samples:
    hours = np.arange(worn) + 0.5
    return Samples.of(hours, np.full(worn, a_step), 2, series)


def together(*parts: Samples) -> Samples:
    names = ("hours", "values", "tiers", "series", "span_hours")
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def test_steps_of_a_day_are_the_chosen_ones_when_it_was_worn_and_the_others_when_it_was_not():
    worn = together(day(20, 100.0, WATCH), day(24, 10.0, RING))
    assert measure(STEPS, prefer(STEPS, worn, WATCH), 30).measurements.value.tolist() == [2000]
    short = together(day(5, 100.0, WATCH), day(24, 10.0, RING))
    assert measure(STEPS, prefer(STEPS, short, WATCH), 30).measurements.value.tolist() == [240]


def test_a_total_of_a_whole_day_fills_its_day():
    typed = Samples.of([12.0], [4000.0], 3, RING, 24.0)
    found = prefer(STEPS, together(day(24, 10.0, WATCH), typed), RING)
    assert measure(STEPS, found, 30).measurements.value.tolist() == [4000]


rows = st.lists(
    st.tuples(st.floats(0, 47.9), st.integers(60, 99), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40
)


@given(rows, st.integers(0, 2), st.randoms())
def test_order_makes_no_difference_and_nothing_of_the_chosen_one_is_lost(rows, source, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    made = [Samples.of(*(np.array(column) for column in zip(*some, strict=True))) for some in (rows, shuffled)]
    first, second = (prefer(HEART, samples, source) for samples in made)
    assert sorted(zip(first.hours, first.values, strict=True)) == sorted(zip(second.hours, second.values, strict=True))
    assert (first.series == source).sum() == (made[0].series == source).sum()
    assert (first.tiers < 2).sum() == (made[0].tiers < 2).sum()
