"""Offline only: ridge logistic regression whose curves and effects may differ by kind of operation.

Numbers enter as cubic splines beside themselves and a column for their absence, words as their levels; every such
column enters once for all operations and once, shrunk harder, within each. Nothing here has seen the outcome before the
regression: knots are quantiles of the training rows, columns are centred and scaled on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

Floats = NDArray[np.float64]
KNOTS = 5
FEWEST_ROWS = 100
"""A level with fewer rows has no column of its own."""
SMALLEST_SD = 0.1
"""Rare columns are not blown up beyond this: their effects stay shrunk."""
LEVEL, WITHIN = 3.0, 0.4
"""Size of the columns of an operation's own level, and of effects within an operation: the ridge shrinks a smaller
column harder."""


@dataclass
class Curves:
    """A member of `fit_challenger`: `curved` numbers have splines, `numbers` are straight lines; `crossed` names the
    word column (the operation) within whose levels every effect may differ. strength: inverse ridge penalty."""

    curved: Sequence[str]
    numbers: Sequence[str]
    categories: Sequence[str]
    crossed: str
    strength: float = 0.01
    columns: ColumnTransformer | None = None
    kinds: OneHotEncoder | None = None
    centre: Floats | None = None
    scale: Floats | None = None
    model: LogisticRegression | None = None

    def fit(self, frame: pd.DataFrame, happened: Any) -> Curves:
        splines = make_pipeline(SimpleImputer(strategy="median"), SplineTransformer(KNOTS, knots="quantile"))
        words = [name for name in self.categories if name != self.crossed]
        one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=FEWEST_ROWS)
        parts = [
            ("curves", splines, list(self.curved)),
            ("lines", SimpleImputer(strategy="median", add_indicator=True), [*self.curved, *self.numbers]),
            ("words", one_hot, words),
        ]
        self.columns = ColumnTransformer(parts, sparse_threshold=0.0)
        base = self.columns.fit_transform(frame)
        self.centre, self.scale = base.mean(axis=0), np.maximum(base.std(axis=0), SMALLEST_SD)
        self.kinds = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(frame[[self.crossed]])
        self.model = LogisticRegression(C=self.strength, max_iter=300)
        self.model.fit(self._wide(frame), np.asarray(happened).astype(int))
        return self

    def probability(self, frame: pd.DataFrame) -> Floats:
        assert self.model is not None  # noqa: S101 - a use before the fit is a bug here
        return np.asarray(self.model.predict_proba(self._wide(frame))[:, 1], float)

    def _wide(self, frame: pd.DataFrame) -> sparse.csr_array:
        """(n, columns): all effects, the operations, and all effects within each operation. A row has entries in the
        columns of its own operation only; an operation that training did not have has none."""
        assert self.columns is not None and self.kinds is not None  # noqa: S101
        base = (self.columns.transform(frame) - self.centre) / self.scale
        kinds = self.kinds.transform(frame[[self.crossed]])
        found, n = kinds.argmax(axis=1), base.shape[1]
        mine = found[:, None] * n + np.arange(n)
        rows = np.repeat(np.arange(len(frame)), n)
        known = kinds.sum(axis=1)[:, None]
        shape = (len(frame), kinds.shape[1] * n)
        within = sparse.csr_array(((WITHIN * known * base).ravel(), (rows, mine.ravel())), shape=shape)
        return sparse.csr_array(sparse.hstack([base, LEVEL * kinds, within], format="csr"))
