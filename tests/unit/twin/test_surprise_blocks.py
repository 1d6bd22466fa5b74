"""Six-hour means of three days of surprises."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.surprise_blocks import BLOCKS, CLIP, SPAN_H, blocks, in_order_of, table_blocks

TABLES = st.lists(st.one_of(st.none(), st.floats(-6, 6)), min_size=SPAN_H, max_size=SPAN_H)


def test_the_newest_block_holds_the_last_six_hours():
    found = blocks([99.0, 95.0, 94.0, 93.9], [1.0, 3.0, 2.0, -1.0], 100.0)
    assert found.mean[0] == 2.0 and found.n[0] == 3
    assert found.mean[1] == -1.0 and found.n[1] == 1
    assert found.n[2:].sum() == 0 and not found.mean[2:].any()


def test_what_is_older_than_three_days_or_of_the_future_is_left_out():
    found = blocks([100.0 - SPAN_H - 0.5, 101.0], [3.0, 3.0], 100.0)
    assert found.n.sum() == 0


def test_an_artefact_counts_as_no_more_than_four_deviations():
    assert blocks([99.0], [50.0], 100.0).mean[0] == CLIP
    assert table_blocks(np.array([[np.nan] * (SPAN_H - 1) + [-50.0]])).mean[0, 0] == -CLIP


@given(TABLES)
def test_the_table_and_the_list_give_the_same_blocks(values):
    row = np.array([np.nan if value is None else value for value in values])
    hours = np.flatnonzero(np.isfinite(row)).astype(float)
    one, many = blocks(hours, row[np.isfinite(row)], float(SPAN_H)), table_blocks(row[None])
    np.testing.assert_allclose(one.mean, many.mean[0], atol=1e-12)
    np.testing.assert_array_equal(one.n, many.n[0])


@given(st.permutations(range(20)))
def test_the_order_of_the_surprises_makes_no_difference(order):
    hours, values = np.arange(20.0) * 3, np.linspace(-3, 3, 20)
    np.testing.assert_allclose(
        blocks(hours, values, 60.0).mean, blocks(hours[order], values[order], 60.0).mean, atol=1e-12
    )


def test_a_metric_that_was_never_read_is_empty_and_in_its_place():
    found = in_order_of(("heart_rate", "spo2"), {"spo2": blocks([99.0], [1.0], 100.0)})
    assert found.mean.shape == (2, BLOCKS)
    assert found.n[0].sum() == 0 and found.n[1, 0] == 1
