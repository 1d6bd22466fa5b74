"""Offline only: penalised Poisson regression with an exposure, the pooled form of a proportional-hazards
model.

Rows are (patient, landmark, lead bin) with y events over a baseline cumulative hazard E: log E[y] = log E +
x . beta. With a piecewise-constant hazard this has the likelihood of the Cox model with the baseline known
(Whitehead 1980, Appl Stat 29:268), here ridge-penalised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recovery.twin.survival import Floats

STEPS = 60
TOLERANCE = 1e-9


class Fitted(NamedTuple):
    """Coefficients (p,) and their cluster-robust covariance (p, p)."""

    beta: Floats
    covariance: Floats


def fit_poisson(
    x: Floats,
    y: Floats,
    exposure: Floats,
    penalty: Floats,
    cluster: NDArray[np.int64],
    doubt: Floats | None = None,
) -> Fitted:
    """Newton's method on the log likelihood less penalty . beta^2 / 2; x (n, p), y and exposure (n,),
    penalty (p,).

    Covariance: sandwich A^-1 B A^-1 with A the penalised information and B the scores summed within a
    cluster, so that the overlapping landmarks of one patient do not count as independent patients. `doubt` (p,): the
    precision of what the penalty draws to, where that is itself uncertain (a published effect); it is added to B, so
    that a coefficient of which the data say nothing is as uncertain as its prior.
    """
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        gradient, information = _slope(x, y, exposure, penalty, beta)
        step = np.linalg.solve(information, gradient)
        beta = beta + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < TOLERANCE:
            break
    _, information = _slope(x, y, exposure, penalty, beta)
    doubts = np.diag(np.zeros(len(beta)) if doubt is None else doubt)
    return Fitted(beta, _sandwich(x, y - exposure * np.exp(x @ beta), cluster, information, doubts))


def _slope(x: Floats, y: Floats, exposure: Floats, penalty: Floats, beta: Floats) -> tuple[Floats, Floats]:
    mean = exposure * np.exp(x @ beta)
    gradient: Floats = x.T @ (y - mean) - penalty * beta
    information: Floats = (x * mean[:, None]).T @ x + np.diag(penalty)
    return gradient, information


def _sandwich(x: Floats, residual: Floats, cluster: NDArray[np.int64], information: Floats, doubts: Floats) -> Floats:
    scores = np.zeros((int(cluster.max()) + 1, x.shape[1]))
    np.add.at(scores, cluster, x * residual[:, None])
    bread = np.linalg.inv(information)
    covariance: Floats = bread @ (scores.T @ scores + doubts) @ bread
    return (covariance + covariance.T) / 2
