"""Hazards of complications, readmission and death after an operation, and their cumulative incidence.

    h(t + u) = h0(t + u; outcome, operation) * exp(b0 + b_static . z + exp(-u / fade) * b_recent . z)

t is the hour after surgery, u the hours ahead. h0 is the published 30-day incidence spread over the
log-normal day of onset, conditional on being event-free so far. z are standardised features; the news of a
recent feature fades with u. Deaths compete (clinical-reference rule 14). Arrays carry leading batch axes; a
model is plain numbers.

Any complication has a hazard of its own, or (`any_is_the_sum`) that of the named ones added up: then what drives
atrial fibrillation in the first days does not pass for a risk of infection in the third week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from recovery.twin.errors import OutsideDomain
from recovery.twin.incidence import GENERIC, INCIDENCE, NAMED, OUTCOMES, incidence, onsets

Floats = NDArray[np.float64]

HORIZONS = (24, 72, 168, 720)
LEAD_EDGES = (0.0, 6.0, 12.0, 24.0, 48.0, 72.0, 120.0, 168.0, 336.0, 504.0, 720.0)
"""Hours ahead; within one bin the fading effect is taken at the bin's middle."""
COVERED_HOURS = 720.0
"""The published incidences are those of 30 days; later hours follow the tail of the day of onset."""
LAST_HOUR = COVERED_HOURS + LEAD_EDGES[-1]
Z90 = 1.645
"""Intervals and published ranges are read as central 90 % intervals."""
DIAGNOSED_AFTER_H = 16.0
"""Mean of the exponential wait from now to the diagnosis of what is under way [G]: most is diagnosed within a day or
two of its onset. 10, 16, 24 and 36 h were tried on a synthetic cohort; who ranks above whom hardly depends on it."""
PUBLISHED_ONLY = "published incidence, no patient features"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Incidence by day 30 (fractions: middle, low, high) and its weighted log-normal days of onset."""

    mid: float
    low: float
    high: float
    onsets: tuple[tuple[float, float, float], ...]
    source: str

    def share_by(self, hours: Floats) -> Floats:
        """Share of the 30-day events that have happened by each hour; 1 at day 30, more in the tail
        beyond."""
        days = np.maximum(hours, 1e-9) / 24.0
        by = sum(w * ndtr((np.log(days) - mu) / sigma) for w, mu, sigma in self.onsets)
        return np.where(hours > 0, by / self._by_day_30(), 0.0)

    def cumulative_hazard(self, hours: ArrayLike) -> Floats:
        """H0 = -log(1 - incidence * share), so that exp(-H0) is the published share still free of the
        event."""
        at = np.asarray(hours, float)
        if np.any(at > LAST_HOUR):
            raise OutsideDomain(f"hazards are known to {LAST_HOUR:.0f} h after surgery, not to {at.max():.0f} h")
        return -np.log1p(-np.minimum(self.mid * self.share_by(at), 0.99))

    @property
    def log_sd(self) -> float:
        return float(np.log(self.high / self.low) / (2 * Z90))

    def _by_day_30(self) -> float:
        return float(sum(w * ndtr((np.log(30.0) - mu) / sigma) for w, mu, sigma in self.onsets))


EDGE_SD = 1.0
"""Standard deviations beyond the range in training within which age, build or operation count as the most extreme
seen, as readings do at any distance; further off no risk is given [G: this project's choice]. With none, 6 of the 1,198
patients of the synthetic cohort had no risk when judged by folds [M], each for a value just beyond all others'."""
SQUARE = "_squared_off_"


@dataclass(frozen=True, slots=True)
class Feature:
    """One input: its scale and range in training. z = (value - mean) / sd; values are held to low..high."""

    key: str
    kind: Literal["static", "recent"]
    mean: float
    sd: float
    low: float
    high: float

    def outside(self, value: float) -> bool:
        return not self.low <= value <= self.high

    def far_outside(self, value: float) -> bool:
        """Whether a value of the patient or the operation lies so far beyond training that nothing is said."""
        reach = EDGE_SD * self.sd
        return self.bounds_the_domain and not self.low - reach <= value <= self.high + reach

    @property
    def bounds_the_domain(self) -> bool:
        """Readings do not: who is further off than anybody in training is the last one about whom to be silent. Nor
        does the square of an input, which lies outside where the input does."""
        return self.kind == "static" and SQUARE not in self.key


@dataclass(frozen=True, slots=True)
class Effects:
    """Log hazard ratios of one outcome: intercept first, then one per feature; covariance (1 + p, 1 + p)."""

    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    events: int


@dataclass(frozen=True, slots=True)
class HazardModel:
    """Everything needed to compute a risk. An outcome without effects is served from its published
    baseline. any_is_the_sum: the hazard of any complication is that of the named ones together."""

    version: str
    evidence: str
    fade_hours: float
    baselines: Mapping[str, Mapping[str, Baseline]]
    features: tuple[Feature, ...] = ()
    effects: Mapping[str, Effects] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    any_is_the_sum: bool = False

    def __hash__(self) -> int:
        """By name: what is derived from a model's numbers is kept by the model."""
        return hash(self.version)

    def causes(self, outcome: str, procedure_class: str) -> tuple[str, ...]:
        """The outcomes whose hazards add up to that of `outcome`."""
        if outcome != "complication" or not self.any_is_the_sum:
            return (outcome,)
        return tuple(name for name in NAMED if self.baseline(name, procedure_class) is not None)

    def baseline(self, outcome: str, procedure_class: str) -> Baseline | None:
        return self.baselines.get(outcome, {}).get(procedure_class)

    def standardise(self, values: Floats) -> Floats:
        """(..., p) feature values to z; a value not known (nan) becomes the mean, one out of range its
        edge."""
        low, high, mean, sd = _scales(self)
        z = (np.clip(values, low, high) - mean) / sd
        return np.where(np.isnan(z), 0.0, z)

    def outside(self, values: Floats) -> NDArray[np.bool_]:
        """(...,) as `Feature.far_outside` of any of (..., p) values; one that is not known (nan) lies nowhere."""
        low, high, _, sd = _scales(self)
        reach = EDGE_SD * sd
        return np.asarray(((values < low - reach) | (values > high + reach))[..., _bounding(self)].any(axis=-1))


KEPT_MODELS = 32


def _fixed(values: ArrayLike) -> Floats:
    """An array that is kept, so nobody may write to it."""
    kept = np.array(values, float)
    kept.flags.writeable = False
    return kept


@lru_cache(maxsize=KEPT_MODELS)
def _scales(model: HazardModel) -> tuple[Floats, Floats, Floats, Floats]:
    """low, high, mean and sd of the features, (p,) each."""
    low, high, mean, sd = (_fixed([getattr(f, one) for f in model.features]) for one in ("low", "high", "mean", "sd"))
    return low, high, mean, sd


@lru_cache(maxsize=KEPT_MODELS)
def _bounding(model: HazardModel) -> NDArray[np.bool_]:
    return np.array([f.bounds_the_domain for f in model.features], bool)


@lru_cache(maxsize=KEPT_MODELS * len(OUTCOMES))
def coefficients(model: HazardModel, outcome: str) -> Floats:
    """(1 + p,) log hazard ratios, intercept first; zeros for an outcome without effects."""
    effects = model.effects.get(outcome)
    return _fixed(effects.coefficients if effects else np.zeros(1 + len(model.features)))


@lru_cache(maxsize=KEPT_MODELS * len(OUTCOMES))
def _covariance(model: HazardModel, outcome: str) -> Floats:
    return _fixed(model.effects[outcome].covariance)


class Prediction(NamedTuple):
    """Per batch and horizon: probability and its 90 % interval; per feature its share of the log hazard."""

    probability: Floats
    low: Floats
    high: Floats
    contributions: Floats


def predict(
    model: HazardModel,
    outcome: str,
    procedure_class: str,
    hours: ArrayLike,
    values: ArrayLike,
    horizons: tuple[int, ...] = HORIZONS,
    *,
    yet_to_begin: bool = False,
) -> Prediction:
    """Probability of a first `outcome` within each horizon (hours ahead), for those free of it and alive at
    `hours`. With `yet_to_begin` only of what has not begun by then: see `recovery.twin.under_way`.

    hours (...,), values (..., p) in the order of model.features, nan where not known. Returns arrays (...,
    horizons), contributions (..., horizons, p). Raises OutsideDomain for an outcome without a baseline in
    this class.
    """
    at = np.asarray(hours, float)
    known = np.broadcast_to(np.asarray(values, float), (*at.shape, len(model.features)))
    ends = _ends(horizons)
    causes = model.causes(outcome, procedure_class)
    design, steps = _steps(model, causes, procedure_class, at, known, ends, yet_to_begin)
    gradients = [_mean_design(one, design)[..., ends, :] for one in steps]
    sds = [
        _log_hazard_sd(model, one, procedure_class, gradient, np.isnan(known))
        for one, gradient in zip(causes, gradients, strict=True)
    ]
    shares = _shares(steps, ends)
    spread = np.exp(Z90 * np.asarray(sum(share * sd for share, sd in zip(shares, sds, strict=True))))
    factors = np.stack([np.ones_like(spread), 1.0 / spread, spread])
    rival = _rival_increments(model, outcome, procedure_class, at, design)
    middle, low, high = _scaled_incidence(np.asarray(sum(steps)), rival, factors, ends)
    told = [
        share[..., None] * (gradient * coefficients(model, one))[..., 1:]
        for one, share, gradient in zip(causes, shares, gradients, strict=True)
    ]
    return Prediction(middle, low, high, np.asarray(sum(told)))


def probability(
    model: HazardModel,
    outcome: str,
    procedure_class: str,
    hours: Floats,
    values: Floats,
    horizons: tuple[int, ...] = HORIZONS,
    *,
    yet_to_begin: bool = False,
) -> Floats:
    """The probabilities (..., horizons) of `predict` alone, at half the work."""
    ends = _ends(horizons)
    causes = model.causes(outcome, procedure_class)
    design, steps = _steps(model, causes, procedure_class, hours, values, ends, yet_to_begin)
    rival = _rival_increments(model, outcome, procedure_class, hours, design)
    own = np.asarray(sum(steps))
    increments = own[..., None, :] if rival is None else np.stack([own, rival], axis=-2)
    return np.asarray(cumulative_incidence(increments)[..., 0, ends])


def _ends(horizons: Sequence[int]) -> list[int]:
    """The lead bin at whose end each horizon lies."""
    return [LEAD_EDGES.index(float(h)) - 1 for h in horizons]


def _steps(
    model: HazardModel,
    causes: tuple[str, ...],
    procedure_class: str,
    at: Floats,
    known: Floats,
    ends: list[int],
    yet_to_begin: bool,
) -> tuple[Floats, list[Floats]]:
    """The design up to the last horizon, and per cause its hazard (..., bins) in each lead bin."""
    bins = slice(0, max(ends) + 1)
    design = _design(model, known, yet_to_begin)[..., bins, :]
    later = begun_later()[bins] if yet_to_begin else np.ones(bins.stop)
    return design, [hazard_increments(model, one, procedure_class, at, design) * later for one in causes]


def _shares(steps: list[Floats], ends: list[int]) -> list[Floats]:
    """Per cause its share (..., horizons) of the cumulative hazard. By these the causes' contributions and standard
    deviations are weighed: as if the causes erred together, which is the widest that they can."""
    by = [np.cumsum(one, axis=-1)[..., ends] for one in steps]
    total = np.asarray(sum(by))
    return [np.where(total > 0, one / np.where(total > 0, total, 1.0), 1.0 / len(by)) for one in by]


def hazard_increments(model: HazardModel, outcome: str, procedure_class: str, hours: Floats, design: Floats) -> Floats:
    """(..., bins) cumulative hazard of each lead bin of the design: baseline increment times exp(beta . x)."""
    baseline = model.baseline(outcome, procedure_class)
    if baseline is None:
        raise OutsideDomain(f"no published incidence of {outcome} after {procedure_class}")
    bins, asked = design.shape[-2], hours.ravel().tolist()
    by_hour = {hour: _baseline_steps(baseline, hour, bins) for hour in set(asked)}
    steps = np.array([by_hour[hour] for hour in asked]).reshape(*hours.shape, bins)
    ratio: Floats = np.exp(design @ coefficients(model, outcome))
    return steps * ratio


@lru_cache(maxsize=65536)
def _baseline_steps(baseline: Baseline, hour: float, bins: int) -> Floats:
    """(bins,) published hazard of each lead bin after `hour`; asked again for every patient of the same hour."""
    return _fixed(np.diff(baseline.cumulative_hazard(hour + np.array(LEAD_EDGES[: bins + 1]))))


def cumulative_incidence(increments: Floats) -> Floats:
    """(..., causes, bins) cause-specific hazard increments to the cumulative incidence at the end of each
    bin.

    Within a bin the causes share the bin's events in proportion to their hazards, so that the incidences of
    all causes and the share without any event add up to one exactly.
    """
    total = increments.sum(axis=-2)
    free_before = np.exp(total - np.cumsum(total, axis=-1))
    events = free_before * -np.expm1(-total)
    share = increments / np.where(total > 0, total, 1.0)[..., None, :]
    return np.cumsum(share * events[..., None, :], axis=-1)


def lead_weights(fade_hours: float) -> Floats:
    """(bins,) how much of a recent feature's news is left at the middle of each lead bin."""
    edges = np.array(LEAD_EDGES)
    weights: Floats = np.exp(-(edges[:-1] + edges[1:]) / 2.0 / fade_hours)
    return weights


def begun_later() -> Floats:
    """(bins,) share of the diagnoses of a lead bin that belong to what begins after now."""
    return np.asarray(1.0 - lead_weights(DIAGNOSED_AFTER_H))


def published_model(version: str = "published-1") -> HazardModel:
    """The model before any training: published incidence and day of onset, no features."""
    return HazardModel(version, PUBLISHED_ONLY, 72.0, published_baselines())


def published_baselines() -> Mapping[str, Mapping[str, Baseline]]:
    rows = {outcome: {c: _published(outcome, c) for c in (*INCIDENCE, GENERIC)} for outcome in OUTCOMES}
    return MappingProxyType(
        {outcome: MappingProxyType({c: b for c, b in row.items() if b}) for outcome, row in rows.items()}
    )


def _published(outcome: str, procedure_class: str) -> Baseline | None:
    row = incidence(outcome, procedure_class)
    if row is None:
        return None
    parts = onsets(outcome, procedure_class)
    days = tuple((weight, onset.mu, onset.sigma) for weight, onset in parts)
    sources = "; ".join(dict.fromkeys(onset.source for _, onset in parts))
    return Baseline(row.mid / 100, row.low / 100, row.high / 100, days, f"{row.source}; day of onset: {sources}")


def _design(model: HazardModel, values: Floats, yet_to_begin: bool) -> Floats:
    """(..., bins, 1 + p) rows x(u) = [1, z_static, fade(u) z_recent]. Of what is yet to begin the readings tell
    nothing."""
    weights = lead_weights(model.fade_hours)
    return faded(model.features, model.standardise(values), weights * 0.0 if yet_to_begin else weights)


def faded(features: tuple[Feature, ...], z: Floats, weights: Floats) -> Floats:
    """(..., bins, 1 + p) design rows from standardised features (..., p) and the weights of the lead bins."""
    recent = np.array([f.kind == "recent" for f in features], bool)
    columns = np.where(recent, weights[:, None], 1.0)
    rows = z[..., None, :] * columns
    return np.concatenate([np.ones((*rows.shape[:-1], 1)), rows], axis=-1)


def _rival_increments(
    model: HazardModel, outcome: str, procedure_class: str, hours: Floats, design: Floats
) -> Floats | None:
    if outcome == "death" or model.baseline("death", procedure_class) is None:
        return None
    return hazard_increments(model, "death", procedure_class, hours, design)


def _scaled_incidence(own: Floats, rival: Floats | None, factors: Floats, ends: list[int]) -> Floats:
    """(3, ..., horizons) incidence at each horizon with the own hazard multiplied by that horizon's factor
    (3, ..., horizons); the rival as estimated."""
    scaled = own[..., None, :] * factors[..., None]
    causes = [scaled] if rival is None else [scaled, np.broadcast_to(rival[..., None, :], scaled.shape)]
    incidence_by_bin = cumulative_incidence(np.stack(causes, axis=-2))[..., 0, :]
    at = np.broadcast_to(np.array(ends)[:, None], (*incidence_by_bin.shape[:-1], 1))
    return np.take_along_axis(incidence_by_bin, at, axis=-1)[..., 0]


def _mean_design(own: Floats, design: Floats) -> Floats:
    """(..., bins, 1 + p) hazard-weighted mean of x up to each bin: the gradient of log cumulative hazard in
    beta."""
    weight = np.cumsum(own, axis=-1)[..., None]
    total = np.cumsum(own[..., None] * design, axis=-2)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), design)


def _log_hazard_sd(
    model: HazardModel, outcome: str, procedure_class: str, gradient: Floats, unknown: NDArray[np.bool_]
) -> Floats:
    """Delta method: coefficients (covariance), features not known (one training sd each), published range."""
    baseline = model.baseline(outcome, procedure_class)
    variance = np.full(gradient.shape[:-1], baseline.log_sd**2 if baseline else 0.0)
    effects = model.effects.get(outcome)
    if effects:
        covariance = _covariance(model, outcome)
        variance = variance + np.einsum("...i,ij,...j->...", gradient, covariance, gradient)
        slopes = np.array(effects.coefficients[1:]) * unknown
        variance = variance + (slopes**2).sum(axis=-1)[..., None]
    sd: Floats = np.sqrt(variance)
    return sd
