"""Offline only: the calibrated challenger of the linear models, a stack of ridge regression and boosted trees.

The weights of the stack are a logistic regression of the outcome on the members' log odds, which were predicted out of
inner folds that never split a patient: so the stack is calibrated on predictions made as they will be. It is measured
against the linear model and stays offline: what is served is plain numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from recovery.twin.fit_linear import category, columns_of, fit_logistic
from recovery.twin.linear import LinearModel

Floats = NDArray[np.float64]
INNER_FOLDS = 3
MANY_LEVELS = 40
"""A word column with more levels than this is given to the trees as its smoothed outcome rate."""
SELDOM_SLOPE = 200
"""A level with fewer rows has no slopes of its own."""
EDGE = 1e-5


class Member(Protocol):
    def fit(self, frame: pd.DataFrame, happened: Any) -> Member: ...

    def probability(self, frame: pd.DataFrame) -> Floats: ...


@dataclass
class Linear:
    """The penalised logistic regression of `fit_linear`, as a member. `crossed` names a word column (the operation)
    within whose levels every number may have a slope of its own."""

    numbers: Sequence[str]
    categories: Sequence[str]
    log: bool = False
    seldom: int = 20
    strength: float = 0.1
    crossed: str | None = None
    levels: tuple[str, ...] = ()
    medians: dict[str, float] = field(default_factory=dict)
    model: LinearModel | None = None

    def fit(self, frame: pd.DataFrame, happened: Any) -> Linear:
        if self.crossed:
            self.levels = category(frame[self.crossed], SELDOM_SLOPE).levels
            self.medians = {name: float(frame[name].median()) for name in self.numbers}
        wide, numbers = self._wide(frame)
        self.model = fit_logistic(
            wide, happened, numbers, self.categories, log=self.log, seldom=self.seldom, strength=self.strength
        )
        return self

    def probability(self, frame: pd.DataFrame) -> Floats:
        assert self.model is not None  # noqa: S101 - a use before the fit is a bug here
        wide, numbers = self._wide(frame)
        return self.model.probability(columns_of(wide, (*numbers, *self.categories)))

    def _wide(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """The frame with a column per number and level: the number where the level holds, its median elsewhere."""
        if not self.crossed:
            return frame, list(self.numbers)
        where = frame[self.crossed].astype(str).to_numpy()
        added = {
            f"{name} if {level}": np.where(where == level, frame[name].fillna(self.medians[name]), self.medians[name])
            for level in self.levels
            for name in self.numbers
        }
        wide = pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)
        return wide, [*self.numbers, *added]


@dataclass
class Trees:
    """Histogram gradient boosting with shrinkage; seeded. grouped: a split divides the levels of a word column into two
    groups, as the trees find them, in place of one level or one rate at a time."""

    numbers: Sequence[str]
    categories: Sequence[str]
    depth: int = 3
    rounds: int = 200
    rate: float = 0.05
    share: float = 0.4
    seed: int = 0
    grouped: bool = False
    model: Pipeline | None = None

    def fit(self, frame: pd.DataFrame, happened: Any) -> Trees:
        coded = ColumnTransformer(self._grouped() if self.grouped else self._coded(frame))
        words = len(self.categories) if self.grouped else 0
        booster = HistGradientBoostingClassifier(
            max_depth=self.depth,
            max_iter=self.rounds,
            learning_rate=self.rate,
            max_features=self.share,
            min_samples_leaf=20,
            l2_regularization=5.0,
            categorical_features=range(len(self.numbers), len(self.numbers) + words) if words else None,
            random_state=self.seed,
        )
        self.model = make_pipeline(coded, booster).fit(frame, np.asarray(happened).astype(int))
        return self

    def _grouped(self) -> list[Any]:
        words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, min_frequency=20)
        return [("number", "passthrough", list(self.numbers)), ("word", words, list(self.categories))]

    def _coded(self, frame: pd.DataFrame) -> list[Any]:
        many = [name for name in self.categories if frame[name].nunique() > MANY_LEVELS]
        few = [name for name in self.categories if name not in many]
        parts = [("number", "passthrough", list(self.numbers))]
        if few:
            one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False)
            parts.append(("few", one_hot, few))
        if many:
            folds = StratifiedKFold(5, shuffle=True, random_state=self.seed)
            parts.append(("many", TargetEncoder(smooth=20.0, cv=folds), many))
        return parts

    def probability(self, frame: pd.DataFrame) -> Floats:
        assert self.model is not None  # noqa: S101 - a use before the fit is a bug here
        return np.asarray(self.model.predict_proba(frame)[:, 1], float)


@dataclass
class Stack:
    """Members whose log odds are weighed by what they predicted for patients they had not seen."""

    members: Sequence[Member]
    group: str
    seed: int = 0
    weights: LogisticRegression = field(default_factory=lambda: LogisticRegression(C=1.0, max_iter=1000))

    def fit(self, frame: pd.DataFrame, happened: Any) -> Stack:
        """`frame[group]` says whose row it is; inner folds never split one."""
        y = np.asarray(happened).astype(int)
        seen = np.zeros((len(frame), len(self.members)))
        folds = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=self.seed)
        for rows, held_out in folds.split(frame, y, frame[self.group]):
            for column, member in enumerate(self.members):
                fitted = member.fit(frame.iloc[rows], y[rows])
                seen[held_out, column] = log_odds(fitted.probability(frame.iloc[held_out]))
        self.weights.fit(seen, y)
        for member in self.members:
            member.fit(frame, y)
        return self

    def probability(self, frame: pd.DataFrame) -> Floats:
        seen = np.stack([log_odds(member.probability(frame)) for member in self.members], axis=1)
        return np.asarray(self.weights.predict_proba(seen)[:, 1], float)


@dataclass
class Blend:
    """Members that count the same: the mean of their log odds. Nothing is fitted beyond the members."""

    members: Sequence[Member]

    def fit(self, frame: pd.DataFrame, happened: Any) -> Blend:
        for member in self.members:
            member.fit(frame, happened)
        return self

    def probability(self, frame: pd.DataFrame) -> Floats:
        odds = np.mean([log_odds(member.probability(frame)) for member in self.members], axis=0)
        return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def log_odds(p: Floats) -> Floats:
    held = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(held / (1 - held)))
