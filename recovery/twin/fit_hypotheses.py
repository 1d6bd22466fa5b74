"""Offline only: learns the hypotheses' signatures, the ordinary noise, and the calibration, from looks at a cohort.

A look is one patient at one hour, with the blocks that were known then. Looks are taken every six hours
(`LOOK_EVERY_H`), so that every six hours of surprise are counted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recovery.twin.benign import BENIGN_SIGNATURES
from recovery.twin.errors import NotEnoughData
from recovery.twin.hypotheses import (
    HypothesisModel,
    Noise,
    Signature,
    Weighed,
    calibration_inputs,
    calibration_names,
    prior_log_hazard,
    weigh,
)
from recovery.twin.incidence import NAMED
from recovery.twin.surprise_blocks import BLOCK_H, BLOCKS, Blocks
from recovery.twin.survival import Floats, HazardModel

Rows = NDArray[np.bool_]

EVIDENCE = "fitted on a synthetic cohort"
LOOK_EVERY_H = 6
TEMPER = 0.5
"""Power of the likelihood, chosen on a synthetic cohort: surprises of neighbouring hours tell half their number."""
SETTLED = 2
"""The block that is read for learning: readings are up to half a day late, so the newest are often missing."""
AFTER_DIAGNOSIS_H = 12.0
"""Treatment changes the course soon after the diagnosis; later surprises teach no signature."""
SHRINK_LAG, SHRINK_METRIC = 4.0, 18.0
"""Blocks' worth of belief in the signature's own mean over lags, and in no shift at all."""
FROM_ONSET_H, BEFORE_ONSET_H, AFTER_H = 3.0, 6.0, 240.0
"""A look is a case from 3 h after the onset to the diagnosis; looks up to 10 days after it are left out."""
PENALTY = 0.1
THINNED = 4
"""Of the looks at ordinary recovery every fourth (one a day) is used for the calibration, counted four times."""
PART = 4000
SMALLEST_VARIANCE = 0.05
SOURCE = "mean surprise by hours since onset, {evidence}, shrunk to none"


class Illness(NamedTuple):
    """One complication of one patient: hours after surgery."""

    diagnosis: float
    onset: float
    outcome: str


@dataclass(frozen=True)
class Looks:
    """n looks: patient (n,) index, hour (n,), classes (n,) kind of operation, static (n, p) inputs of the hazards,
    blocks in the order of `metrics`; illnesses per patient."""

    metrics: tuple[str, ...]
    patient: NDArray[np.int64]
    hour: Floats
    classes: NDArray[np.str_]
    static: Floats
    blocks: Blocks
    illnesses: Sequence[Sequence[Illness]]

    def take(self, rows: Rows) -> Looks:
        kept = {name: getattr(self, name)[rows] for name in ("patient", "hour", "classes", "static")}
        return replace(self, **kept, blocks=Blocks(self.blocks.mean[rows], self.blocks.n[rows]))


def fit(
    looks: Looks,
    hazards: HazardModel,
    version: str,
    twin_version: str,
    training: Mapping[str, Any],
    evidence: str = EVIDENCE,
) -> HypothesisModel:
    """Signatures of every complication that the cohort holds, its ordinary noise, and calibrated suspicion. `evidence`:
    what it was fitted to, in words that follow "evidence:". Raises NotEnoughData when no complication can be learned.
    """
    looks = measured(looks)
    label = labels(looks)
    noise = _noise(looks, label == 0)
    source = SOURCE.format(evidence=evidence)
    signatures = {name: Signature(shifts, source) for name, shifts in _shifts(looks, noise).items()}
    if not signatures:
        raise NotEnoughData("no complication has a reading after an onset that lay before its diagnosis")
    model = HypothesisModel(
        version, twin_version, evidence, TEMPER, noise, {**signatures, **BENIGN_SIGNATURES}, {}, training
    )
    used = (label == 1) | ((label == 0) & (looks.hour % (LOOK_EVERY_H * THINNED) == 0))
    mine = looks.take(used)
    priors = priors_of(model, hazards, mine)
    inputs = calibration_inputs(model, _scores(model, mine, priors), priors, mine.hour)
    return replace(model, calibration=_calibrated(calibration_names(model), inputs, label[used] == 1))


def _scores(model: HypothesisModel, looks: Looks, priors: Floats) -> Floats:
    """(n, H)."""
    return np.concatenate([one.scores for one in _weighed(model, looks, priors)])


def _weighed(model: HypothesisModel, looks: Looks, priors: Floats) -> Iterator[Weighed]:
    """A part at a time: the likelihood of every onset of all looks at once would fill the memory."""
    for start in range(0, max(len(looks.hour), 1), PART):
        part = slice(start, start + PART)
        seen = Blocks(looks.blocks.mean[part], looks.blocks.n[part])
        yield weigh(model, seen, priors[part], looks.hour[part])


def measured(looks: Looks) -> Looks:
    """Without the metrics of which the cohort holds no reading: nothing is learned of them."""
    there: Rows = np.asarray(looks.blocks.n.any(axis=(0, 2)))
    if there.all():
        return looks
    metrics = tuple(looks.metrics[i] for i in np.flatnonzero(there))
    return replace(looks, metrics=metrics, blocks=Blocks(looks.blocks.mean[:, there], looks.blocks.n[:, there]))


def labels(looks: Looks) -> NDArray[np.int64]:
    """(n,) 1 while a complication is under way and not diagnosed, -1 near or after one, 0 otherwise."""
    found = np.zeros(len(looks.hour), np.int64)
    for index, illnesses in enumerate(looks.illnesses):
        if not illnesses:
            continue
        mine = looks.patient == index
        for one in illnesses:
            near = mine & (looks.hour >= one.onset - BEFORE_ONSET_H) & (looks.hour <= one.diagnosis + AFTER_H)
            found[near & (found == 0)] = -1
        for one in illnesses:
            found[mine & under_way(one, looks.hour)] = 1
    return found


def under_way(one: Illness, hours: Floats) -> Rows:
    """(n,) which hours lie from three hours after the onset to the diagnosis."""
    rows: Rows = (hours >= one.onset + FROM_ONSET_H) & (hours <= one.diagnosis)
    return rows


def priors_of(model: HypothesisModel, hazards: HazardModel, looks: Looks) -> Floats:
    found = np.empty((len(looks.hour), sum(one.log_prior is None for one in model.signatures.values())))
    for name in np.unique(looks.classes):
        rows = looks.classes == name
        found[rows] = prior_log_hazard(model, hazards, str(name), looks.hour[rows], looks.static[rows])
    return found


def suspicion(model: HypothesisModel, hazards: HazardModel, looks: Looks) -> Floats:
    """(n,) suspicion of each look, as served; the looks may hold metrics that the model does not weigh."""
    if not len(looks.hour):
        return np.empty(0)
    places = [looks.metrics.index(metric) for metric in model.metrics]
    seen = Blocks(looks.blocks.mean[:, places], looks.blocks.n[:, places])
    looks = replace(looks, metrics=model.metrics, blocks=seen)
    priors = priors_of(model, hazards, looks)
    return np.concatenate([one.suspicion for one in _weighed(model, looks, priors)])


def _noise(looks: Looks, ordinary: Rows) -> dict[str, Noise]:
    """Centre by mean, variance by regression of the squared distance on 1 and 1 / n."""
    found = {}
    for m, metric in enumerate(looks.metrics):
        n = looks.blocks.n[ordinary, m, SETTLED]
        x, n = looks.blocks.mean[ordinary, m, SETTLED][n > 0], n[n > 0]
        if not len(x):
            found[metric] = Noise(0.0, 1.0, 0.0)
            continue
        squares = (x - x.mean()) ** 2
        if len(np.unique(n)) == 1:
            found[metric] = Noise(float(x.mean()), max(float(squares.mean()), SMALLEST_VARIANCE), 0.0)
            continue
        own, shared = np.linalg.lstsq(np.stack([np.ones_like(n), 1.0 / n], axis=1), squares, rcond=None)[0]
        found[metric] = Noise(float(x.mean()), max(float(own), SMALLEST_VARIANCE), max(float(shared), 0.0))
    return found


def _shifts(looks: Looks, noise: Mapping[str, Noise]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Per complication and metric the mean shift by blocks since the onset, smoothed over neighbouring lags and
    shrunk: a lag to the mean over lags, that mean to none."""
    centres = np.array([one.centre for one in noise.values()])
    total = {name: np.zeros((len(centres), BLOCKS)) for name in NAMED}
    count = {name: np.zeros((len(centres), BLOCKS)) for name in NAMED}
    for index, illnesses in enumerate(looks.illnesses):
        rows = np.flatnonzero(looks.patient == index) if illnesses else np.empty(0, np.int64)
        middle = looks.hour[rows] - BLOCK_H * (SETTLED + 0.5)
        for one in (one for one in illnesses if one.onset < one.diagnosis):
            lag = np.floor((middle - one.onset) / BLOCK_H).astype(int)
            for row, at in zip(rows, lag, strict=True):
                if 0 <= at < BLOCKS and one.onset + BLOCK_H * at <= one.diagnosis + AFTER_DIAGNOSIS_H:
                    there = looks.blocks.n[row, :, SETTLED] > 0
                    total[one.outcome][:, at] += np.where(there, looks.blocks.mean[row, :, SETTLED] - centres, 0.0)
                    count[one.outcome][:, at] += there
    return {
        name: dict(zip(looks.metrics, map(tuple, _shrunk(total[name], count[name]).tolist()), strict=True))
        for name in NAMED
        if count[name].any()
    }


def _shrunk(total: Floats, count: Floats) -> Floats:
    every = count.sum(axis=1, keepdims=True)
    mean = total.sum(axis=1, keepdims=True) / (every + SHRINK_METRIC)
    near = [slice(max(0, j - 1), j + 2) for j in range(BLOCKS)]
    summed = np.stack([total[:, part].sum(axis=1) for part in near], axis=1)
    counted = np.stack([count[:, part].sum(axis=1) for part in near], axis=1)
    return np.asarray((summed + SHRINK_LAG * mean) / (counted + SHRINK_LAG))


def _calibrated(names: Sequence[str], inputs: Floats, case: Rows) -> dict[str, float]:
    """Ridge logistic regression on standardised inputs, written back as plain weights."""
    mean, sd = inputs[:, 1:].mean(axis=0), inputs[:, 1:].std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    counted = np.where(case, 1.0, float(THINNED))
    found = LogisticRegression(C=PENALTY, max_iter=2000).fit((inputs[:, 1:] - mean) / sd, case, counted)
    weights = found.coef_[0] / sd
    return dict(zip(names, [float(found.intercept_[0] - weights @ mean), *weights.tolist()], strict=True))
