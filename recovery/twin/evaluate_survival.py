"""Offline only: how well a time to event is predicted out of folds: concordance and integrated Brier score.

Brier score weighted by the inverse probability of censoring: Graf E et al. Stat Med 1999;18:2529-2545. Its floor is the
Kaplan-Meier curve of the training fold, which knows no patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from lifelines.utils import concordance_index
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from recovery.twin.cause_specific import survival
from recovery.twin.event_curves import kaplan_meier
from recovery.twin.fit_linear import columns_of
from recovery.twin.fit_survival import fit_cause_specific

Floats = NDArray[np.float64]
FOLDS = 5
GRID = 60
WITHIN = (0.05, 0.95)
"""The Brier score is integrated between these quantiles of the times in the training fold."""


def cross_validate(
    frame: pd.DataFrame,
    durations: Any,
    happened: Any,
    numbers: Sequence[str],
    categories: Sequence[str],
    seeds: Sequence[int],
) -> dict[str, Any]:
    """Cox model in five folds, repeated over seeds: mean over folds of C and of the integrated Brier scores, with the
    deviation between folds."""
    t, events = np.asarray(durations, float), np.asarray(happened, bool)
    rows = []
    for seed in seeds:
        for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(t):
            rows.append(_fold(frame, t, events, numbers, categories, train, test))
    c, brier, floor = np.array(rows).T
    return {
        "n": len(t),
        "events": int(events.sum()),
        "c": round(float(c.mean()), 4),
        "c_sd_over_folds": round(float(c.std()), 4),
        "ibs": round(float(brier.mean()), 4),
        "ibs_kaplan_meier": round(float(floor.mean()), 4),
    }


def _fold(
    frame: pd.DataFrame, t: Floats, events: Any, numbers: Any, categories: Any, train: Any, test: Any
) -> tuple[float, float, float]:
    known = (frame.iloc[train], t[train], events[train])
    model = fit_cause_specific(*known, {1: "event"}, numbers, categories)
    columns = columns_of(frame.iloc[test], (*numbers, *categories))
    c = concordance_index(t[test], -model.hazards["event"].linear(columns), events[test])
    low, high = np.quantile(t[train], WITHIN)
    grid = np.linspace(low, min(high, t[test].max() * (1 - 1e-9)), GRID)
    predicted = survival(model, columns, grid)
    plain = np.broadcast_to(kaplan_meier(t[train], events[train]).at(grid), predicted.shape)
    judged_on = (t[train], events[train], t[test], events[test])
    return float(c), integrated_brier(*judged_on, predicted, grid), integrated_brier(*judged_on, plain, grid)


def integrated_brier(
    train_t: Floats, train_events: Any, t: Floats, events: Any, predicted: Floats, grid: Floats
) -> float:
    """Mean over `grid` (g,) of the weighted Brier score of `predicted` survival (n, g) for durations t (n,)."""
    still = kaplan_meier(train_t, ~np.asarray(train_events, bool))
    smallest = float(still.values[still.values > 0].min(initial=1.0))
    own = np.maximum(still.just_before(t), smallest)
    before = (t[:, None] <= grid) & np.asarray(events, bool)[:, None]
    after = t[:, None] > grid
    dead_part = before * predicted**2 / own[:, None]
    live_part = after * (1.0 - predicted) ** 2 / np.maximum(still.at(grid), smallest)
    scores = (dead_part + live_part).mean(axis=0)
    return float(np.trapezoid(scores, grid) / (grid[-1] - grid[0]))
