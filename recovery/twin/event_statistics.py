"""Intervals, numbers at risk and comparisons of time-to-event curves.

Variance of a cumulative incidence in the presence of competing events: Marubini and Valsecchi, Analysing Survival Data
from Clinical Trials and Observational Studies (1995), chapter 10; with one cause it is Greenwood's. Intervals are on
the complementary log-log scale (Kalbfleisch and Prentice 1980), so they stay between 0 and 1. Groups are compared by
the log-rank test (Mantel 1966; k groups: Peto and Peto 1972) on the cause-specific hazards: whoever had a rival event
first is censored there, and what shows the result must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from recovery.twin.event_curves import Floats, checked, event_counts

Z95 = 1.959963984540054


@dataclass(frozen=True)
class IncidenceCurve:
    """A step function with its 95 % interval: at each of `times` (rising, the first is 0) it takes these values."""

    times: Floats
    middle: Floats
    low: Floats
    high: Floats

    def at(self, time: float) -> tuple[float, float, float]:
        """(middle, low, high) at a time not before 0."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        return float(self.middle[place]), float(self.low[place]), float(self.high[place])


@dataclass(frozen=True, slots=True)
class LogRank:
    """chi2 with `groups` - 1 degrees of freedom, and its probability were all hazards equal."""

    statistic: float
    groups: int
    p: float


def incidence_curve(durations: ArrayLike, causes: ArrayLike) -> IncidenceCurve:
    """Aalen-Johansen incidence of cause 1; other causes (2, 3, ...) compete, 0 is censored. (n,) each."""
    t, cause = checked(durations, causes)
    times, at_risk, counts = event_counts(t, cause)
    own, every = counts[:, 0], counts.sum(axis=1)
    free_before = np.concatenate([[1.0], np.cumprod(1.0 - every / at_risk)[:-1]]) if len(times) else np.empty(0)
    middle = np.cumsum(free_before * own / at_risk)
    variance = _variance(middle, free_before, at_risk, own, every)
    low, high = _interval(middle, variance)
    return IncidenceCurve(*(np.concatenate([[0.0], part]) for part in (times, middle, low, high)))


def numbers_at_risk(durations: ArrayLike, times: ArrayLike) -> tuple[int, ...]:
    """How many are still followed and free of every event just before each time."""
    t = np.sort(np.asarray(durations, float))
    return tuple(int(len(t) - place) for place in np.searchsorted(t, np.asarray(times, float), side="left"))


def log_rank(durations: Sequence[ArrayLike], happened: Sequence[ArrayLike]) -> LogRank | None:
    """Of k groups; None with fewer than two groups or where nothing happened: then there is nothing to compare."""
    sizes = [len(np.asarray(one)) for one in durations]
    if len(sizes) < 2 or min(sizes) == 0:
        return None
    t, event = checked(np.concatenate([*durations]), np.concatenate([*happened]))
    group = np.repeat(np.arange(len(sizes)), sizes)
    times = np.unique(t[event > 0])
    if not len(times):
        return None
    risk = np.stack([_still(t[group == k], times) for k in range(len(sizes))], axis=-1)
    seen = np.stack([_happened(t[(group == k) & (event > 0)], times) for k in range(len(sizes))], axis=-1)
    return _compared(risk, seen)


def _compared(risk: Floats, seen: Floats) -> LogRank | None:
    """risk, seen: (times, groups) at risk just before, and events at, each time."""
    n, d = risk.sum(axis=1), seen.sum(axis=1)
    share = risk / n[:, None]
    excess = (seen - d[:, None] * share).sum(axis=0)[:-1]
    spread = np.divide(d * (n - d), n - 1.0, out=np.zeros_like(n), where=n > 1.0)
    covariance = np.diag((spread[:, None] * share).sum(axis=0)) - np.einsum("t,ti,tj->ij", spread, share, share)
    part = covariance[:-1, :-1]
    if np.linalg.matrix_rank(part) < len(part):
        return None
    statistic = float(excess @ np.linalg.solve(part, excess))
    return LogRank(statistic, risk.shape[1], float(chi2.sf(statistic, risk.shape[1] - 1)))


def _still(t: Floats, times: Floats) -> Floats:
    return (len(t) - np.searchsorted(np.sort(t), times, side="left")).astype(float)


def _happened(t: Floats, times: Floats) -> Floats:
    found, counts = np.unique(t, return_counts=True)
    out = np.zeros(len(times))
    out[np.searchsorted(times, found)] = counts
    return out


def _variance(middle: Floats, free_before: Floats, at_risk: Floats, own: Floats, every: Floats) -> Floats:
    """(k,) at each event time; nothing where all at risk had the event at once (the interval is then not known)."""
    left = at_risk - every
    first = np.divide(every, at_risk * left, out=np.zeros_like(middle), where=left > 0)
    second = free_before**2 * own * (at_risk - own) / at_risk**3
    third = free_before * own / at_risk**2
    rise = np.maximum(middle[:, None] - middle[None, :], 0.0)
    until = np.tri(len(middle))
    terms = rise**2 * first[None, :] + second[None, :] - 2.0 * rise * third[None, :]
    return np.asarray((terms * until).sum(axis=1))


def _interval(middle: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """low, high: 1 - (1 - F) ** exp(-+ z se / ((1 - F) log(1 - F)))."""
    inside = (middle > 0.0) & (middle < 1.0)
    free = np.where(inside, 1.0 - middle, 0.5)
    shift = Z95 * np.sqrt(np.maximum(variance, 0.0)) / (free * -np.log(free))
    low, high = (1.0 - free ** np.exp(sign * shift) for sign in (-1.0, 1.0))
    return np.where(inside, low, middle), np.where(inside, high, middle)
