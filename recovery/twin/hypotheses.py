"""Has a complication begun? Named hypotheses against ordinary recovery, by the likelihood of the surprises.

For a hypothesis c that began L blocks ago, the mean surprise x of metric m in block b (0 = newest) is expected at

    ordinary recovery:  centre_m                     with variance  own_m + shared_m / n
    hypothesis c:       centre_m + shift_c,m(L - 1 - b)     the same variance

so its log likelihood ratio is  llr_c(L) = sum over m, b < L of [ (x - centre) shift - shift^2 / 2 ] / variance.
Neighbouring surprises are not independent, therefore the ratio is tempered (raised to `temper` < 1; Holmes and
Walker 2017, Biometrika 104: a power likelihood under a model known to be wrong). Averaged over the unknown onset:

    score_c = log mean over L of exp(temper llr_c(L)),     odds_c = exp(score_c + log prior_c)

prior_c is the hazard of c over the block span for this profile and hour (`prior_log_hazard`). Benign rivals
(`BENIGN` below) stand in the denominator with the complications, so that a pattern that exercise explains as well
raises nobody's suspicion. `suspicion` is the calibrated probability that any complication is under way: a logistic
regression on scores and priors, times the posterior that no harmless cause explains the pattern (a cohort that records
no harmless causes cannot teach the regression about them). Arrays carry leading batch axes; a model is plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from recovery.twin.incidence import LABELS, NAMED
from recovery.twin.surprise_blocks import BLOCK_H, BLOCKS, SPAN_H, Blocks
from recovery.twin.survival import Baseline, Floats, HazardModel, coefficients

BENIGN = {
    "exercise": "exercise",
    "fever_without_source": "fever without a source",
    "beta_blocker": "a beta-blocker begun",
    "loose_sensor": "a loose sensor",
}
HYPOTHESES = (*NAMED, *BENIGN)
HYPOTHESIS_LABELS = {**{name: LABELS[name] for name in NAMED}, **BENIGN}
NOT_POSSIBLE = -14.0
"""Log prior of a complication that is not described after this operation (a leak after a knee): odds below one in
a million."""
AHEAD_H = 24.0
"""Diagnosis follows the onset by about a day, so the prior hazard (of diagnosis) is taken up to this far ahead."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Ordinary surprises of one metric by blocks: centre, and variance own + shared / n of a mean of n."""

    centre: float
    own: float
    shared: float


@dataclass(frozen=True, slots=True)
class Signature:
    """One hypothesis: per metric the mean shift of the surprises, in standard deviations, by blocks since the
    onset (BLOCKS,). log_prior: for a benign rival the log odds before any reading, per span; None for a complication,
    whose prior comes from the hazards. source: where the directions come from."""

    shifts: Mapping[str, tuple[float, ...]]
    source: str
    log_prior: float | None = None


@dataclass(frozen=True, eq=False)
class HypothesisModel:
    """Everything needed to weigh hypotheses. twin_version: the parameters under which the surprises were learned;
    under others they mean something else. calibration: name of an input (see `calibration_inputs`) -> weight."""

    version: str
    twin_version: str
    evidence: str
    temper: float
    noise: Mapping[str, Noise]
    signatures: Mapping[str, Signature]
    calibration: Mapping[str, float]
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self.noise)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.signatures)


class Weighed(NamedTuple):
    """scores (..., H): log likelihood ratio of each hypothesis against ordinary recovery, averaged over onsets.
    by_onset (..., H, BLOCKS): the same for an onset 1..BLOCKS blocks ago, tempered. posterior (..., H) and
    ordinary (...,): probabilities that add up to one. suspicion (...,): calibrated probability of any complication."""

    scores: Floats
    by_onset: Floats
    posterior: Floats
    ordinary: Floats
    suspicion: Floats


def weigh(model: HypothesisModel, seen: Blocks, priors: ArrayLike, hours: ArrayLike) -> Weighed:
    """seen (..., M, BLOCKS) in the order of model.metrics; priors (..., complications in the order of model.names)
    log prior odds; hours (...,) after surgery."""
    by_onset = model.temper * likelihood_ratios(model, seen)
    scores = log_sum(by_onset) - np.log(BLOCKS)
    before = np.asarray(priors, float)
    odds = scores + with_benign(model, before)
    total = np.logaddexp(log_sum(odds), 0.0)
    posterior = np.exp(odds - total[..., None])
    rows = calibration_inputs(model, scores, before, hours)
    weights = np.array([model.calibration.get(name, 0.0) for name in calibration_names(model)])
    harmless = posterior[..., [one.log_prior is not None for one in model.signatures.values()]].sum(axis=-1)
    suspicion = np.asarray(expit(rows @ weights) * (1.0 - np.minimum(harmless, 1.0)))
    return Weighed(scores, by_onset, posterior, np.exp(-total), suspicion)


def log_sum(values: Floats) -> Floats:
    """log of the sum of exp over the last axis."""
    return np.asarray(np.logaddexp.reduce(values, axis=-1))


def likelihood_ratios(model: HypothesisModel, seen: Blocks) -> Floats:
    """llr (..., H, BLOCKS) untempered, the last axis by onset 1..BLOCKS blocks ago: `contributions` added up over the
    metrics, as one product of matrices."""
    precision, distance = weighted_distance(model, seen)
    lead = seen.mean.shape[:-2]
    shifts = aligned_shifts(model)
    table = shifts.reshape(len(model.names) * BLOCKS, -1).T
    linear = distance.reshape(*lead, -1) @ table
    square = precision.reshape(*lead, -1) @ table**2
    return np.asarray((linear - 0.5 * square).reshape(*lead, len(model.names), BLOCKS))


