"""Closed-form forecasts: what the twin expects of one metric, with its uncertainty, on the natural scale.

Every quantity forecast is linear in the state on the model scale, so its law is Gaussian there; the transform is
rising, so quantiles carry over unchanged. Leading batch axes `...` as in `filter`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from recovery.twin.errors import OutsideDomain
from recovery.twin.filter import Belief, design, initial
from recovery.twin.metrics import METRICS, Grain, Tier
from recovery.twin.params import CLOCK, DEVIATION, STATE_SIZE, MetricParams, PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.state import TwinState
from recovery.twin.transform import Floats

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
Basis = Literal["personal", "population"]

# Var(median) / Var(mean) for Gaussian samples, asymptotically (Laplace 1818; any text on order statistics).
_MEDIAN_COST = np.pi / 2.0
_HOURS = np.arange(24.0)
_Z = ndtri(np.array(QUANTILES))
# Probabilists' Gauss-Hermite rule: exact to rounding for the smooth transforms in use.
_NODES, _raw_weights = np.polynomial.hermite_e.hermegauss(21)
_NODE_WEIGHTS = _raw_weights / _raw_weights.sum()


@dataclass(frozen=True, eq=False)
class Curve:
    """Quantiles of one metric at hours (H,): quantiles (..., H, 5) in the order of `QUANTILES`, natural units.

    basis "population": the twin has predicted worse than the procedure curve, or has no readings, so the curve
    of the procedure is shown. generic: the procedure is unknown. covers: what the band speaks about.
    """

    metric: str
    hours: Floats
    quantiles: Floats
    basis: Basis
    generic: bool
    model_version: str
    covers: Literal["level", "reading", "day"]

    @property
    def median(self) -> Floats:
        return np.asarray(self.quantiles[..., 2])


def quantiles(params: MetricParams, mean: Floats, var: Floats, z: Floats = _Z) -> Floats:
    """(..., 5) natural quantiles of N(mean, var) on the model scale, held inside the metric's display bounds.

    z (..., 5): standardised quantiles, where the law is not Gaussian.
    """
    metric = METRICS[params.metric]
    y = mean[..., None] + np.sqrt(var)[..., None] * z
    return np.asarray(np.clip(metric.transform.inverse(y), *metric.display))


def natural_mean(params: MetricParams, mean: Floats, var: Floats) -> Floats:
    """Natural expectation (...) of the law whose quantiles `quantiles` gives, by Gauss-Hermite quadrature."""
    metric = METRICS[params.metric]
    y = mean[..., None] + np.sqrt(var)[..., None] * _NODES
    return np.asarray(np.clip(metric.transform.inverse(y), *metric.display) @ _NODE_WEIGHTS)


def level(belief: Belief, params: MetricParams, hours: ArrayLike, clock: bool = True) -> tuple[Floats, Floats]:
    """Mean and variance (..., H) of the true level at hours (H,) on the model scale; clock False leaves out the
    time-of-day pattern.

    At or after belief.at: a = h(t) with its last entry rho;  mean a'm,  variance a'Pa + var_d (1 - rho^2).
    Before it the deviation of that day is no longer held, so it enters as at a fresh prior: rho = 0.
    """
    a, rho = _rows(belief, params, np.asarray(hours, float))
    if not clock:
        a[..., CLOCK] = 0.0
    return _moments(belief, a, params.deviation_var[..., None] * (1.0 - rho**2))


def day_level(
    belief: Belief, params: MetricParams, days: ArrayLike, tier: Tier = Tier.CONSUMER
) -> tuple[Floats, Floats]:
    """Mean and variance (..., D) of the value of whole postoperative days (D,), model scale, as it will be read.

    Day grain: the day's total, one measurement at the day's end. Report grain: one report at noon of the day.
    Hour grain: the median of 24 hourly measurements, taken as their mean with the noise of a median. A learned
    `day_law` replaces the noise by what was seen.
    """
    start = 24.0 * np.asarray(days, float)
    grain = METRICS[params.metric].grain
    if grain == "hour":
        mean, var = _day_mean(belief, params, start)
    else:
        mean, var = level(belief, params, start + (24.0 if grain == "day" else 12.0))
    if params.day_law:
        return mean, var + params.day_law.noise(mean, belief.mean[..., CLOCK])
    return mean, var + _day_noise(params, grain, tier)


def _day_noise(params: MetricParams, grain: Grain, tier: Tier) -> Floats:
    noise = params.sensor_noise_var[..., int(tier), None] + params.sample_noise_var[..., None]
    return np.asarray(_MEDIAN_COST * noise / len(_HOURS) if grain == "hour" else noise)


def _rows(belief: Belief, params: MetricParams, hours: Floats) -> tuple[Floats, Floats]:
    """Design rows (..., H, d) carried back to belief.at, and the deviation's rho (..., H)."""
    batch = np.shape(params.clock_hour)
    t = np.broadcast_to(hours, (*batch, len(hours)))
    ahead = t - np.asarray(belief.at)[..., None]
    rate = np.asarray(params.deviation_rate)[..., None]
    rho = np.where(ahead >= 0.0, np.exp(-rate * np.maximum(ahead, 0.0)), 0.0)
    a = design(params, t)
    a[..., DEVIATION] = rho
    return a, rho


