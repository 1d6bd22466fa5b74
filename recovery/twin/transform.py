"""Invertible scales on which a metric's recovery is linear and its noise roughly Gaussian."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transform:
    """One of three strictly rising maps from the natural scale x to the model scale y.

    identity: y = x.   log: y = ln(x - low).   logit: y = ln((x - low) / (high - x)).
    `low` and `high` lie just outside the instrument's scale (half a display step), so that every plausible
    reading, the end points included, has a finite y. A value on or beyond a limit maps to nan, never to inf.
    """

    kind: Literal["identity", "log", "logit"]
    low: float = -np.inf
    high: float = np.inf

    def forward(self, x: ArrayLike) -> Floats:
        """y of natural value x, elementwise; nan where x is outside (low, high)."""
        v = np.asarray(x, dtype=float)
        if self.kind == "identity":
            return v.copy()
        inside = np.where((v > self.low) & (v < self.high), v, np.nan)
        if self.kind == "log":
            return np.asarray(np.log(inside - self.low))
        return np.asarray(np.log((inside - self.low) / (self.high - inside)))

    def inverse(self, y: ArrayLike) -> Floats:
        """x of model value y, elementwise; rising in y, so quantiles pass through unchanged."""
        v = np.asarray(y, dtype=float)
        if self.kind == "identity":
            return v.copy()
        if self.kind == "log":
            return np.asarray(self.low + np.exp(v))
        return np.asarray(self.low + (self.high - self.low) / (1.0 + np.exp(-v)))

    def slope(self, x: ArrayLike) -> Floats:
        """dy/dx at x: carries a small natural standard deviation to the model scale (delta method)."""
        v = np.asarray(x, dtype=float)
        if self.kind == "identity":
            return np.ones_like(v)
        if self.kind == "log":
            return np.asarray(1.0 / (v - self.low))
        return np.asarray((self.high - self.low) / ((v - self.low) * (self.high - v)))

    def to_plain(self) -> dict[str, Any]:
        return {"kind": self.kind, "low": _finite(self.low), "high": _finite(self.high)}


def _finite(limit: float) -> float | None:
    return float(limit) if np.isfinite(limit) else None
