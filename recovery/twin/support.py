"""How many readings speak for a complication: one reading of one channel is no sustained evidence (design 8).

A patient with one outlying reading, or with none, can have a high suspicion: from the hazard of the operation, and from
what that one reading adds. It is told as a number with its reasons, but it raises nobody before a second reading says
the same. A reading is what the hypotheses weigh, an hour of one metric (`surprise_blocks`), and it speaks for a
complication when its block adds at least LEAST_OF_BLOCK to the expected log likelihood ratio:

    e(m, b) = sum over c, onset L of  w(c, L) temper [ x shift - shift^2 / 2 ] / variance,   w the posterior weights
"""

from __future__ import annotations

import numpy as np

from recovery.twin.hypotheses import HypothesisModel, Weighed, aligned_shifts, complications, weighted_distance
from recovery.twin.surprise_blocks import BLOCKS, Blocks
from recovery.twin.survival import Floats

SUSTAINED = 2
"""Readings that must speak for it before a complication is raised [G: the least that is more than one]."""
LEAST_OF_BLOCK = 0.05
"""Log likelihood ratio from which the readings of a block speak for a complication (a factor of 1.05) [G]."""


def readings_for(model: HypothesisModel, seen: Blocks, found: Weighed) -> Floats:
    """(..., M) readings of each metric in the last three days that speak for a complication, the likelier ones and
    their likelier onsets counting for more. `found` is what `weigh` said of the same blocks."""
    says = model.temper * _expected(model, seen, _weights(model, found))
    return np.asarray(np.where(says >= LEAST_OF_BLOCK, seen.n, 0.0).sum(axis=-1))


def is_sustained(readings: Floats) -> Floats:
    """(...,) whether readings (..., M) are more than a single one of a single metric."""
    return np.asarray(readings.sum(axis=-1) >= SUSTAINED)


def _weights(model: HypothesisModel, found: Weighed) -> Floats:
    """(..., C, BLOCKS) of complication and onset, adding up to one."""
    mine = [model.names.index(name) for name in complications(model)]
    by_onset = found.by_onset[..., mine, :]
    within = np.exp(by_onset - by_onset.max(axis=-1, keepdims=True))
    within /= within.sum(axis=-1, keepdims=True)
    share = found.posterior[..., mine]
    total = np.maximum(share.sum(axis=-1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(within * (share / total)[..., None])


def _expected(model: HypothesisModel, seen: Blocks, weights: Floats) -> Floats:
    """(..., M, BLOCKS) untempered log likelihood ratio of each block, expected under the weights."""
    precision, distance = weighted_distance(model, seen)
    mine = [model.names.index(name) for name in complications(model)]
    table = aligned_shifts(model)[mine].reshape(len(mine) * BLOCKS, -1)
    flat = weights.reshape(*weights.shape[:-2], -1)
    shape = seen.mean.shape
    return np.asarray(distance * (flat @ table).reshape(shape) - 0.5 * precision * (flat @ table**2).reshape(shape))
