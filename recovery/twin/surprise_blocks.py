"""The surprises of the last three days as six-hour means: what the hypotheses weigh.

Six hours, because devices upload about six-hourly; three days, because most complications are diagnosed within three
days of their onset (clinical-reference 3.2 gives days of diagnosis; the span is this project's choice [G]).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.transform import Floats

BLOCK_H = 6
BLOCKS = 12
SPAN_H = BLOCK_H * BLOCKS
CLIP = 4.0
"""One reading counts as no more than four standard deviations: an artefact must not pass for an illness [G]."""


class Blocks(NamedTuple):
    """Per metric and block, newest block first: mean standardised surprise (..., M, BLOCKS), 0 where nothing was
    read, and how many measurements lie in it (..., M, BLOCKS)."""

    mean: Floats
    n: Floats


def blocks(hours: ArrayLike, surprises: ArrayLike, now: float) -> Blocks:
    """One metric's blocks (BLOCKS,) at `now`: block b holds what was conditioned on in [now - 6(b + 1), now - 6b)."""
    at, z = np.asarray(hours, float), _clipped(np.asarray(surprises, float))
    index = np.maximum(np.ceil((now - at) / BLOCK_H).astype(int) - 1, 0)
    inside = (now - at >= 0) & (index < BLOCKS) & np.isfinite(z)
    count = np.bincount(index[inside], minlength=BLOCKS)[:BLOCKS].astype(float)
    total = np.bincount(index[inside], weights=z[inside], minlength=BLOCKS)[:BLOCKS]
    return Blocks(total / np.maximum(count, 1.0), count)


def table_blocks(surprises: Floats) -> Blocks:
    """Blocks (n, BLOCKS) of hourly tables (n, SPAN_H), oldest hour first, nan where nothing was read."""
    newest_first = _clipped(surprises[:, ::-1]).reshape(len(surprises), BLOCKS, BLOCK_H)
    count = np.isfinite(newest_first).sum(axis=-1).astype(float)
    return Blocks(np.nansum(newest_first, axis=-1) / np.maximum(count, 1.0), count)


def _clipped(surprises: Floats) -> Floats:
    """Held to +-CLIP; what is no finite number is no surprise (nan)."""
    return np.where(np.isfinite(surprises), np.clip(surprises, -CLIP, CLIP), np.nan)


def in_order_of(metrics: Sequence[str], found: Mapping[str, Blocks]) -> Blocks:
    """(M, BLOCKS) in the order of `metrics`; one that was never read is empty."""
    mean, n = all_in_order_of(metrics, [found])
    return Blocks(mean[0], n[0])


def all_in_order_of(metrics: Sequence[str], found: Sequence[Mapping[str, Blocks]]) -> Blocks:
    """(patients, M, BLOCKS), as `in_order_of` of each patient."""
    shape = (len(found), len(metrics), BLOCKS)
    rows = [one.get(metric, _NEVER_READ) for one in found for metric in metrics]
    if not rows:
        return Blocks(np.zeros(shape), np.zeros(shape))
    mean, n = (np.concatenate([row[part] for row in rows]).reshape(shape) for part in (0, 1))
    return Blocks(mean, n)


_NEVER_READ = Blocks(np.zeros(BLOCKS), np.zeros(BLOCKS))
