"""Two ways to be diagnosed soon: what has begun already, and what is yet to begin.

    P(diagnosis within h) = 1 - (1 - F(h)) (1 - s g(h)),    g(h) = 1 - exp(-h / lag)

s is the suspicion: the calibrated probability, by the readings of the last three days, that a complication is under way
(`hypotheses`); g the share of such that is diagnosed within h, with `DIAGNOSED_AFTER_H` as lag. F is the hazard of the
operation and the history alone, less what of it has begun by now (`survival.begun_later`). The readings enter once,
through s. Of a named complication s is its share of the posterior of all complications.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.incidence import NAMED
from recovery.twin.survival import DIAGNOSED_AFTER_H, Floats, Prediction
from recovery.twin.suspicion import Suspicion


def shares(suspected: Suspicion | None) -> Mapping[str, float]:
    """Outcome -> probability that it is under way now; empty where no hypothesis was weighed."""
    if suspected is None or suspected.probability is None:
        return {}
    total = sum(suspected.complications.values())
    named = {name: suspected.complications.get(name, 0.0) / total if total > 0 else 0.0 for name in NAMED}
    return {"complication": suspected.probability} | {n: suspected.probability * part for n, part in named.items()}


def with_what_is_under_way(yet: Prediction, share: ArrayLike, horizons: Sequence[int]) -> Prediction:
    """`yet`: the prediction of what is yet to begin (..., horizons); share (...,) of being under way. The interval is
    that of the hazard; the share is taken as it is. Contributions stay those of the hazard."""
    probability, low, high = (joined(one, share, horizons) for one in yet[:3])
    return Prediction(probability, low, high, yet.contributions)


def joined(yet: Floats, share: ArrayLike, horizons: Sequence[int]) -> Floats:
    """(..., horizons) probabilities of either: `yet` of what is yet to begin, `share` (...,) of being under way."""
    told = np.asarray(share, float)[..., None] * diagnosed_within(horizons)
    return np.asarray(1.0 - (1.0 - yet) * (1.0 - told))


def diagnosed_within(horizons: Sequence[int]) -> Floats:
    """(horizons,) share of what is under way now that is diagnosed by then."""
    return np.asarray(-np.expm1(-np.array(horizons, float) / DIAGNOSED_AFTER_H))
