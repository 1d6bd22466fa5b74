"""Cold-start parameters: the published anchors turned into priors by least squares, nothing fitted to patients.

Curve: for each procedure the anchors y(t) on the model scale, less the baseline, are solved for the coefficients
of exp(-t / tau) by ridge least squares; bases faster than the first anchor stay at zero, since nothing was
published about them. Spread: variances v_k whose sum v_k exp(-2 t / tau_k) comes closest to the published
between-patient variance (plus, for pooled curves, the variance between the pooled procedures), each at least
`LEAST_SHARE` of the earliest one so that every patient may deviate on every time scale.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from recovery.twin.anchor_types import TAU_DAYS, Curves, Wander
from recovery.twin.anchors import BASELINES, CLOCKS, CURVES, WANDER
from recovery.twin.metrics import METRICS, Metric
from recovery.twin.params import (
    BASELINE,
    CLOCK,
    CURVE,
    DEVIATION,
    STATE_SIZE,
    MetricParams,
    PopulationParams,
    frozen,
)
from recovery.twin.profile import COVARIATES, GENERIC, PROCEDURES
from recovery.twin.source import Source
from recovery.twin.transform import Floats

VERSION = "cold-start-3"
RIDGE = 1e-3  # keeps coefficients finite where the anchors end before the slowest base has moved
LEAST_SHARE = 0.25  # assumed [G]: with three bases the early variance is then roughly kept
UNKNOWN_SPREAD = 2.0  # assumed [G]: SD factor where one procedure must speak for all others
OUTLIER_BOUND = 2.5
OUTLIER_SOURCE = Source(
    "G", "Huber 1964 bounds influence at c standard deviations; 2.5 keeps about 99 % of ordinary readings whole"
)
COVARIATE_SOURCE = Source("G", "No effect of age, sex, BMI or frailty with a source was found: effects are zero")
POOLED = {
    "colectomy": ("colectomy_laparoscopic", "colectomy_open"),
    "lobectomy": ("lobectomy_vats", "lobectomy_open"),
    "hysterectomy": ("hysterectomy_minimal", "hysterectomy_open"),
}


@lru_cache(maxsize=1)
def cold_start() -> PopulationParams:
    """The model before any patient was seen: version `cold-start-3`."""
    by = {m.key: MappingProxyType(_curves_of(m)) for m in METRICS.values()}
    return PopulationParams(VERSION, MappingProxyType(by), OUTLIER_BOUND, OUTLIER_SOURCE)


def _curves_of(metric: Metric) -> dict[str, MetricParams]:
    known = CURVES[metric.key].by_procedure
    made = {key: _params(metric, key, (key,)) for key in known}
    made |= {key: _params(metric, key, parts) for key, parts in POOLED.items() if set(parts) <= set(known)}
    made[GENERIC] = _params(metric, GENERIC, tuple(known))
    if len(known) == 1:
        made[GENERIC] = _widened(made[GENERIC])
    return {key: made[key] for key in (*(k for k in PROCEDURES if k in made), GENERIC)}


def _widened(params: MetricParams) -> MetricParams:
    """The curve of the only known procedure, standing for unknown ones with a larger spread."""
    cov = params.prior_cov.copy()
    cov[CURVE, CURVE] *= UNKNOWN_SPREAD**2
    return replace(params, prior_cov=frozen(cov))


def _params(metric: Metric, curve: str, parts: Sequence[str]) -> MetricParams:
    """Parameters of one metric for the procedures `parts` pooled (one of them: no pooling)."""
    curves, wander = CURVES[metric.key], WANDER[metric.key]
    level, level_sd, level_source = _level(metric, parts)
    mean, variances = _curve_prior(metric, curves, parts)
    clock_mean, clock_sd, clock_sources = _clock(metric)
    slow_var, rate, white_var = _deviation(metric, wander)
    prior_mean, prior_var = np.zeros(STATE_SIZE), np.zeros(STATE_SIZE)
    prior_mean[BASELINE], prior_var[BASELINE] = level, level_sd**2
    prior_mean[CURVE], prior_var[CURVE] = mean, variances
    prior_mean[CLOCK], prior_var[CLOCK] = clock_mean, clock_sd**2
    prior_var[DEVIATION] = slow_var
    sensor, sample = _sensor(metric)
    return MetricParams(
        metric=metric.key,
        curve=curve,
        prior_mean=frozen(prior_mean),
        prior_cov=frozen(np.diag(prior_var)),
        covariate_effects=frozen(np.zeros((STATE_SIZE, len(COVARIATES)))),
        tau_hours=frozen(24.0 * np.asarray(curves.tau_days)),
        deviation_rate=frozen(rate),
        deviation_var=frozen(slow_var),
        sensor_noise_var=frozen(sensor + white_var),
        sample_noise_var=frozen(sample),
        clock_hour=frozen(12.0),
        lag_hours=frozen(metric.span_hours / 2.0 if metric.grain == "day" else 0.0),
        last_hour=24.0 * max(curves.days[-1], 90.0),
        sources=(
            level_source,
            curves.source,
            curves.spread_source,
            curves.tau_source,
            wander.source,
            *clock_sources,
            metric.noise.source,
            COVARIATE_SOURCE,
        ),
    )


def _slope(metric: Metric) -> float:
    """dy/dx at the population baseline, to carry natural standard deviations to the model scale."""
    return float(metric.transform.slope(BASELINES[metric.key].mean))


def _late_level(metric: Metric, parts: Sequence[str]) -> float:
    """Baseline on the natural scale; for "level" curves the mean of the pooled last anchors."""
    curves, base = CURVES[metric.key], BASELINES[metric.key]
    if curves.kind == "level":
        return float(np.mean([curves.by_procedure[p][-1] for p in parts]))
    return float(np.mean([base.by_procedure.get(p, (base.mean, base.source))[0] for p in parts]))


def _level(metric: Metric, parts: Sequence[str]) -> tuple[float, float, Source]:
    base = BASELINES[metric.key]
    sd = base.sd if base.sd_is_log else base.sd * _slope(metric)
    own = base.by_procedure.get(parts[0]) if len(parts) == 1 else None
    return float(metric.transform.forward(_late_level(metric, parts))), sd, own[1] if own else base.source


def _anchored(metric: Metric, curves: Curves, part: str, level: float) -> Floats:
    """Anchors of one procedure on the model scale, less the baseline `level` (natural)."""
    v = np.asarray(curves.by_procedure[part], float)
    x = {"percent": level * v / 100.0, "shift": level + v, "level": v}[curves.kind]
    return np.asarray(metric.transform.forward(x) - metric.transform.forward(level))


def _bases(days: Sequence[float], tau_days: Sequence[float]) -> Floats:
    """(n, 3) curve bases at the middle of the given postoperative days."""
    return np.asarray(np.exp(-(np.asarray(days, float)[:, None] + 0.5) / np.asarray(tau_days)))


def _curve_prior(metric: Metric, curves: Curves, parts: Sequence[str]) -> tuple[Floats, Floats]:
    """Coefficient means and variances of the pooled curve."""
    level = _late_level(metric, parts)
    rows = np.stack([_anchored(metric, curves, p, level) for p in parts])
    spoken_for = curves.days[0] <= np.asarray(curves.tau_days)
    design = _bases(curves.days, curves.tau_days) * spoken_for
    ridge = RIDGE * np.eye(len(spoken_for))
    mean = np.linalg.solve(design.T @ design + ridge, design.T @ rows.mean(axis=0))
    between = rows.var(axis=0, ddof=1) if len(parts) > 1 else np.zeros(len(curves.days))
    spread = np.asarray(curves.spread) * (1.0 if curves.spread_kind == "log" else _slope(metric))
    total = spread**2 + np.interp(curves.spread_days, curves.days, between)
    return mean, _spread_over_bases(curves, total, spoken_for)


def _spread_over_bases(curves: Curves, total: Floats, spoken_for: NDArray[np.bool_]) -> Floats:
    """Variance per coefficient: bounded least squares against the total variance at the days of the spread."""
    least = LEAST_SHARE * total[0]
    squares = _bases(curves.spread_days, curves.tau_days)[:, spoken_for] ** 2
    variances = np.full(len(spoken_for), least)
    variances[spoken_for] = lsq_linear(squares, total, bounds=(least, np.inf)).x
    return variances


def _deviation(metric: Metric, wander: Wander) -> tuple[float, float, float]:
    """Variance and rate (per hour) of the slow deviation, and the white rest between bins; model scale."""
    total = (wander.sd if wander.sd_is_log else wander.sd * _slope(metric)) ** 2
    days = -1.0 / np.log(wander.lag1) if wander.days is None else wander.days
    slow = total if wander.days is None else wander.lag1 * total / np.exp(-1.0 / days)
    return float(slow), float(1.0 / (24.0 * days)), float(total - slow)


def _clock(metric: Metric) -> tuple[Floats, float, tuple[Source, ...]]:
    """Prior mean of (cos, sin) coefficients, their SD, and the sources (none where there is no pattern)."""
    clock = CLOCKS.get(metric.key)
    if clock is None or not metric.follows_clock:
        return np.zeros(2), 0.0, ()
    angle, size = 2.0 * np.pi * clock.peak_hour / 24.0, _slope(metric)
    return clock.amplitude * size * np.array([np.cos(angle), np.sin(angle)]), clock.sd * size, (clock.source,)


def _sensor(metric: Metric) -> tuple[Floats, float]:
    """Variance per tier of a bin, and per sample within a bin, on the model scale."""
    size = _slope(metric)
    return (np.asarray(metric.noise.between) * size) ** 2, (metric.noise.within * size) ** 2


__all__ = ["OUTLIER_BOUND", "TAU_DAYS", "VERSION", "cold_start"]
