"""The linear-Gaussian filter: predict, condition_on, and `advance`, the one movement for every use.

Notation: x the state (d), m its mean, P its covariance, h the design row, y a measurement on the model scale.
Every function takes leading batch axes `...`, so one patient and ten thousand are the same call. Memory is laid
out batch-last (`batch_last`): numpy then runs its inner loops over patients, which is twice as fast.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.errors import BackwardsInTime
from recovery.twin.params import BASELINE, CLOCK, CURVE, DEVIATION, STATE_SIZE, MetricParams
from recovery.twin.transform import Floats


class Belief(NamedTuple):
    """What is believed about the state: mean (..., d), cov (..., d, d), at (...,) hours after surgery end."""

    mean: Floats
    cov: Floats
    at: Floats


class Readings(NamedTuple):
    """Measurements on the model scale, in time order along the last axis, padded with nan: all (..., T)."""

    at: Floats
    value: Floats
    noise_var: Floats


class Advance(NamedTuple):
    """Result of `advance`. surprises: standardised innovations (..., T), nan where padded.

    weights (..., T): 1 accepted whole, below 1 down-weighted. residuals (..., T): innovations, model scale.
    population_residuals (..., T): readings less the prior curve, what a twin that never learns would be wrong by.
    """

    belief: Belief
    surprises: Floats
    weights: Floats
    residuals: Floats
    population_residuals: Floats


def batch_last(array: ArrayLike, kept: int) -> Floats:
    """The same values with the last `kept` axes slowest in memory; a view with the usual shape."""
    a = np.asarray(array, dtype=float)
    lead = tuple(range(a.ndim - kept))
    order = (*range(a.ndim - kept, a.ndim), *lead)
    return np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order))


def initial(params: MetricParams) -> Belief:
    """The prior as a belief. It holds at every hour, so `at` is -inf until the first reading."""
    cov = batch_last(params.prior_cov, 2)
    return Belief(batch_last(params.prior_mean, 1), cov, np.full(cov.shape[:-2], -np.inf))


def design(params: MetricParams, hours: ArrayLike) -> Floats:
    """h(t) (..., d) for a measurement conditioned at hours (...,): [1, exp(-t / tau) or 0 before surgery, cos, sin, 1].

    t = hours - lag_hours. hours may carry axes after the batch axes of params. Angle = 2 pi (clock hour at
    surgery end + t) / 24.
    """
    extra = (1,) * (np.ndim(hours) - np.ndim(params.clock_hour))
    t = np.asarray(hours, dtype=float) - np.reshape(params.lag_hours, (*np.shape(params.lag_hours), *extra))
    h = np.moveaxis(np.empty((STATE_SIZE, *t.shape)), 0, -1)
    tau = np.reshape(params.tau_hours, (*params.tau_hours.shape[:-1], *extra, -1))
    after = t >= 0.0
    h[..., BASELINE] = h[..., DEVIATION] = 1.0
    h[..., CURVE] = np.exp(-np.where(after, t, 0.0)[..., None] / tau) * after[..., None]
    angle = (2.0 * np.pi / 24.0) * (np.reshape(params.clock_hour, (*np.shape(params.clock_hour), *extra)) + t)
    h[..., CLOCK.start], h[..., CLOCK.start + 1] = np.cos(angle), np.sin(angle)
    return h


def decay(params: MetricParams, elapsed: Floats) -> Floats:
    """rho = exp(-rate * elapsed) of the deviation after `elapsed` hours; 0 after endless time."""
    return np.asarray(np.exp(-params.deviation_rate * elapsed))


def predict(belief: Belief, hours: ArrayLike, params: MetricParams) -> Belief:
    """Belief at a later hour: only the deviation moves, as a stationary Ornstein-Uhlenbeck process.

    rho = exp(-rate dt);  m_d <- rho m_d;  P <- F P F' with F = diag(1, .., 1, rho);
    P_dd <- P_dd + var (1 - rho^2).  Raises `BackwardsInTime` when an hour lies before belief.at.
    """
    at = np.asarray(hours, dtype=float)
    elapsed = np.subtract(at, belief.at, out=np.zeros(np.broadcast(at, belief.at).shape), where=at != belief.at)
    if np.any(elapsed < 0.0):
        raise BackwardsInTime("a belief cannot be predicted to an earlier hour; rewind to a checkpoint")
    rho = decay(params, elapsed)
    mean, cov = belief.mean.copy(order="K"), belief.cov.copy(order="K")
    mean[..., DEVIATION] *= rho
    cov[..., DEVIATION, :] *= rho[..., None]
    cov[..., :, DEVIATION] *= rho[..., None]
    cov[..., DEVIATION, DEVIATION] += params.deviation_var * (1.0 - rho**2)
    return Belief(mean, cov, at)


class Innovation(NamedTuple):
    """residual v = y - h'm (...,), gain direction g = P h (..., d), signal variance h'g (...,)."""

    residual: Floats
    direction: Floats
    signal_var: Floats


def innovation(belief: Belief, h: Floats, value: Floats) -> Innovation:
    """How a reading y differs from expectation; its variance is S = h'g + r."""
    g = np.einsum("...ij,...j->...i", belief.cov, h)
    residual = value - np.einsum("...i,...i->...", belief.mean, h)
    return Innovation(residual, g, np.einsum("...i,...i->...", g, h))


