"""The numbers the filter reads, as immutable values passed in: `MetricParams` and `PopulationParams`.

State of one metric, on the model scale, d = 7:
    x = [baseline, curve coefficient on exp(-t / tau_k) for k = 1..3, cos and sin of time of day, deviation]
    reading = h(t) . x + e,   h(t) = [1, exp(-t / tau_k) or 0 before surgery, cos, sin, 1]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import recovery.twin.optical as optical
from recovery.twin.day_law import DayLaw
from recovery.twin.errors import MalformedState, UnknownMetric
from recovery.twin.profile import GENERIC, Profile
from recovery.twin.source import Source
from recovery.twin.transform import Floats

CURVE_BASES = 3
STATE_SIZE = 1 + CURVE_BASES + 2 + 1
BASELINE, CURVE, CLOCK, DEVIATION = 0, slice(1, 1 + CURVE_BASES), slice(1 + CURVE_BASES, 3 + CURVE_BASES), -1

_ARRAYS = (
    "prior_mean",
    "prior_cov",
    "covariate_effects",
    "tau_hours",
    "deviation_rate",
    "deviation_var",
    "sensor_noise_var",
    "sample_noise_var",
    "clock_hour",
    "lag_hours",
)


@dataclass(frozen=True, eq=False)
class MetricParams:
    """Parameters of one metric (x procedure), or a stack of them along leading axes `...`.

    prior_mean (..., d), prior_cov (..., d, d); covariate_effects (..., d, 4): shift of the prior mean per unit of
    `profile.COVARIATES`. tau_hours (..., 3). deviation_rate (...,) per hour and deviation_var (...,): the
    Ornstein-Uhlenbeck process. sensor_noise_var (..., 4) by `Tier` per bin, sample_noise_var (...,) per sample in
    a bin. clock_hour (...,): local hour of day at surgery end. last_hour: end of the hours its sources speak about.
    lag_hours (...,): how long before the hour of conditioning the design row is read; 12 for day grain, so that a
    total conditioned at its day's end speaks about the middle of the day, and the day before surgery about the time
    before surgery. Means and variances are on the model scale of the metric. day_law: how day values spread, where
    it was learned; None takes them as Gaussian. Not carried by `stack`: the filter does not need it.
    """

    metric: str
    curve: str
    prior_mean: Floats
    prior_cov: Floats
    covariate_effects: Floats
    tau_hours: Floats
    deviation_rate: Floats
    deviation_var: Floats
    sensor_noise_var: Floats
    sample_noise_var: Floats
    clock_hour: Floats
    lag_hours: Floats
    last_hour: float
    sources: tuple[Source, ...] = field(default=())
    day_law: DayLaw | None = None

    def bind(self, profile: Profile) -> "MetricParams":
        """These parameters for one patient: covariates folded into the prior mean, the clock set, and for an optical
        sensor on dark skin a wider error."""
        fitting = self._less_sure() if optical.is_on_dark_skin(self.metric, profile) else self
        return replace(
            fitting,
            prior_mean=self.prior_mean + self.covariate_effects @ profile.covariates(),
            clock_hour=np.asarray(profile.surgery_end_hour_of_day, float),
        )

    def _less_sure(self) -> "MetricParams":
        cov = np.array(self.prior_cov)
        cov[BASELINE, BASELINE] += optical.bias_variance()
        return replace(
            self,
            prior_cov=frozen(cov),
            sensor_noise_var=frozen(self.sensor_noise_var * optical.WIDER**2),
            sample_noise_var=frozen(self.sample_noise_var * optical.WIDER**2),
        )

    def noise_var(self, tier: ArrayLike, n: ArrayLike) -> Floats:
        """Variance of a bin's value: sensor noise of its tier plus sampling noise / n. Unstacked only."""
        return np.asarray(self.sensor_noise_var[np.asarray(tier)] + self.sample_noise_var / np.asarray(n))

    def to_plain(self) -> dict[str, Any]:
        """Plain numbers for JSON; exact, because JSON keeps the shortest text that reads back the same."""
        plain: dict[str, Any] = {name: np.asarray(getattr(self, name)).tolist() for name in _ARRAYS}
        return plain | {
            "metric": self.metric,
            "curve": self.curve,
            "last_hour": self.last_hour,
            "sources": [s.to_plain() for s in self.sources],
            "day_law": self.day_law.to_plain() if self.day_law else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "MetricParams":
        """Inverse of `to_plain`; raises `MalformedState`."""
        try:
            arrays: dict[str, Any] = {name: frozen(plain[name]) for name in _ARRAYS}
            sources = tuple(Source(s["mark"], s["text"]) for s in plain["sources"])
            law = plain.get("day_law")
            made = cls(
                metric=plain["metric"],
                curve=plain["curve"],
                last_hour=float(plain["last_hour"]),
                sources=sources,
                day_law=DayLaw.from_plain(law) if law else None,
                **arrays,
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedState(f"stored parameters cannot be read: {problem}") from problem
        if made.prior_cov.shape != (STATE_SIZE, STATE_SIZE):
            raise MalformedState(f"stored prior covariance has shape {made.prior_cov.shape}")
        return made


def frozen(values: ArrayLike) -> Floats:
    array = np.array(values, dtype=float)
    array.setflags(write=False)
    return array


def stack(params: Sequence[MetricParams]) -> MetricParams:
    """One `MetricParams` with a leading axis (n,) over the given ones: many patients or metrics, one call."""
    arrays: dict[str, Any] = {name: np.stack([getattr(p, name) for p in params]) for name in _ARRAYS}
    keys = {p.metric for p in params}
    return MetricParams(
        metric=keys.pop() if len(keys) == 1 else "*", curve="*", last_hour=min(p.last_hour for p in params), **arrays
    )


def taken(stacked: MetricParams, index: ArrayLike) -> MetricParams:
    """Rows `index` of a stack, in that order, repeats allowed: many patients of few procedures."""
    rows = np.asarray(index, int)
    arrays: dict[str, Any] = {name: np.asarray(getattr(stacked, name))[rows] for name in _ARRAYS}
    return replace(stacked, **arrays)


@dataclass(frozen=True, eq=False)
class PopulationParams:
    """A model version: parameters per (metric, curve). Every metric has a `GENERIC` curve. A version need not follow
    every metric of the catalogue: one made before a metric was known leaves its readings alone.

    outlier_bound: standardised surprise beyond which a measurement's influence stops growing
    (`filter.bounded_noise`). trained_on: the data the numbers were fitted to, in plain words and counts; None for
    parameters computed from publications alone.
    """

    version: str
    by_metric: Mapping[str, Mapping[str, MetricParams]]
    outlier_bound: float
    outlier_source: Source
    trained_on: Mapping[str, Any] | None = None

    def for_metric(self, metric: str, profile: Profile) -> MetricParams:
        """Bound parameters of one metric; the generic curve where the procedure has none. Raises `UnknownMetric`."""
        if metric not in self.by_metric:
            raise UnknownMetric(f"model {self.version} has no metric {metric!r}")
        curves = self.by_metric[metric]
        return curves.get(profile.curve, curves[GENERIC]).bind(profile)

    def bind(self, profile: Profile, metrics: Sequence[str] | None = None) -> dict[str, MetricParams]:
        """Bound parameters of the named metrics (all by default), in that order."""
        return {key: self.for_metric(key, profile) for key in (metrics or tuple(self.by_metric))}

    def to_plain(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "outlier_bound": self.outlier_bound,
            "outlier_source": self.outlier_source.to_plain(),
            "trained_on": dict(self.trained_on) if self.trained_on else None,
            "metrics": {m: {c: p.to_plain() for c, p in by.items()} for m, by in self.by_metric.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "PopulationParams":
        """Inverse of `to_plain`; raises `MalformedState`."""
        try:
            by = {
                m: MappingProxyType({c: MetricParams.from_plain(p) for c, p in curves.items()})
                for m, curves in plain["metrics"].items()
            }
            source = Source(**plain["outlier_source"])
            bound, trained_on = float(plain["outlier_bound"]), plain.get("trained_on")
            return cls(str(plain["version"]), MappingProxyType(by), bound, source, trained_on)
        except (KeyError, TypeError, AttributeError) as problem:
            raise MalformedState(f"stored model cannot be read: {problem}") from problem
