"""Offline only: penalised logistic regression, fitted with scikit-learn and handed over as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from recovery.twin.linear import Category, Floats, LinearModel, Number, design, signed_log

STRENGTH = 0.1
"""Inverse of the ridge penalty on standardised columns, as in the floors of the data inventory (LR, C = 0.1)."""
SELDOM = 20
"""A level seen less often in training shares one column with all such levels."""


def fit_logistic(
    frame: pd.DataFrame,
    happened: Any,
    numbers: Sequence[str],
    categories: Sequence[str],
    *,
    strength: float = STRENGTH,
    seldom: int = SELDOM,
    log: bool = False,
    training: Mapping[str, Any] | None = None,
) -> LinearModel:
    """Ridge logistic regression of `happened` (n,) on the named columns; `log` takes signed logs of all numbers."""
    parts = (
        [number(frame[name], log, seldom) for name in numbers],
        [category(frame[name], seldom) for name in categories],
    )
    x = design(*parts, columns_of(frame, (*numbers, *categories)))
    fitted = LogisticRegression(C=strength, max_iter=3000).fit(x, np.asarray(happened).astype(int))
    return LinearModel(
        "logistic",
        float(fitted.intercept_[0]),
        tuple(parts[0]),
        tuple(parts[1]),
        tuple(map(float, fitted.coef_[0])),
        {"n": len(frame), "events": int(np.sum(happened)), **(training or {})},
    )


def number(values: pd.Series, log: bool = False, seldom: int = SELDOM) -> Number:
    """Median, mean, deviation of a column in training; a constant one is left unscaled. Absence has a column of its
    own when at least `seldom` rows lack the value: with fewer it is fitted to chance."""
    x = values.to_numpy(float)
    known = x[np.isfinite(x)]
    median = float(np.median(known)) if len(known) else 0.0
    filled: Floats = np.where(np.isfinite(x), x, median)
    filled = signed_log(filled) if log else filled
    lacking = len(x) - len(known)
    name, sd = str(values.name), float(filled.std()) or 1.0
    return Number(name, log, median, float(filled.mean()), sd, lacking >= max(seldom, 1))


def category(values: pd.Series, seldom: int = SELDOM) -> Category:
    """The levels seen at least `seldom` times, in alphabetical order; the others, if there are any, pooled."""
    counts = values.astype(str).value_counts()
    often = counts.index[counts >= seldom]
    return Category(str(values.name), tuple(sorted(often)), len(often) < len(counts))


def columns_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, Any]:
    return {name: frame[name].to_numpy() for name in names}