def _moments(belief: Belief, a: Floats, extra_var: Floats) -> tuple[Floats, Floats]:
    mean = np.einsum("...hd,...d->...h", a, belief.mean)
    spread = np.einsum("...hd,...de,...he->...h", a, belief.cov, a)
    return mean, np.maximum(spread + extra_var, 0.0)


def _day_mean(belief: Belief, params: MetricParams, start: Floats) -> tuple[Floats, Floats]:
    """Mean over the 24 hours of each day: a = mean of the rows; the deviation adds
    var_d * mean over i, j of (rho^|i-j| - rho_i rho_j)."""
    hours = (start[:, None] + _HOURS).ravel()
    a, rho = _rows(belief, params, hours)
    batch = a.shape[:-2]
    a = a.reshape(*batch, len(start), len(_HOURS), STATE_SIZE).mean(axis=-2)
    rho = rho.reshape(*batch, len(start), len(_HOURS)).mean(axis=-1)
    apart = np.abs(_HOURS[:, None] - _HOURS)
    rate = np.asarray(params.deviation_rate)
    together = np.exp(-rate[..., None, None] * apart).mean(axis=(-2, -1))
    extra = params.deviation_var[..., None] * np.maximum(together[..., None] - rho**2, 0.0)
    return _moments(belief, a, extra)


def forecast(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    metric: str,
    hours: ArrayLike,
    *,
    clock: bool = True,
    reading: bool = False,
    tier: Tier = Tier.CONSUMER,
) -> Curve:
    """Forecast quantiles at hours (H,). reading True adds the noise of one measurement of `tier`.

    For day grain the value at an hour is the total of the 24 h around it.

    Raises `OutsideDomain` beyond the last hour the model's sources speak about.
    """
    bound = params.for_metric(metric, profile)
    at = _within(bound, hours)
    belief, basis = belief_of(state, bound)
    mean, var = level(belief, bound, at + bound.lag_hours, clock)
    if reading:
        var = var + bound.noise_var(int(tier), 1)
    covers: Literal["level", "reading"] = "reading" if reading else "level"
    return Curve(metric, at, quantiles(bound, mean, var), basis, profile.curve_is_generic, params.version, covers)


def forecast_days(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    metric: str,
    days: ArrayLike,
    tier: Tier = Tier.CONSUMER,
) -> Curve:
    """Forecast quantiles of the values of whole postoperative days (D,); `hours` of the curve are day starts."""
    return day_forecast(state, params, profile, metric, days, tier)[0]


def day_forecast(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    metric: str,
    days: ArrayLike,
    tier: Tier = Tier.CONSUMER,
) -> tuple[Curve, Floats]:
    """`forecast_days`, and the means (D,) of the same distributions, natural units."""
    bound = params.for_metric(metric, profile)
    wanted = np.atleast_1d(np.asarray(days, float))
    _within(bound, 24.0 * wanted)
    belief, basis = belief_of(state, bound)
    mean, var = day_level(belief, bound, wanted, tier)
    z = day_quantiles(bound, wanted, state.until_hour if state else 0.0)
    band = quantiles(bound, mean, var, z)
    curve = Curve(metric, 24.0 * wanted, band, basis, profile.curve_is_generic, params.version, "day")
    return curve, natural_mean(bound, mean + np.sqrt(var) * z[..., 2], var)


def day_quantiles(params: MetricParams, days: Floats, made_at_hour: float) -> Floats:
    """Standardised quantiles (D, 5) of the values of days (D,), for a forecast made at `made_at_hour`."""
    if params.day_law is None:
        return np.broadcast_to(_Z, (*np.shape(days), len(_Z)))
    return params.day_law.quantiles_of(np.asarray(days, float) + 1.0 - made_at_hour / 24.0)


def trajectory(
    state: TwinState | None, params: PopulationParams, profile: Profile, metric: str, hours: ArrayLike
) -> Curve:
    """The expected personal curve with 50 and 90 % bands, past and future, without the time-of-day pattern.

    The past uses what is known now, not what was known then; `as_of` a past hour is another fold.
    """
    return forecast(state, params, profile, metric, hours, clock=False)


def population_curve(params: PopulationParams, profile: Profile, metric: str, hours: ArrayLike) -> Curve:
    """The norm of the procedure for this profile before any reading: prior quantiles at hours (H,)."""
    return forecast(None, params, profile, metric, hours, clock=False)


def belief_of(state: TwinState | None, bound: MetricParams) -> tuple[Belief, Basis]:
    """The belief to forecast from: the prior while there is no measurement or the twin does worse than it."""
    own = state.metrics.get(bound.metric) if state else None
    if own is None or own.count == 0 or own.memory.card.is_worse_than_population:
        return initial(bound), "population"
    return own.memory.belief, "personal"


def _within(bound: MetricParams, hours: ArrayLike) -> Floats:
    at = np.atleast_1d(np.asarray(hours, float))
    if not np.isfinite(at).all() or (at > bound.last_hour).any():
        raise OutsideDomain(f"the model knows {bound.metric} up to day {bound.last_hour / 24:g}, not beyond")
    return at


__all__ = [
    "QUANTILES",
    "Curve",
    "day_forecast",
    "day_level",
    "forecast",
    "forecast_days",
    "level",
    "natural_mean",
    "population_curve",
    "quantiles",
    "trajectory",
]
