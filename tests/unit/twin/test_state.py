"""Stored twins: what is refused, and what the numbers survive."""

import numpy as np
import pytest

from recovery.twin import TwinState
from recovery.twin.errors import MalformedState
from recovery.twin.state import FORMAT, mirrored, pack, retained_hours, unpack


def test_packed_numbers_come_back_bit_for_bit():
    values = np.array([0.1, -np.inf, 1e-300, np.pi, -0.0])
    assert unpack(pack(values)).tobytes() == values.tobytes()


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"format": 99},
        {"format": FORMAT, "model": "m", "until": 1.0, "metrics": {"steps": {}}, "checkpoints": []},
        {"format": FORMAT, "model": "m", "until": 1.0, "metrics": [], "checkpoints": []},
    ],
)
def test_a_stored_twin_that_cannot_be_read_is_refused(plain):
    with pytest.raises(MalformedState):
        TwinState.from_plain(plain)


def test_text_that_is_not_packed_numbers_is_refused():
    for text in ("***", "AAAA", None):
        with pytest.raises(MalformedState):
            unpack(text)


def test_a_memory_of_the_wrong_size_is_refused():
    metric = {
        "memory": pack([1.0, 2.0]),
        "recent_hours": "",
        "recent_surprises": "",
        "worn_hours": [],
        "last_reading_hour": None,
    }
    with pytest.raises(MalformedState, match="2 numbers"):
        TwinState.from_plain(
            {"format": FORMAT, "model": "m", "until": 1.0, "metrics": {"steps": metric}, "checkpoints": []}
        )


def test_mirroring_removes_every_asymmetry():
    cov = np.random.default_rng(0).normal(size=(3, 7, 7))
    out = mirrored(cov)
    np.testing.assert_array_equal(out, np.swapaxes(out, -1, -2))
    np.testing.assert_array_equal(np.triu(out), np.triu(cov))


def test_checkpoints_thin_out_from_days_to_weeks_to_months():
    assert retained_hours(-168.0, 720.0) == (0, 504, 672, 696, 720)
    assert retained_hours(3.0, 50.0) == (24, 48)
    assert len(retained_hours(-168.0, 24.0 * 365)) < 25
