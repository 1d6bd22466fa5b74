"""Looking back: what is believed now about every past hour, given the readings before and after it.

The modified Bryson-Frazier smoother (Bierman 1977, Factorization methods): the filter runs forwards, then an adjoint
runs backwards. Nothing is inverted, so parts of the state that are known exactly do no harm.

Forwards, with h the design row, S the variance of the innovation v, k the gain, F the step to the next hour:
    C = I - k h'
Backwards, from a = 0, A = 0 after the last reading:
    smoothed mean m - P a, smoothed covariance P - P A P               m, P: filtered, at the same hour
    before the reading:   a <- C'a - h v / S,   A <- C'A C + h h' / S
    before the step:      a <- F'a,             A <- F'A F
"""

from typing import NamedTuple

import numpy as np

from recovery.twin.filter import Belief, Readings, absorb, bounded_noise, decay, design, initial, innovation, predict
from recovery.twin.params import CLOCK, DEVIATION, STATE_SIZE, MetricParams
from recovery.twin.transform import Floats


class Smoothed(NamedTuple):
    """Belief about the state at each hour given all readings: at (..., T), mean (..., T, d), cov (..., T, d, d).

    nan where padded.
    """

    at: Floats
    mean: Floats
    cov: Floats


class _Step(NamedTuple):
    """One hour on the way forwards: the belief after it, and what the way back needs."""

    belief: Belief
    row: Floats
    gain: Floats
    pull: Floats
    total: Floats
    rho: Floats


def smooth(params: MetricParams, readings: Readings, bound: float = np.inf) -> Smoothed:
    """Smoothed beliefs at the hours of readings (..., T), in time order; leading batch axes as in `filter.advance`.

    An hour with value nan is asked about without being read; nan hours are padding. bound: `outlier_bound`, whose
    down-weighting is kept as the filter decided it going forwards. Raises `BackwardsInTime` on hours out of order.
    """
    steps = _forwards(params, readings, bound)
    batch = readings.at.shape[:-1]
    a, big = np.zeros((*batch, STATE_SIZE)), np.zeros((*batch, STATE_SIZE, STATE_SIZE))
    mean = np.full((*readings.at.shape, STATE_SIZE), np.nan)
    cov = np.full((*readings.at.shape, STATE_SIZE, STATE_SIZE), np.nan)
    for t in reversed(range(readings.at.shape[-1])):
        step, asked = steps[t], np.isfinite(readings.at[..., t])
        m, p = step.belief.mean, step.belief.cov
        mean[..., t, :] = np.where(asked[..., None], m - np.einsum("...ij,...j->...i", p, a), np.nan)
        cov[..., t, :, :] = np.where(asked[..., None, None], p - p @ big @ p, np.nan)
        a, big = _backwards(step, a, big)
    return Smoothed(readings.at, mean, cov)


def _forwards(params: MetricParams, readings: Readings, bound: float) -> list[_Step]:
    belief, steps = initial(params), []
    for t in range(readings.at.shape[-1]):
        at, value, noise = (array[..., t] for array in readings)
        there, read = np.isfinite(at), np.isfinite(at) & np.isfinite(value)
        hours = np.where(there, at, belief.at)
        elapsed = np.subtract(hours, belief.at, out=np.zeros(np.shape(hours)), where=hours != belief.at)
        belief = predict(belief, hours, params)
        h = design(params, np.where(there, hours, 0.0)) * read[..., None]
        seen = innovation(belief, h, np.where(read, value, 0.0))
        used, _ = bounded_noise(seen.residual, seen.signal_var, np.where(read, noise, 1.0), bound)
        total = seen.signal_var + used
        belief = absorb(belief, h, used, seen)
        rho = np.where(there, decay(params, elapsed), 1.0)
        steps.append(_Step(belief, h, seen.direction / total[..., None], seen.residual, total, rho))
    return steps


def _backwards(step: _Step, a: Floats, big: Floats) -> tuple[Floats, Floats]:
    """The adjoint before the reading and before the step that led to it."""
    c = np.eye(STATE_SIZE) - step.gain[..., :, None] * step.row[..., None, :]
    a = np.einsum("...ji,...j->...i", c, a) - step.row * (step.pull / step.total)[..., None]
    outer = step.row[..., :, None] * step.row[..., None, :]
    big = np.swapaxes(c, -1, -2) @ big @ c + outer / step.total[..., None, None]
    a[..., DEVIATION] *= step.rho
    big[..., DEVIATION, :] *= step.rho[..., None]
    big[..., :, DEVIATION] *= step.rho[..., None]
    return a, big


def smoothed_level(params: MetricParams, found: Smoothed, clock: bool = True) -> tuple[Floats, Floats]:
    """Mean and variance (..., T) of the true level at the smoothed hours, model scale; clock False leaves out the
    time-of-day pattern."""
    h = design(params, np.where(np.isfinite(found.at), found.at, 0.0))
    if not clock:
        h[..., CLOCK] = 0.0
    mean = np.einsum("...td,...td->...t", h, found.mean)
    return mean, np.einsum("...td,...tde,...te->...t", h, found.cov, h)
