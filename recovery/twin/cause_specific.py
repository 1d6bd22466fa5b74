"""Cause-specific proportional hazards as plain numbers, and the cumulative incidence that follows from them.

    h_k(t | x) = h0_k(t; stratum) exp(b_k . x),   F_k(t) = sum over steps of S(t-) (1 - exp(-dH)) dH_k / dH

Every cause has its own coefficients; causes compete, so that the incidences and the share free of any event add up to
one. A stratum (a landmark day) has its own baseline. Fitted by `fit_survival` with lifelines; served with numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.errors import MalformedState, OutsideDomain
from recovery.twin.linear import Columns, Floats, LinearModel
from recovery.twin.linear import from_plain as linear_from_plain
from recovery.twin.survival import cumulative_incidence as shared_incidence

FORMAT = 1
WHOLE = "all"
"""The stratum of a model without strata."""


@dataclass(frozen=True)
class Baseline:
    """Cumulative hazard after each event time, for a patient whose linear predictor is zero."""

    times: tuple[float, ...]
    cumulative: tuple[float, ...]


@dataclass(frozen=True)
class CauseSpecificModel:
    """Per cause a linear predictor of the log hazard ratio and, per stratum, a baseline. `horizon` is the end of
    follow-up in the unit of the durations; nothing is said beyond it."""

    hazards: Mapping[str, LinearModel]
    baselines: Mapping[str, Mapping[str, Baseline]]
    horizon: float
    training: Mapping[str, Any]

    def to_plain(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "horizon": self.horizon,
            "training": dict(self.training),
            "hazards": {cause: model.to_plain() for cause, model in self.hazards.items()},
            "baselines": {
                cause: {s: {"times": list(b.times), "cumulative": list(b.cumulative)} for s, b in rows.items()}
                for cause, rows in self.baselines.items()
            },
        }


def from_plain(plain: Mapping[str, Any]) -> CauseSpecificModel:
    """Inverse of `to_plain`, also through JSON; raises MalformedState on anything else."""
    try:
        if plain["format"] != FORMAT:
            raise MalformedState(f"stored cause-specific model has format {plain['format']!r}, not {FORMAT}")
        return CauseSpecificModel(
            {cause: linear_from_plain(row) for cause, row in plain["hazards"].items()},
            {
                cause: {s: Baseline(tuple(b["times"]), tuple(b["cumulative"])) for s, b in rows.items()}
                for cause, rows in plain["baselines"].items()
            },
            float(plain["horizon"]),
            dict(plain["training"]),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise MalformedState(f"stored cause-specific model cannot be read: {problem}") from problem


def cumulative_incidence(
    model: CauseSpecificModel, columns: Columns, times: ArrayLike, stratum: str = WHOLE
) -> Mapping[str, Floats]:
    """Cause -> (n, len(times)) probability of that event first, by each time. Raises OutsideDomain beyond the
    follow-up and for a stratum that was not fitted."""
    asked = np.asarray(times, float)
    if (asked > model.horizon).any():
        raise OutsideDomain(f"followed for {model.horizon:g}, asked for {asked.max():g}")
    grid, steps = _steps(model, stratum)
    ratios = np.stack([np.exp(model.hazards[cause].linear(columns)) for cause in model.hazards], axis=-1)
    found = shared_incidence(ratios[:, :, None] * steps)
    padded = np.concatenate([np.zeros((*found.shape[:2], 1)), found], axis=-1)
    at = np.searchsorted(grid, asked, side="right")
    return {cause: padded[:, k, at] for k, cause in enumerate(model.hazards)}


def survival(model: CauseSpecificModel, columns: Columns, times: ArrayLike, stratum: str = WHOLE) -> Floats:
    """(n, len(times)) probability to be free of every cause."""
    found = np.stack(list(cumulative_incidence(model, columns, times, stratum).values()))
    return np.asarray(1.0 - found.sum(axis=0))


def _steps(model: CauseSpecificModel, stratum: str) -> tuple[Floats, Floats]:
    """All event times of the stratum (g,) and the baseline's increments there (causes, g)."""
    rows = [model.baselines[cause].get(stratum) for cause in model.hazards]
    if any(row is None for row in rows):
        raise OutsideDomain(f"no baseline was fitted for stratum {stratum!r}")
    known = [row for row in rows if row is not None]
    grid = np.unique(np.concatenate([np.array(row.times) for row in known]))
    steps = np.zeros((len(known), len(grid)))
    for k, row in enumerate(known):
        steps[k, np.searchsorted(grid, row.times)] = np.diff(row.cumulative, prepend=0.0)
    return grid, steps
