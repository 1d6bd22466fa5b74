"""Offline only: the arithmetic of the population fit for one measure: `em`, `scales`, and what surrounds them.

Model and notation are in `fit_population`. Everything works on one level per day, patients along the first axis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recovery.twin.filter import Readings, advance, initial
from recovery.twin.fit_population_data import FIRST_DAY, LAST_DAY, MetricData, Training
from recovery.twin.metrics import METRICS
from recovery.twin.params import BASELINE, CLOCK, CURVE, DEVIATION, MetricParams, frozen, stack, taken
from recovery.twin.profile import COVARIATES, GENERIC
from recovery.twin.transform import Floats

PSEUDO_PATIENTS = 5.0  # weight of the published cold start, in patients: assumed [G]
COVARIATE_RIDGE = 20.0  # in patients one unit from the mean: assumed [G]
FEWEST_PATIENTS = 50  # a measure seen in fewer keeps the cold start: assumed [G]
FULL_DAY_HOURS = 24.0
TRIM = 4.0  # surprises beyond this many SD count as this much, so that artefacts do not set the scales
FASTEST_RATE = 1.0 / 24.0  # per hour: from one level a day anything faster cannot be told from noise
SCALE_STEPS = 40  # likelihoods computed in one search for the scales
STATIC = [BASELINE, *range(*CURVE.indices(99)[:2])]

Curves = Mapping[str, MetricParams]


@dataclass(frozen=True, eq=False)
class Work:
    """One measure of the patients who were read: their data, curve keys, covariates (n, 4), clock hours (n,)."""

    data: MetricData
    curves: tuple[str, ...]
    covariates: Floats
    clock_hours: Floats
    hours: Floats

    @classmethod
    def of(cls, training: Training, key: str) -> "Work":
        rows = np.flatnonzero(seen(training.by_metric[key]))
        part = training.take(rows.tolist())
        return cls(
            part.by_metric[key],
            tuple(p.curve for p in part.profiles),
            np.array([p.covariates() for p in part.profiles]),
            np.array([p.surgery_end_hour_of_day for p in part.profiles]),
            np.asarray(24.0 * np.arange(FIRST_DAY, LAST_DAY) + 12.0, np.float64),
        )

    def bound(self, curves: Curves) -> MetricParams:
        """(n,) parameters of the patients, without time of day and lag: a level speaks about its own middle hour."""
        names = sorted({c if c in curves else GENERIC for c in self.curves})
        index = np.array([names.index(c if c in curves else GENERIC) for c in self.curves])
        rows = taken(stack([_still(curves[name]) for name in names]), index)
        shift = np.einsum("nij,nj->ni", rows.covariate_effects, self.covariates)
        return replace(rows, prior_mean=rows.prior_mean + shift)

    def readings(self, noise: float) -> Readings:
        at = np.where(np.isfinite(self.data.levels), self.hours, np.nan)
        used = np.isfinite(at).any(axis=0)
        return Readings(at[:, used], self.data.levels[:, used], self.noise_of_days(noise)[:, used])

    def noise_of_days(self, noise: float) -> Floats:
        """A day worn for half its hours says half as much; totals and reports count whole."""
        hourly = is_hourly(self.data)
        return (
            noise * (FULL_DAY_HOURS / np.maximum(self.data.hours_worn, 1.0) if hourly else 1.0) + 0.0 * self.data.levels
        )


def seen(data: MetricData) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(data.levels).any(axis=1))


def is_hourly(data: MetricData) -> bool:
    """Whether a day's level stands for many readings, rather than being one."""
    return METRICS[data.key].grain == "hour" and bool(data.readings.at.shape[1] > data.levels.shape[1])


def _still(params: MetricParams) -> MetricParams:
    mean, cov = np.array(params.prior_mean), np.array(params.prior_cov)
    mean[CLOCK] = 0.0
    cov[CLOCK, :] = cov[:, CLOCK] = 0.0
    return replace(params, prior_mean=mean, prior_cov=cov, lag_hours=np.zeros(()))


