"""Curves of time to event without a model: Kaplan-Meier and Aalen-Johansen, ties handled exactly.

Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. Aalen OO, Johansen S. Scand J Stat 1978;5:141-150. Where deaths
or discharges compete, one minus Kaplan-Meier overstates; Aalen-Johansen does not (clinical-reference rule 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recovery.twin.errors import MalformedSamples

Floats = NDArray[np.float64]
CENSORED = 0


@dataclass(frozen=True)
class Steps:
    """A right-continuous step function: `start` before the first of `times`, then `values`."""

    times: Floats
    values: Floats
    start: float

    def at(self, hours: ArrayLike) -> Floats:
        return self._read(np.searchsorted(self.times, np.asarray(hours, float), side="right"))

    def just_before(self, hours: ArrayLike) -> Floats:
        return self._read(np.searchsorted(self.times, np.asarray(hours, float), side="left"))

    def _read(self, index: NDArray[np.intp]) -> Floats:
        return np.concatenate([[self.start], self.values])[index]


def kaplan_meier(durations: ArrayLike, happened: ArrayLike) -> Steps:
    """Survival by duration, (n,) each; an event at a time counts before a censoring at that time."""
    t, events = checked(durations, happened)
    times, at_risk, counts = event_counts(t, (events != CENSORED).astype(int))
    share_free = np.cumprod(1.0 - counts[:, 0] / at_risk)
    return Steps(times, np.asarray(share_free, float), 1.0)


def aalen_johansen(durations: ArrayLike, causes: ArrayLike) -> Mapping[int, Steps]:
    """Cumulative incidence of each cause (whole numbers from 1; 0 is censored), in presence of the others."""
    t, cause = checked(durations, causes)
    times, at_risk, counts = event_counts(t, cause)
    hazards = counts / at_risk[:, None]
    free_before = np.concatenate([[1.0], np.cumprod(1.0 - hazards.sum(axis=1))[:-1]])
    rises = np.cumsum(free_before[:, None] * hazards, axis=0)
    return {k + 1: Steps(times, rises[:, k], 0.0) for k in range(counts.shape[1])}


def event_counts(t: Floats, cause: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Distinct event times (k,), at risk just before each (k,), events of each cause (k, causes)."""
    times, index = np.unique(t[cause > 0], return_inverse=True)
    counts = np.zeros((len(times), max(int(cause.max(initial=0)), 1)))
    np.add.at(counts, (index, cause[cause > 0] - 1), 1.0)
    at_risk = len(t) - np.searchsorted(np.sort(t), times, side="left")
    return times, at_risk.astype(float), counts


def checked(durations: ArrayLike, causes: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Both as arrays (n,); raises MalformedSamples where they are not two lists of one length, finite, not negative."""
    t, cause = np.asarray(durations, float), np.asarray(causes).astype(np.int64)
    if t.shape != cause.shape or t.ndim != 1 or not np.isfinite(t).all() or (t < 0).any() or (cause < 0).any():
        raise MalformedSamples("durations and causes are two lists of one length, finite and not negative")
    return t, cause
