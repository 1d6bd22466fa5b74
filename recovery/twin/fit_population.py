"""Offline only: population parameters learned from a cohort by EM, shrunk towards the published cold start.

Model of one measure (params): y = h(t)'x + deviation + noise, x ~ N(mu_procedure + B covariates, S). The static part
of x does not move, so its posterior given all of a patient's days is the filter's last belief:

    E   m_i, P_i: last belief of patient i under the current mu, B, S, rate, variances
    M   mu_p = (sum of m_i - B z_i + kappa mu_p0) / (n_p + kappa)        kappa: PSEUDO_PATIENTS of the cold start
        B    = ridge regression of m_i - mu_p on z_i
        S    = (sum of P_i + d_i d_i' + kappa S_0) / (n + kappa)         d_i = m_i - mu_p - B z_i
    OU rate, OU variance and noise: the likelihood of the innovations, maximised directly every few steps

It works on one level per day, where the slow deviation lives; hours enter with the noise that makes a day of them as
informative as such a level. One `step` is one EM iteration of one measure: state in, state out, plain numbers, so a
job can stop after any of them and go on. Nothing is random: same data, same numbers.

    state = begin(training, cold_start())
    while not state.is_done: state = step(state, training, cold_start())      # store state.to_plain() between steps
    params = finish(state, training, version=..., data=..., synthetic=...)
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recovery.twin.errors import NotEnoughData
from recovery.twin.fit_day_law import with_day_laws
from recovery.twin.fit_em import FEWEST_PATIENTS, Work, em, first_noise, hourly_noise, scales, seen, with_clock
from recovery.twin.fit_population_data import Training
from recovery.twin.params import PopulationParams
from recovery.twin.profile import GENERIC
from recovery.twin.source import Source

ITERATIONS = 12
SCALES_EVERY = 3


@dataclass(frozen=True, eq=False)
class Fitting:
    """The fit between two steps. pending: measures not finished, the first of them in work, after `iteration` steps.

    params: all measures as they stand. noise: per measure the variance of one day's level. likelihoods: of the
    measure in work, one per step.
    """

    params: PopulationParams
    pending: tuple[str, ...]
    iteration: int
    noise: Mapping[str, float]
    likelihoods: tuple[float, ...] = ()

    @property
    def is_done(self) -> bool:
        return not self.pending

    @property
    def steps_left(self) -> int:
        return ITERATIONS * len(self.pending) - self.iteration

    def to_plain(self) -> dict[str, Any]:
        return {
            "params": self.params.to_plain(),
            "pending": list(self.pending),
            "iteration": self.iteration,
            "noise": dict(self.noise),
            "likelihoods": list(self.likelihoods),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Fitting":
        """Inverse of `to_plain`; raises `MalformedState` on parameters that cannot be read."""
        params = PopulationParams.from_plain(plain["params"])
        noise = {key: float(value) for key, value in plain["noise"].items()}
        likelihoods = tuple(float(v) for v in plain["likelihoods"])
        return cls(params, tuple(plain["pending"]), int(plain["iteration"]), noise, likelihoods)


def begin(
    training: Training,
    start: PopulationParams,
    metrics: Sequence[str] | None = None,
    fewest: int = FEWEST_PATIENTS,
) -> Fitting:
    """The state before the first step, for the named metrics (all by default).

    A measure read in fewer than `fewest` patients keeps the numbers of `start`. Raises `NotEnoughData` when that is
    every measure.
    """
    wanted = [key for key in training.by_metric if metrics is None or key in metrics]
    ready = tuple(key for key in wanted if seen(training.by_metric[key]).sum() >= fewest)
    if not ready:
        raise NotEnoughData(f"no measure was read in {fewest} patients")
    return Fitting(start, ready, 0, {})


def step(state: Fitting, training: Training, start: PopulationParams) -> Fitting:
    """One EM iteration of the measure in work; `start` is what the fit shrinks to. Returns `state` when done."""
    if state.is_done:
        return state
    key = state.pending[0]
    work, published = Work.of(training, key), start.by_metric[key]
    curves, noise = dict(state.params.by_metric[key]), dict(state.noise)
    if state.iteration == 0:
        curves, noise[key] = with_clock(curves, work), first_noise(curves[GENERIC])
    if state.iteration % SCALES_EVERY == 0:
        curves, noise[key] = scales(curves, noise[key], work, published[GENERIC])
    curves, likelihood = em(curves, noise[key], work, published)
    if state.iteration + 1 < ITERATIONS:
        params = replace(state.params, by_metric={**state.params.by_metric, key: curves})
        return Fitting(params, state.pending, state.iteration + 1, noise, (*state.likelihoods, likelihood))
    curves = hourly_noise(curves, noise[key], work.data, published[GENERIC])
    params = replace(state.params, by_metric={**state.params.by_metric, key: curves})
    return Fitting(params, state.pending[1:], 0, noise)


def finish(state: Fitting, training: Training, *, version: str, data: str, synthetic: bool) -> PopulationParams:
    """The finished parameters: day laws learned, every fitted number marked with where it came from.

    data: hash of the export. synthetic: True writes the word SYNTHETIC into the description and the sources.
    """
    params = with_day_laws(state.params, training, tuple(state.noise))
    word = "SYNTHETIC cohort, made by a simulator; not evidence about patients" if synthetic else "patient cohort"
    described = {
        "data": word,
        "synthetic": synthetic,
        "data_hash": data,
        "patients": len(training.patients),
        "measurements": training.measurements,
        "procedures": dict(sorted(Counter(p.curve for p in training.profiles).items())),
        "metrics": sorted(state.noise),
        "method": f"EM, {ITERATIONS} iterations a measure, shrunk to {state.params.version}",
    }
    mark = Source("M", f"Fitted to {len(training.patients)} operations ({word}), shrunk to {state.params.version}")
    by = {
        key: {c: replace(p, sources=(mark, *p.sources)) if key in state.noise else p for c, p in curves.items()}
        for key, curves in params.by_metric.items()
    }
    return replace(params, version=version, by_metric=by, trained_on=described)


def fit_population(
    training: Training, start: PopulationParams, *, version: str, data: str, synthetic: bool
) -> PopulationParams:
    """All steps in one call; see `begin`, `step` and `finish`."""
    state = begin(training, start)
    while not state.is_done:
        state = step(state, training, start)
    return finish(state, training, version=version, data=data, synthetic=synthetic)