def contributions(model: HypothesisModel, seen: Blocks) -> Floats:
    """llr by metric (..., H, M, BLOCKS): what each metric says for (positive) or against each hypothesis."""
    precision, distance = weighted_distance(model, seen)
    shifts = aligned_shifts(model)
    linear = np.einsum("...mb,homb->...hmo", distance, shifts)
    return np.asarray(linear - 0.5 * np.einsum("...mb,homb->...hmo", precision, shifts**2))


def weighted_distance(model: HypothesisModel, seen: Blocks) -> tuple[Floats, Floats]:
    """Precision of each block's mean (0 where nothing was read), and precision times distance from the centre."""
    noise = list(model.noise.values())
    centre, own, shared = (np.array([getattr(n, part) for n in noise])[:, None] for part in ("centre", "own", "shared"))
    precision = np.where(seen.n > 0, 1.0 / (own + shared / np.maximum(seen.n, 1.0)), 0.0)
    return precision, precision * (seen.mean - centre)


@lru_cache(maxsize=16)
def aligned_shifts(model: HypothesisModel) -> Floats:
    """(H, BLOCKS, M, BLOCKS) shift expected in each block (last axis, newest first) for an onset 1..BLOCKS blocks ago:
    blocks before the onset do not move."""
    shifts = shift_table(model)
    found = np.zeros((len(model.names), BLOCKS, len(model.metrics), BLOCKS))
    for onset in range(1, BLOCKS + 1):
        found[:, onset - 1, :, :onset] = shifts[:, :, :onset][:, :, ::-1]
    return found


def shift_table(model: HypothesisModel) -> Floats:
    """(H, M, BLOCKS) shifts by blocks since onset; a metric that a signature does not name does not move."""
    still = (0.0,) * BLOCKS
    return np.array([[one.shifts.get(m, still) for m in model.metrics] for one in model.signatures.values()])


def with_benign(model: HypothesisModel, priors: Floats) -> Floats:
    """Log prior odds (..., H) of all hypotheses from those of the complications (..., C), in the order of names."""
    named = iter(range(priors.shape[-1]))
    columns = [
        priors[..., next(named)] if one.log_prior is None else np.full(priors.shape[:-1], one.log_prior)
        for one in model.signatures.values()
    ]
    return np.stack(columns, axis=-1)


def complications(model: HypothesisModel) -> tuple[str, ...]:
    """The names with a prior from the hazards, in order."""
    return tuple(name for name, one in model.signatures.items() if one.log_prior is None)


def calibration_names(model: HypothesisModel) -> tuple[str, ...]:
    """Names of the columns of `calibration_inputs`."""
    named = complications(model)
    return (
        "intercept",
        "any",
        "log_hour",
        *(f"score_{name}" for name in model.names),
        *(f"prior_{name}" for name in named),
    )


def calibration_inputs(model: HypothesisModel, scores: Floats, priors: Floats, hours: ArrayLike) -> Floats:
    """(..., inputs): 1, log of the summed odds of all complications, log hour, every score, every prior."""
    mine = [model.names.index(name) for name in complications(model)]
    both = log_sum(scores[..., mine] + priors)
    clock = np.log(np.maximum(np.broadcast_to(np.asarray(hours, float), both.shape), 1.0))
    lead = np.stack([np.ones_like(both), both, clock], axis=-1)
    return np.concatenate([lead, scores, priors], axis=-1)


def prior_log_hazard(
    model: HypothesisModel, hazards: HazardModel, procedure_class: str, hours: ArrayLike, values: ArrayLike
) -> Floats:
    """log prior odds (..., C): the hazard of a diagnosis between SPAN_H ago and AHEAD_H ahead, for patients with the
    static inputs in `values` (..., p; the order of hazards.features). The news of recent readings is left out: it is
    what the likelihood is for."""
    at = np.asarray(hours, float)
    z = hazards.standardise(np.asarray(values, float)) * [f.kind == "static" for f in hazards.features]
    columns = [_log_hazard(hazards, name, procedure_class, at, z) for name in complications(model)]
    return np.stack(columns, axis=-1)


def _log_hazard(hazards: HazardModel, outcome: str, procedure_class: str, at: Floats, z: Floats) -> Floats:
    baseline = hazards.baseline(outcome, procedure_class)
    if baseline is None:
        return np.full(at.shape, NOT_POSSIBLE)
    hours = at.ravel().tolist()
    by_hour = {hour: _log_step(baseline, hour) for hour in set(hours)}
    step = np.array([by_hour[hour] for hour in hours]).reshape(at.shape)
    effects = hazards.effects.get(outcome)
    shift = z @ coefficients(hazards, outcome)[1:] + effects.coefficients[0] if effects else np.zeros(at.shape)
    return np.asarray(np.maximum(step + shift, NOT_POSSIBLE))


@lru_cache(maxsize=65536)
def _log_step(baseline: Baseline, hour: float) -> float:
    """Log of the published hazard around `hour`; asked again for every patient of the same operation and hour."""
    before, after = baseline.cumulative_hazard([max(hour - SPAN_H, 0.0), hour + AHEAD_H])
    return float(np.log(max(after - before, 1e-300)))


def onset_hours_ago(by_onset: Floats) -> Floats:
    """Posterior mean of how long ago each hypothesis began (..., H), hours, were it true; the onsets of a block are
    taken at its middle."""
    weight = np.exp(by_onset - log_sum(by_onset)[..., None])
    return np.asarray(weight @ (BLOCK_H * (np.arange(BLOCKS) + 0.5)))
