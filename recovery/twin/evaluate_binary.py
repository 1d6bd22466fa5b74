"""Offline only: the protocol by which every yes/no outcome is judged.

Leaks are refused first. Predictions are out of five folds stratified by outcome that never split a patient, repeated
over seeds of the folds; every choice inside a model is made inside its training folds. Figures are means over seeds;
their 95 % interval is a bootstrap over patients of that mean, so it is the sampling error of the set and not the range
over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from recovery.twin.evaluate_hazard import calibration
from recovery.twin.evaluate_leaks import refuse_leaks
from recovery.twin.fit_challenger import Member

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FOLDS = 5
BOOTSTRAPS = 300


@dataclass(frozen=True)
class Study:
    """One outcome of one set: n rows, whether it happened (n,), the inputs by kind, whose row it is."""

    name: str
    frame: pd.DataFrame
    happened: Flags
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    group: str


def evaluate(
    study: Study, models: Mapping[str, Callable[[Study], Member]], seeds: Sequence[int]
) -> dict[str, dict[str, Any]]:
    """Figures of each model on one study. Raises LeakRefused before any fit."""
    refuse_leaks(study.frame, study.happened, study.numbers, study.categories)
    return {name: figures(study, [out_of_fold(study, make, seed) for seed in seeds]) for name, make in models.items()}


def out_of_fold(study: Study, make: Callable[[Study], Member], seed: int) -> Floats:
    """(n,) predictions, each by a model that saw no row of that patient."""
    predicted = np.full(len(study.frame), np.nan)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for rows, held_out in folds.split(study.frame, study.happened, study.frame[study.group]):
        fitted = make(study).fit(study.frame.iloc[rows], study.happened[rows])
        predicted[held_out] = fitted.probability(study.frame.iloc[held_out])
    return predicted


def figures(study: Study, predicted: Sequence[Floats]) -> dict[str, Any]:
    """Means over seeds with 95 % intervals; calibration at the mean over seeds."""
    y = study.happened
    point = np.mean([measures(y, p) for p in predicted], axis=0)
    low, high = intervals(y, predicted, study.frame[study.group].to_numpy())
    areas = [roc_auc_score(y, p) for p in predicted]
    slope, _ = np.mean([calibration(y.astype(float), p) for p in predicted], axis=0)
    return {
        "n": len(y),
        "events": int(y.sum()),
        "seeds": len(predicted),
        "auroc": round(float(point[0]), 4),
        "auroc_95": [round(float(low[0]), 3), round(float(high[0]), 3)],
        "auroc_by_seed": ", ".join(f"{area:.4f}" for area in areas),
        "auprc": round(float(point[1]), 4),
        "brier": round(float(point[2]), 4),
        "brier_95": [round(float(low[2]), 4), round(float(high[2]), 4)],
        "calibration_slope": round(float(slope), 3),
        "expected_over_observed": round(float(point[3]), 3),
    }


def measures(y: Flags, p: Floats) -> Floats:
    """AUROC, average precision, Brier score, expected over observed."""
    brier = float(((p - y) ** 2).mean())
    return np.array([roc_auc_score(y, p), average_precision_score(y, p), brier, p.mean() / y.mean()])


def intervals(y: Flags, predicted: Sequence[Floats], who: Any, seed: int = 0) -> tuple[Floats, Floats]:
    """95 % bootstrap interval of the means over seeds; whole patients are drawn."""
    rng = np.random.default_rng(seed)
    _, patient = np.unique(who, return_inverse=True)
    order = np.argsort(patient, kind="stable")
    starts = np.searchsorted(patient[order], np.arange(patient.max() + 2))
    drawn = []
    for _ in range(BOOTSTRAPS):
        picked = rng.integers(0, len(starts) - 1, len(starts) - 1)
        rows = np.concatenate([order[starts[i] : starts[i + 1]] for i in picked])
        if y[rows].any() and not y[rows].all():
            drawn.append(np.mean([measures(y[rows], p[rows]) for p in predicted], axis=0))
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return low, high
