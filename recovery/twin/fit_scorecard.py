"""Offline only: how well given parameters predict patients they were not fitted to, one step ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recovery.twin.fit_cohort import Case
from recovery.twin.fold import Request, fold_many, load
from recovery.twin.params import PopulationParams

UNTIL_H = 720.0


def scorecards(cases: Sequence[Case], params: PopulationParams, until: float = UNTIL_H) -> dict[str, list[float]]:
    """metric -> the sums of `scorecard.Card` over these patients, each measurement judged before it is learned from."""
    known = [params.by_metric.keys() & case.samples.keys() for case in cases]
    requests = [
        Request(None, case.profile, load({key: case.samples[key] for key in keys}, until))
        for case, keys in zip(cases, known, strict=True)
        if keys
    ]
    found: dict[str, list[float]] = {}
    for fold in fold_many(requests, params) if requests else ():
        for key, held in fold.state.metrics.items():
            found[key] = (np.array(found.get(key, [0.0] * 5)) + held.memory.card.as_array()).tolist()
    return found
