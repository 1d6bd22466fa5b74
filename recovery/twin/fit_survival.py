"""Offline only: Cox models of every cause with lifelines, also stacked over landmarks, handed over as plain numbers.

Each cause is fitted with the others censored; the cumulative incidence of `cause_specific` puts them together again.
Landmarking: van Houwelingen HC. Scand J Stat 2007;34:70-85: one row per patient and landmark day, the day a stratum
with its own baseline, follow-up cut at the horizon.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ApproximationWarning, ConvergenceError, ConvergenceWarning
from pandas.errors import Pandas4Warning

from recovery.twin.cause_specific import WHOLE, Baseline, CauseSpecificModel
from recovery.twin.errors import TwinError
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.fit_linear import category, columns_of, number
from recovery.twin.linear import Category, LinearModel, Number, design

PENALTY = 0.001
"""Ridge per patient on standardised columns: a breath of shrinkage that keeps collinear columns apart."""
LANDMARK_PENALTY = 0.02
"""For landmark models, with some 35 columns and about 200 events [G]."""
SELDOM = 10
STEPS = (0.5, 0.25, 0.1)
"""Newton steps tried in turn. With lifelines' own 0.95 four of five folds of flchain stop at wrong coefficients with
no more than a warning (C 0.57 to 0.65 instead of 0.80), so a warning is not enough here."""


class NotConverged(TwinError):
    """A Cox model whose coefficients are not those of the maximum; nothing is handed over."""


def fit_cause_specific(
    frame: pd.DataFrame,
    durations: Any,
    causes: Any,
    names: Mapping[int, str],
    numbers: Sequence[str],
    categories: Sequence[str] = (),
    *,
    strata: Any = None,
    penalty: float = PENALTY,
    training: Mapping[str, Any] | None = None,
) -> CauseSpecificModel:
    """Cox models of the causes in `names` (code -> name; code 0 is censored), (n,) each.

    strata (n,): a word per row, each with its own baseline. Durations are positive, in any one unit.
    """
    t, cause = np.asarray(durations, float), np.asarray(causes).astype(int)
    parts = [number(frame[name], seldom=SELDOM) for name in numbers], [_reduced(frame[name]) for name in categories]
    x = design(*parts, columns_of(frame, (*numbers, *categories)))
    where = np.full(len(t), WHOLE) if strata is None else np.asarray(strata).astype(str)
    fitted = {name: _fit_one(x, t, cause == code, where, penalty) for code, name in names.items()}
    counts = {name: int((cause == code).sum()) for code, name in names.items()}
    return CauseSpecificModel(
        {name: _linear(parts, model, x, counts[name]) for name, model in fitted.items()},
        {name: _baselines(model) for name, model in fitted.items()},
        float(t.max()),
        {"n": len(t), "events": counts, "penalty": penalty, **(training or {})},
    )


def landmark_frame(data: Landmarks, keys: Sequence[str], outcome: str, horizon_h: float) -> pd.DataFrame:
    """One row per patient and landmark still free of `outcome`: the inputs `keys`, duration_h (until the outcome,
    death, or the horizon), cause (0 censored, 1 the outcome, 2 death), landmark (hour, as text) and patient."""
    free = (data.event_h[outcome] > data.hours) & (data.end_h > data.hours)
    part = data.take(free)
    until = np.minimum(part.event_h[outcome], np.minimum(part.end_h, part.hours + horizon_h))
    died = (part.event_h["death"] == until) & (part.event_h[outcome] > until)
    frame = pd.DataFrame(part.columns(list(keys)), columns=list(keys))
    frame["duration_h"] = until - part.hours
    frame["cause"] = np.where(part.event_h[outcome] == until, 1, np.where(died, 2, 0))
    frame["landmark"] = [f"{hour:g}" for hour in part.hours]
    frame["patient"] = part.patient
    return frame


def fit_landmarks(frame: pd.DataFrame, keys: Sequence[str], outcome: str, **told: Any) -> CauseSpecificModel:
    """The outcome and death as competing causes, from rows of `landmark_frame`, the landmark as stratum."""
    return fit_cause_specific(
        frame,
        frame.duration_h,
        frame.cause,
        {1: outcome, 2: "death"},
        keys,
        strata=frame.landmark,
        penalty=LANDMARK_PENALTY,
        training=told,
    )


def _fit_one(x: Any, t: Any, happened: Any, strata: Any, penalty: float) -> CoxPHFitter:
    varied = x.std(axis=0) > 0
    rows = pd.DataFrame(x[:, varied], columns=[f"x{i}" for i in np.flatnonzero(varied)])
    rows["t"], rows["happened"], rows["stratum"] = t, happened, strata
    for step in STEPS:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            warnings.simplefilter("ignore", Pandas4Warning)  # lifelines' own use of pandas
            warnings.simplefilter("ignore", ApproximationWarning)
            try:
                fitter = CoxPHFitter(penalizer=penalty)
                return fitter.fit(rows, "t", "happened", strata=["stratum"], fit_options={"step_size": step})
            except (ConvergenceError, ConvergenceWarning):
                continue
    raise NotConverged(f"no Cox model of {int(np.sum(happened))} events could be fitted; use a larger penalty")


def _linear(parts: tuple[list[Number], list[Category]], fitted: CoxPHFitter, x: Any, events: int) -> LinearModel:
    """lifelines centres its columns; here the centre goes into the intercept. A column that never varied has no
    effect."""
    coefficients = np.zeros(x.shape[1])
    for name, value in fitted.params_.items():
        coefficients[int(name[1:])] = value
    centre = float(x.mean(axis=0) @ coefficients)
    return LinearModel(
        "hazard", -centre, tuple(parts[0]), tuple(parts[1]), tuple(coefficients.tolist()), {"events": events}
    )


def _baselines(fitted: CoxPHFitter) -> dict[str, Baseline]:
    table = fitted.baseline_cumulative_hazard_
    found = {}
    for column in table:
        steps = table[column].dropna()
        rises = steps[steps.diff().fillna(steps) > 0]
        stratum = column[0] if isinstance(column, tuple) else column
        found[str(stratum)] = Baseline(tuple(map(float, rises.index)), tuple(map(float, rises)))
    return found


def _reduced(values: pd.Series) -> Category:
    """A Cox model has no use for the commonest level: it is the reference."""
    whole = category(values, SELDOM)
    commonest = str(values.astype(str).value_counts().index[0])
    others = tuple(level for level in whole.levels if level != commonest)
    return Category(whole.name, others, whole.pooled, commonest)
