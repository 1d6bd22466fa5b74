"""Offline only: how well risks of a new complication within 7 days hold in patients the fit has not seen.

AUROC, Brier skill, calibration slope and intercept at fixed days after surgery, beside the partial NEWS2 of
the same patients at the same hour. Patients are never split across folds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.survival import Floats, HazardModel, predict

DAYS = (1, 2, 4, 7, 10)
HORIZON_H = 168
FOLDS = 5
BOOTSTRAPS = 400


def cross_validate(data: Landmarks, fit: Callable[[Landmarks], HazardModel], seed: int) -> dict[str, Any]:
    """Per day: patients, events, AUROC with a 90 % bootstrap interval, Brier skill, calibration, NEWS2's
    AUROC."""
    predicted = np.full(len(data.hours), np.nan)
    for rows, held_out in GroupKFold(FOLDS, shuffle=True, random_state=seed).split(data.hours, groups=data.patient):
        model = fit(data.take(np.isin(np.arange(len(data.hours)), rows)))
        predicted[held_out] = risks(model, data.take(np.isin(np.arange(len(data.hours)), held_out)))
    return {
        "outcome": "first complication diagnosed within 7 days",
        "folds": FOLDS,
        "days": {str(day): judged(data, predicted, day, seed) for day in DAYS},
    }


def risks(model: HazardModel, data: Landmarks, outcome: str = "complication") -> Floats:
    """(n,) probability of a first `outcome` within 7 days at each landmark; nan where the class has no
    figure."""
    found = np.full(len(data.hours), np.nan)
    values = data.columns([f.key for f in model.features])
    for name in np.unique(data.classes):
        if model.baseline(outcome, str(name)) is None:
            continue
        rows = data.classes == name
        found[rows] = predict(model, outcome, str(name), data.hours[rows], values[rows], (HORIZON_H,)).probability[:, 0]
    return found


def judged(data: Landmarks, predicted: Floats, day: int, seed: int) -> dict[str, Any]:
    """Patients alive and not yet diagnosed at that day, judged by what was diagnosed in the 7 days after;
    only the counts where all or none were."""
    free = (data.hours == 24.0 * day) & (data.event_h["complication"] > data.hours) & (data.end_h > data.hours)
    event = (data.event_h["complication"] - data.hours <= HORIZON_H)[free]
    p = predicted[free]
    if event.all() or not event.any():
        return {"n": int(free.sum()), "events": int(event.sum())}
    low, high = _interval(event, p, seed)
    slope, intercept = calibration(event, p)
    base = event.mean()
    points = data.news2[free]
    beside = {"news2_auroc": round(float(roc_auc_score(event, np.nan_to_num(points))), 3)}
    return {
        "n": int(free.sum()),
        "events": int(event.sum()),
        "auroc": round(float(roc_auc_score(event, p)), 3),
        "auroc_90": [round(low, 3), round(high, 3)],
        "brier_skill": round(float(1 - ((p - event) ** 2).mean() / (base * (1 - base))), 3),
        "calibration_slope": round(slope, 2),
        "calibration_intercept": round(intercept, 2),
        "mean_predicted": round(float(p.mean()), 4),
        "observed": round(float(base), 4),
        **(beside if np.isfinite(points).any() else {}),
    }


def calibration(event: Floats, p: Floats) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of the event on the predicted log odds; 1 and 0 are
    perfect."""
    odds = np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))[:, None]
    found = LogisticRegression(C=1e6).fit(odds, event)
    return float(found.coef_[0, 0]), float(found.intercept_[0])


def _interval(event: Floats, p: Floats, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(BOOTSTRAPS):
        rows = rng.integers(0, len(p), len(p))
        if event[rows].any() and not event[rows].all():
            drawn.append(roc_auc_score(event[rows], p[rows]))
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)