def condition_on(belief: Belief, h: Floats, noise_var: Floats, value: Floats) -> Belief:
    """Posterior after y = h'x + e, e ~ N(0, r), at the belief's hour (scalar update, Joseph form)."""
    return absorb(belief, h, np.asarray(noise_var), innovation(belief, h, value))


def absorb(belief: Belief, h: Floats, noise_var: Floats, seen: Innovation) -> Belief:
    """The update of `condition_on`, given the innovation.

    S = h'g + r,  k = g / S,  m <- m + k v,
    P <- (I - k h') P (I - k h')' + r k k', computed as A = P - k g', P <- A + (r k - A h) k'.
    """
    g = seen.direction
    k = g / (seen.signal_var + noise_var)[..., None]
    mean = belief.mean + k * seen.residual[..., None]
    cov = k[..., :, None] * g[..., None, :]
    np.subtract(belief.cov, cov, out=cov)
    rest = noise_var[..., None] * k - np.einsum("...ij,...j->...i", cov, h)
    cov += rest[..., :, None] * k[..., None, :]
    return Belief(mean, cov, belief.at)


def bounded_noise(residual: Floats, signal_var: Floats, noise_var: Floats, bound: float) -> tuple[Floats, Floats]:
    """Noise variance inflated so that the pull of one reading is bounded, and its weight.

    z = v / sqrt(S), w = min(1, c / |z|), S' = S / w, r' = S' - h'Ph. The mean then moves by
    P h v / S' = P h psi(z) / sqrt(S) with psi(z) = max(-c, min(c, z)): Huber's bounded influence (Huber 1964)
    on the standardised innovation, as Masreliez and Martin 1977 do for the Kalman filter. Since S' >= S, r' >= r.
    """
    total = signal_var + noise_var
    size = np.abs(residual) / np.sqrt(total)
    weight = np.divide(bound, size, out=np.ones(np.shape(size)), where=size > bound)
    return np.where(weight < 1.0, total / weight - signal_var, noise_var), weight


def advance(belief: Belief, params: MetricParams, readings: Readings, bound: float = np.inf) -> Advance:
    """Carries a belief through readings (..., T) in time order: THE movement for live, late, backfilled,
    simulated and back-tested data. `bound` is `PopulationParams.outlier_bound`; inf gives the plain Kalman filter.

    A padded step (nan) leaves belief and hour untouched. Raises `BackwardsInTime` on readings out of order.
    """
    seen = np.full((4, *readings.at.shape), np.nan)
    for t in range(readings.at.shape[-1]):
        belief, seen[..., t] = _step(belief, params, Readings(*(a[..., t] for a in readings)), bound)
    return Advance(belief, *seen)


def _step(belief: Belief, params: MetricParams, reading: Readings, bound: float) -> tuple[Belief, Floats]:
    """One reading per batch row, and its (surprise, weight, residual, population residual) as (4, ...).

    A missing reading gets a zero design row, which conditions on nothing.
    """
    present = np.isfinite(reading.at) & np.isfinite(reading.value)
    hours = np.where(present, reading.at, belief.at)
    belief = predict(belief, hours, params)
    h = design(params, np.where(present, hours, 0.0)) * present[..., None]
    noise = np.where(present, reading.noise_var, 1.0)
    value = np.where(present, reading.value, 0.0)
    seen = innovation(belief, h, value)
    bounded, weight = bounded_noise(seen.residual, seen.signal_var, noise, bound)
    surprise = seen.residual / np.sqrt(seen.signal_var + noise)
    unlearned = value - np.einsum("...i,...i->...", h, params.prior_mean)
    found = np.stack([surprise, weight, seen.residual, unlearned])
    return absorb(belief, h, bounded, seen), np.where(present, found, np.nan)
