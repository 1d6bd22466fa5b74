"""How far two ways of measuring the same thing agree: bias and limits of agreement.

Bland JM, Altman DG. Statistical methods for assessing agreement between two methods of clinical measurement. Lancet
1986; i: 307-310: the mean of the differences, and mean +- 1.96 standard deviations (divisor n - 1), between which 95 %
of them lie where they are normal. Several pairs of one person count as if they were independent, which makes the limits
somewhat too narrow (Bland and Altman 2007); whoever shows them says so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.96  # as in the paper
FEWEST_PAIRS = 30
"""Below, nothing is said: the standard error of a limit, about 1.71 SD / sqrt(n) (the same paper), is still 0.31 SD at
30 pairs [G: this project's choice]."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `pairs` differences, in the metric's unit. `same`: each is nought, as where one repeats the other."""

    pairs: int
    bias: float
    low: float
    high: float
    same: bool


def agreement(differences: NDArray[np.float64], fewest: int = FEWEST_PAIRS) -> Agreement | None:
    """None below `fewest`, which is at least 2."""
    pairs = int(differences.size)
    if pairs < max(fewest, 2):
        return None
    bias, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    same = not bool(np.any(differences))
    return Agreement(pairs, bias, bias - Z95 * spread, bias + Z95 * spread, same)


def matched(
    one_ms: NDArray[np.int64], other_ms: NDArray[np.int64], within_ms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places (in `one_ms`, in `other_ms`) of readings that are each other's nearest in time, at most `within_ms` apart.

    Both ascending. No reading is in two pairs, and changing sides changes nothing but the sides, save where two are
    equally near.
    """
    if not one_ms.size or not other_ms.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    here = np.arange(one_ms.size)
    there = _nearest(one_ms, other_ms)
    mutual = _nearest(other_ms, one_ms)[there] == here
    close = np.abs(one_ms - other_ms[there]) <= within_ms
    kept = mutual & close
    return here[kept], there[kept]


def _nearest(times: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each time the place of the nearest of `among`; of two equally near the earlier."""
    after = np.clip(np.searchsorted(among, times), 0, among.size - 1)
    before = np.clip(after - 1, 0, None)
    return np.where(np.abs(times - among[before]) <= np.abs(among[after] - times), before, after).astype(np.int64)
