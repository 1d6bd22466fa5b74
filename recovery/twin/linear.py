"""Penalised linear models as plain numbers: how columns become a design row, and the coefficients on it.

    eta = intercept + sum of coefficient * column;  a logistic model says 1 / (1 + exp(-eta)).

A number not known is replaced by its training median and, where training lacked it often enough, marked by a column
of its own; a word seen too seldom in training counts with all such words. Fitted by `fit_linear`; what is served needs
numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from recovery.twin.errors import MalformedState

Floats = NDArray[np.float64]
Columns = Mapping[str, Sequence[Any]]
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric input: signed logarithm if `log`, then (x - mean) / sd, and an indicator of its absence."""

    name: str
    log: bool
    median: float
    mean: float
    sd: float
    may_lack: bool

    def design(self, values: Sequence[Any]) -> Floats:
        x = np.asarray(values, float)
        unknown = ~np.isfinite(x)
        x = np.where(unknown, self.median, x)
        x = signed_log(x) if self.log else x
        z = (x - self.mean) / self.sd
        return np.stack([z, unknown.astype(float)], axis=1) if self.may_lack else z[:, None]

    @property
    def width(self) -> int:
        return 2 if self.may_lack else 1


@dataclass(frozen=True, slots=True)
class Category:
    """An input of words: one column per level seen often enough in training and, if `pooled`, one for all others; the
    reference level, if there is one, has none."""

    name: str
    levels: tuple[str, ...]
    pooled: bool = False
    reference: str | None = None

    def design(self, values: Sequence[Any]) -> Floats:
        at = {level: i for i, level in enumerate(self.levels)}
        rows = np.zeros((len(values), len(self.levels) + 1))
        for row, value in enumerate(values):
            if str(value) != self.reference:
                rows[row, at.get(str(value), len(self.levels))] = 1.0
        return rows[:, : self.width]

    @property
    def width(self) -> int:
        return len(self.levels) + self.pooled


@dataclass(frozen=True)
class LinearModel:
    """kind says what eta is: log odds ("logistic") or log hazard ratio ("hazard"). `training` says on what."""

    kind: Literal["logistic", "hazard"]
    intercept: float
    numbers: tuple[Number, ...]
    categories: tuple[Category, ...]
    coefficients: tuple[float, ...]
    training: Mapping[str, Any]

    def linear(self, columns: Columns) -> Floats:
        """eta (n,) of n patients; `columns` maps each input's name to n values, nan or None where not known."""
        eta: Floats = self.intercept + design(self.numbers, self.categories, columns) @ np.array(self.coefficients)
        return eta

    def probability(self, columns: Columns) -> Floats:
        """(n,) probabilities of a logistic model; raises MalformedState for another kind."""
        if self.kind != "logistic":
            raise MalformedState(f"a {self.kind} model has no probability by itself")
        return np.asarray(1.0 / (1.0 + np.exp(-self.linear(columns))))

    def to_plain(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self), "training": dict(self.training)}


def from_plain(plain: Mapping[str, Any]) -> LinearModel:
    """Inverse of `to_plain`, also through JSON; raises MalformedState on anything else."""
    try:
        if plain["format"] != FORMAT or plain["kind"] not in ("logistic", "hazard"):
            raise MalformedState(f"stored linear model has format {plain['format']!r} and kind {plain['kind']!r}")
        model = LinearModel(
            plain["kind"],
            float(plain["intercept"]),
            tuple(Number(**row) for row in plain["numbers"]),
            tuple(Category(**{**row, "levels": tuple(row["levels"])}) for row in plain["categories"]),
            tuple(map(float, plain["coefficients"])),
            dict(plain["training"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise MalformedState(f"stored linear model cannot be read: {problem}") from problem
    width = sum(n.width for n in model.numbers) + sum(c.width for c in model.categories)
    if width != len(model.coefficients) or not np.isfinite([model.intercept, *model.coefficients]).all():
        raise MalformedState(f"a linear model of {width} columns has {len(model.coefficients)} finite coefficients")
    return model


def design(numbers: Sequence[Number], categories: Sequence[Category], columns: Columns) -> Floats:
    """(n, width) design rows in the order of the coefficients."""
    parts = [number.design(columns[number.name]) for number in numbers]
    parts += [category.design(columns[category.name]) for category in categories]
    return np.concatenate(parts, axis=1)


def signed_log(x: Floats) -> Floats:
    """sign(x) log(1 + |x|): tames laboratory values and doses, keeps zero and base excess."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))