def _log_likelihood(surprises: Floats, residuals: Floats) -> float:
    """Sum of log densities of the innovations, surprises trimmed at `TRIM`."""
    seen = np.isfinite(surprises)
    z, v = surprises[seen], residuals[seen]
    sd = np.divide(v, z, out=np.ones_like(v), where=np.abs(z) > 1e-12)
    return float(-0.5 * np.minimum(z**2, TRIM**2).sum() - np.log(np.abs(sd)).sum())


def first_noise(params: MetricParams) -> float:
    """A day's noise by the cold start, to begin from."""
    return float(params.sensor_noise_var[2] + params.sample_noise_var) / FULL_DAY_HOURS


def with_clock(curves: Mapping[str, MetricParams], work: Work) -> dict[str, MetricParams]:
    """Time-of-day prior: mean and covariance of the patients' coefficients, heavy estimation error trimmed."""
    seen = work.data.clock[np.isfinite(work.data.clock).all(axis=1)]
    if len(seen) < FEWEST_PATIENTS or not seen.any():
        return dict(curves)
    centre = np.median(seen, axis=0)
    near = np.abs(seen - centre) <= TRIM * seen.std(axis=0)
    mean, cov = seen[near.all(axis=1)].mean(axis=0), np.cov(seen[near.all(axis=1)].T)
    return {key: _placed(params, CLOCK, mean, cov) for key, params in curves.items()}


def _placed(params: MetricParams, where: slice | list[int], mean: Floats, block: Floats) -> MetricParams:
    """params with one part of the prior replaced, uncorrelated with the rest."""
    index = np.arange(len(params.prior_mean))[where]
    new_mean, cov = np.array(params.prior_mean), np.array(params.prior_cov)
    new_mean[index] = mean
    cov[index, :] = cov[:, index] = 0.0
    cov[np.ix_(index, index)] = (block + block.T) / 2.0
    return replace(params, prior_mean=frozen(new_mean), prior_cov=frozen(cov))


def em(
    curves: Mapping[str, MetricParams], noise: float, work: Work, start: Mapping[str, MetricParams]
) -> tuple[dict[str, MetricParams], float]:
    """One E and one M step for the static part (module docstring), and the log-likelihood before it."""
    bound = work.bound(curves)
    out = advance(initial(bound), bound, work.readings(noise))
    posterior_mean, posterior_cov = (
        out.belief.mean[:, STATIC],
        out.belief.cov[np.ix_(range(len(work.curves)), STATIC, STATIC)],
    )
    known = [c if c in curves else GENERIC for c in work.curves]
    effects = np.asarray(curves[GENERIC].covariate_effects)[STATIC]
    centres = _centres(posterior_mean - work.covariates @ effects.T, known, start)
    rest = posterior_mean - np.array([centres[c] for c in known])
    gram = work.covariates.T @ work.covariates + COVARIATE_RIDGE * np.eye(len(COVARIATES))
    effects = np.linalg.solve(gram, work.covariates.T @ rest).T
    rest = rest - work.covariates @ effects.T
    anchor = np.asarray(start[GENERIC].prior_cov)[np.ix_(STATIC, STATIC)]
    spread = posterior_cov.sum(axis=0) + rest.T @ rest + PSEUDO_PATIENTS * anchor
    spread = spread / (len(known) + PSEUDO_PATIENTS)
    made = {key: _learned(p, centres[key], spread, effects) for key, p in curves.items() if key in centres}
    made = {key: made.get(key, _learned(p, None, spread, effects)) for key, p in curves.items()}
    made[GENERIC] = _generic(made, set(known) - {GENERIC})
    return made, _log_likelihood(out.surprises, out.residuals)


def _centres(means: Floats, known: list[str], start: Mapping[str, MetricParams]) -> dict[str, Floats]:
    """Shrunk mean per procedure seen."""
    keys = np.array(known)
    return {
        key: (means[keys == key].sum(axis=0) + PSEUDO_PATIENTS * start[key].prior_mean[STATIC])
        / ((keys == key).sum() + PSEUDO_PATIENTS)
        for key in set(known)
    }


