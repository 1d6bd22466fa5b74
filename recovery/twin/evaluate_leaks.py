"""Offline only: refuses inputs that know the outcome, by name and by what they hold, before anything is fitted.

Three signs are looked for in the data itself: a column that alone all but separates the outcome; a number that is the
outcome's own rate in each group of a word column; and a number that lifts a model of all other inputs by more than
any bedside fact does. A leak that copies a true predictor cannot be seen this way: names and the data dictionary come
first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from recovery.twin.errors import TwinError

NAMES: Mapping[str, str] = {
    r"_rsi$": "risk stratification index, built from discharge coding",
    r"^ccs.*rate$": "outcome rate of the procedure, computed from these very outcomes",
    r"(^|_)(mort|mortality|death|died|expired?)(\d|_|$)": "an outcome",
    r"^(complication|readmitted|readmission|risk1yr)$": "an outcome",
    r"^(icu_days|los|stay|dis|discharge_time)$": "known at discharge only",
}
SEPARATES = 0.97
"""AUROC of one column alone. The best honest column in the sets at hand reaches 0.90 (APACHE-like scores 0.86)."""
SAME_RATE = 0.999
"""Correlation of a number with the outcome's rate over the groups within which it is constant."""
LIFT = 0.015
"""Gain in AUROC over all other inputs. Measured on 32,001 operations: honest numbers at most 0.003, an index built
from discharge codes 0.027."""
EVENTS_FOR_LIFT = 1000
"""With fewer events the gain of an honest column cannot be told from chance."""
FEWEST_OTHERS = 10
"""Beside fewer inputs an honest predictor may well add that much: age beside the operation alone does."""
FEWEST_GROUPS = 5


class LeakRefused(TwinError):
    """An input that holds the outcome, or is known only after it."""


@dataclass(frozen=True, slots=True)
class Leak:
    column: str
    sign: str
    detail: str


def refuse_leaks(frame: pd.DataFrame, happened: Any, numbers: Sequence[str], categories: Sequence[str]) -> None:
    """Raises LeakRefused, naming every leaking input and its sign; silent when there is none. A name is enough: the
    contents are looked at when all names are clean."""
    found = by_name((*numbers, *categories)) or by_content(frame, happened, numbers, categories)
    if found:
        raise LeakRefused("; ".join(f"{leak.column}: {leak.sign}, {leak.detail}" for leak in found))


def by_name(columns: Sequence[str]) -> list[Leak]:
    return [
        Leak(column, "name", why)
        for column in columns
        for pattern, why in NAMES.items()
        if re.search(pattern, column, re.IGNORECASE)
    ]


def by_content(frame: pd.DataFrame, happened: Any, numbers: Sequence[str], categories: Sequence[str]) -> list[Leak]:
    """The three signs, whatever the columns are called."""
    y = np.asarray(happened).astype(int)
    return [
        *_separating(frame, y, numbers, categories),
        *_rates(frame, y, numbers, categories),
        *_lifting(frame, y, numbers, categories),
    ]


def _separating(frame: pd.DataFrame, y: Any, numbers: Sequence[str], categories: Sequence[str]) -> list[Leak]:
    found = []
    for column in (*numbers, *categories):
        area = _area(_coded(frame, [column], categories), y, depth=2, rounds=20)
        if area >= SEPARATES:
            found.append(Leak(column, "separates the outcome alone", f"AUROC {area:.3f}"))
    return found


def _rates(frame: pd.DataFrame, y: Any, numbers: Sequence[str], categories: Sequence[str]) -> list[Leak]:
    found = []
    for word in categories:
        groups = frame[word].astype(str)
        rate = pd.Series(y, index=frame.index).groupby(groups).mean()
        for column in numbers:
            by_group = frame[column].groupby(groups)
            if len(rate) < FEWEST_GROUPS or frame[column].nunique() < FEWEST_GROUPS or (by_group.nunique() > 1).any():
                continue
            same = abs(float(np.corrcoef(by_group.first().fillna(0.0), rate)[0, 1]))
            if same >= SAME_RATE:
                found.append(Leak(column, f"is the outcome's rate by {word}", f"correlation {same:.4f}"))
    return found


def _lifting(frame: pd.DataFrame, y: Any, numbers: Sequence[str], categories: Sequence[str]) -> list[Leak]:
    names = [*numbers, *categories]
    if y.sum() < EVENTS_FOR_LIFT or len(names) <= FEWEST_OTHERS:
        return []
    whole = _area(_coded(frame, names, categories), y)
    found = []
    for column in numbers:
        rest = [name for name in names if name != column]
        lift = whole - _area(_coded(frame, rest, categories), y)
        if lift >= LIFT:
            found.append(Leak(column, "lifts all other inputs", f"AUROC +{lift:.3f}"))
    return found


def _coded(frame: pd.DataFrame, names: Sequence[str], categories: Sequence[str]) -> pd.DataFrame:
    """Numbers as they are, words as a category of their 200 commonest levels."""
    out = frame[list(names)].copy()
    for name in set(names) & set(categories):
        words = out[name].astype(str)
        out[name] = words.where(words.isin(words.value_counts().index[:200]), "other").astype("category")
    return out


def _area(x: pd.DataFrame, y: Any, depth: int = 3, rounds: int = 60) -> float:
    """AUROC out of three folds of a small booster."""
    model = HistGradientBoostingClassifier(
        max_depth=depth, max_iter=rounds, categorical_features="from_dtype", random_state=0
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return float(roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]))
