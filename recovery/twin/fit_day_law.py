"""Offline only: learns each measure's `DayLaw` from forecasts of whole days made as the product makes them.

The twin is run to several landmark days of every training patient and asked for the days after; what became of
those days, in standard deviations of the forecast, gives the quantiles by lead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recovery.twin.day_law import DayLaw
from recovery.twin.filter import Belief, Readings, advance, initial
from recovery.twin.fit_population_data import FIRST_DAY, MetricData, Training
from recovery.twin.forecast import day_level
from recovery.twin.metrics import METRICS, Tier
from recovery.twin.params import CLOCK, MetricParams, PopulationParams, stack
from recovery.twin.scorecard import ENOUGH, tally
from recovery.twin.transform import Floats

LANDMARK_DAYS = (3, 5, 7, 10, 14, 20)
LEADS = (1, 2, 4, 7, 10, 14)
NEAR = {1: (1,), 2: (2, 3), 4: (3, 4, 5), 7: (6, 7, 8), 10: (9, 10, 11), 14: (12, 13, 14)}
PROBABILITIES = (0.05, 0.25, 0.50, 0.75, 0.95)
FEWEST = 200  # forecasts behind the quantiles of one lead; fewer leave the law Gaussian
MAD_TO_SD = 1.4826
LAPLACE = np.sqrt(0.5)  # mean absolute value of a Laplace law of SD 1
PULL = 1e-3  # keeps numbers that the data do not speak about near their start
_NONE = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Forecasts and what became of them, (m,): patient row, landmark day, lead in days, forecast mean and variance of
    the true level, the day value, and the size of the time-of-day pattern (cos^2 + sin^2 coefficients); model scale."""

    patient: Floats
    landmark: Floats
    lead: Floats
    mean: Floats
    level_var: Floats
    value: Floats
    clock: Floats


def with_day_laws(params: PopulationParams, training: Training, metrics: Sequence[str]) -> PopulationParams:
    """params with a learned law for each of the metrics that has enough forecasts."""
    by = dict(params.by_metric)
    for key in metrics:
        law = learned_law(outcomes(params, training, key, LANDMARK_DAYS))
        if law:
            by[key] = {curve: replace(p, day_law=law) for curve, p in by[key].items()}
    return replace(params, by_metric=by)


def learned_law(found: Outcomes) -> DayLaw | None:
    """Noise from tomorrow's forecasts, then quantiles of the standardised errors by lead; None with too few."""
    first = found.lead == 1
    if first.sum() < FEWEST:
        return None
    shape = _noise_shape(found, first)
    pattern = np.sqrt(found.clock)[:, None] * np.array([1.0, 0.0])
    noise = shape.noise(found.mean[:, None], pattern)[:, 0]
    z = (found.value - found.mean) / np.sqrt(found.level_var + noise)
    kept = [lead for lead in LEADS if np.isin(found.lead, NEAR[lead]).sum() >= FEWEST]
    table = [np.quantile(z[np.isin(found.lead, NEAR[lead])], PROBABILITIES) for lead in kept]
    return replace(shape, leads=np.array(kept, float), z=np.array(table))


def _noise_shape(found: Outcomes, first: NDArray[np.bool_]) -> DayLaw:
    """The three numbers of `DayLaw.noise` by maximum Laplace likelihood of the errors: tails then do not rule."""
    error = (found.value - found.mean)[first]
    error, level_var, clock = error - np.median(error), found.level_var[first], found.clock[first]
    level = found.mean[first]
    centre, usual = float(np.median(level)), float(np.median(clock))
    total = (MAD_TO_SD * float(np.median(np.abs(error)))) ** 2
    base = max(total - float(np.median(level_var)), 0.1 * total)
    step = 1.0 / max(float(level.std()), 1e-9)

    def law(theta: Floats) -> DayLaw:
        share = base * np.exp(theta[1]) / usual if usual > 0.0 else 0.0
        return DayLaw(float(base * np.exp(theta[0])), _NONE, _NONE, float(share), float(theta[2] * step), centre)

    def loss(theta: Floats) -> float:
        made = law(theta)
        noise = (made.noise_var + made.clock_share * clock) * np.exp(made.level_slope * (level - centre))
        scale = np.sqrt(level_var + noise)
        return float(np.mean(np.log(scale) + np.abs(error) / (LAPLACE * scale))) + PULL * float((theta**2).sum())

    return law(minimize(loss, np.array([-0.5, -1.0, 0.0]), method="Nelder-Mead", options={"maxfev": 200}).x)


def outcomes(params: PopulationParams, training: Training, key: str, landmarks: Sequence[int]) -> Outcomes:
    """Forecasts of every later day up to 14 ahead at each landmark, where the stretch was ordinary and has a value."""
    parts = list(_outcomes(params, training, training.by_metric[key], landmarks))
    return Outcomes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _outcomes(
    params: PopulationParams, training: Training, data: MetricData, landmarks: Sequence[int]
) -> Iterator[tuple[NDArray[Any], ...]]:
    bound = stack([replace(params.for_metric(data.key, p), day_law=None) for p in training.profiles])
    noise = bound.sensor_noise_var[:, data.tier, None] + bound.sample_noise_var[:, None] / data.readings.noise_var
    readings = data.readings._replace(noise_var=noise + data.extra_var)
    for landmark in landmarks:
        belief = _belief_at(bound, readings, METRICS[data.key].grain == "day", 24.0 * landmark, params.outlier_bound)
        days = landmark + np.arange(LEADS[-1])
        mean, var = day_level(belief, _silent(bound), days, Tier.CONSUMER)
        columns = days - FIRST_DAY
        ordinary = np.cumprod(training.ordinary[:, columns], axis=1) > 0
        value = data.days[:, columns]
        row, lead = np.nonzero(ordinary & np.isfinite(value))
        at = np.full(len(row), float(landmark))
        pattern = np.square(belief.mean[:, CLOCK]).sum(axis=1)[row]
        yield row.astype(float), at, lead + 1.0, mean[row, lead], var[row, lead], value[row, lead], pattern


def _silent(bound: MetricParams) -> MetricParams:
    """Without measurement noise, so that `day_level` gives the variance of the level."""
    return replace(bound, sensor_noise_var=0.0 * bound.sensor_noise_var, sample_noise_var=0.0 * bound.sample_noise_var)


def _belief_at(bound: MetricParams, readings: Readings, whole_days: bool, hour: float, limit: float) -> Belief:
    """Beliefs (n,) from what was measured before `hour`; the prior for a twin that predicts worse than it."""
    known = readings.at <= hour if whole_days else readings.at + 1.0 <= hour
    used = max(int(known.sum(axis=1).max()), 1)
    prior = initial(bound)
    out = advance(prior, bound, Readings(*(np.where(known, a, np.nan)[:, :used] for a in readings)), limit)
    card = tally(out.surprises, out.residuals, out.population_residuals)
    keep = (card[:, 0] > 0) & ~((card[:, 0] >= ENOUGH) & (card[:, 3] > card[:, 4]))
    return Belief(
        np.where(keep[:, None], out.belief.mean, prior.mean),
        np.where(keep[:, None, None], out.belief.cov, prior.cov),
        np.where(keep, out.belief.at, prior.at),
    )
