"""One reading of one channel is no sustained evidence, whatever it shows."""

import numpy as np
import pytest

from recovery.twin.hypotheses import weigh
from recovery.twin.support import is_sustained, readings_for
from recovery.twin.surprise_blocks import BLOCKS, Blocks
from tests.unit.twin.test_hypotheses import MODEL, NOTHING, PRIOR, QUIET, ill

HEART, SPO2, TEMPERATURE = range(3)


def read(*rows: tuple[int, int, float, int]) -> Blocks:
    """Blocks with (metric, block, mean surprise, readings) and nothing else."""
    mean, n = np.zeros((3, BLOCKS)), np.zeros((3, BLOCKS))
    for metric, block, surprise, count in rows:
        mean[metric, block], n[metric, block] = surprise, count
    return Blocks(mean, n)


def counted(seen: Blocks) -> list[float]:
    return readings_for(MODEL, seen, weigh(MODEL, seen, PRIOR, 96.0)).tolist()


@pytest.mark.parametrize(
    ("seen", "expected", "enough"),
    [
        (NOTHING, [0, 0, 0], False),
        (read((HEART, 0, 4.0, 1)), [1, 0, 0], False),
        (read((HEART, 0, 4.0, 1), (TEMPERATURE, 0, -1.0, 6)), [1, 0, 0], False),
        (read((HEART, 0, 4.0, 1), (SPO2, 1, -3.0, 1)), [1, 1, 0], True),
        (read((HEART, 0, 4.0, 2)), [2, 0, 0], True),
        (read((HEART, 0, 4.0, 1), (HEART, 3, 3.0, 1)), [2, 0, 0], True),
    ],
)
def test_only_readings_that_speak_for_a_complication_count(seen, expected, enough):
    assert counted(seen) == expected
    assert bool(is_sustained(np.array(expected, float))) is enough


def test_an_outlying_reading_beside_ordinary_ones_of_its_own_channel_stays_alone():
    seen = Blocks(QUIET.mean.copy(), QUIET.n.copy())
    seen.mean[HEART, 0], seen.n[HEART, 0] = 4.0, 1.0
    assert counted(seen) == [1, 0, 0]


def test_a_course_of_illness_is_spoken_for_by_all_its_readings_since_the_onset():
    assert counted(ill(4)) == [24, 24, 0]


def test_many_patients_are_counted_as_each_alone():
    rows = [NOTHING, ill(2), ill(7), read((HEART, 0, 4.0, 1))]
    many = Blocks(np.stack([one.mean for one in rows]), np.stack([one.n for one in rows]))
    priors = np.tile(PRIOR, (len(rows), 1))
    found = readings_for(MODEL, many, weigh(MODEL, many, priors, np.full(len(rows), 96.0)))
    np.testing.assert_array_equal(found, [counted(one) for one in rows])