def _learned(params: MetricParams, mean: Floats | None, cov: Floats, effects: Floats) -> MetricParams:
    """A procedure never seen keeps its published mean course and takes the spread of the others."""
    own = np.asarray(params.prior_mean)[STATIC] if mean is None else mean
    rows = np.zeros((len(params.prior_mean), len(COVARIATES)))
    rows[STATIC] = effects
    return replace(_placed(params, STATIC, own, cov), covariate_effects=frozen(rows))


def _generic(curves: Mapping[str, MetricParams], seen: set[str]) -> MetricParams:
    """The mean of the procedures seen, with the variance between them added."""
    generic = curves[GENERIC]
    if not seen:
        return generic
    means = np.array([curves[key].prior_mean[STATIC] for key in sorted(seen)])
    between = np.cov(means.T) if len(means) > 1 else np.zeros((len(STATIC), len(STATIC)))
    cov = np.asarray(curves[sorted(seen)[0]].prior_cov)[np.ix_(STATIC, STATIC)] + between
    return _placed(generic, STATIC, means.mean(axis=0), cov)


def scales(
    curves: Mapping[str, MetricParams], noise: float, work: Work, start: MetricParams
) -> tuple[dict[str, MetricParams], float]:
    """OU rate, OU variance and day noise by maximum likelihood, a log-normal pull (SD 1) towards the cold start."""
    began = np.log([float(start.deviation_rate), float(start.deviation_var), noise])
    now = np.log([float(curves[GENERIC].deviation_rate), float(curves[GENERIC].deviation_var), noise])

    def scaled(theta: Floats) -> tuple[float, float, float]:
        rate, variance, day_noise = np.exp(theta)
        return min(float(rate), FASTEST_RATE), float(variance), float(day_noise)

    def loss(theta: Floats) -> float:
        rate, variance, day_noise = scaled(theta)
        bound = work.bound(_deviating(curves, rate, variance))
        out = advance(initial(bound), bound, work.readings(day_noise))
        return 0.5 * float(((theta - began)[:2] ** 2).sum()) - _log_likelihood(out.surprises, out.residuals)

    best = _minimum(loss, now)
    rate, variance, day_noise = scaled(best)
    return _deviating(curves, rate, variance), day_noise


def _minimum(loss: Callable[[Floats], float], start: Floats) -> Floats:
    simplex = np.vstack([start, start + 0.5 * np.eye(len(start))])
    options = {"maxfev": SCALE_STEPS, "initial_simplex": simplex, "xatol": 1e-2, "fatol": 0.1}
    return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


def _deviating(curves: Mapping[str, MetricParams], rate: float, variance: float) -> dict[str, MetricParams]:
    def changed(params: MetricParams) -> MetricParams:
        cov = np.array(params.prior_cov)
        cov[DEVIATION, DEVIATION] = variance
        return replace(params, deviation_rate=frozen(rate), deviation_var=frozen(variance), prior_cov=frozen(cov))

    return {key: changed(params) for key, params in curves.items()}


def hourly_noise(
    curves: Mapping[str, MetricParams], noise: float, data: MetricData, start: MetricParams
) -> dict[str, MetricParams]:
    """Noise of a bin: the cold start's, scaled so that a full day of them is as informative as one day's level.

    Neighbouring hours err together; 24 of them, taken as independent with this variance, then weigh what they
    are worth to the level, while a single hour is judged more kindly than its own scatter would allow.
    """
    wanted = noise * (FULL_DAY_HOURS if is_hourly(data) else 1.0)
    factor = wanted / float(start.sensor_noise_var[data.tier] + start.sample_noise_var)
    return {
        key: replace(
            p,
            sensor_noise_var=frozen(start.sensor_noise_var * factor),
            sample_noise_var=frozen(start.sample_noise_var * factor),
        )
        for key, p in curves.items()
    }
