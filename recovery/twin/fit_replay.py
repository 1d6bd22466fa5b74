"""Offline only: replays a cohort through the real twin in order of arrival, and asks it at landmark hours.

At each landmark only the samples that had arrived by then are folded in, so nothing is known before its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recovery.twin.fit_cohort import Case
from recovery.twin.fold import Request, fold_many, load
from recovery.twin.measurement import Samples
from recovery.twin.params import PopulationParams
from recovery.twin.state import TwinState, rewind_hour

BATCH = 300
"""Patients folded in one passage: large enough for numpy, small enough for memory."""

States = list[TwinState | None]


def replay(
    cases: Sequence[Case], params: PopulationParams, landmarks: Sequence[float]
) -> Iterator[tuple[float, States]]:
    """(landmark hour, one state per case) for rising landmark hours; None for a patient without samples so
    far.

    A patient who has died is no longer folded: the state stays that of the last landmark alive.
    """
    states: States = [None] * len(cases)
    before = -np.inf
    for landmark in landmarks:
        for start in range(0, len(cases), BATCH):
            states[start : start + BATCH] = _advanced(
                cases[start : start + BATCH], states[start : start + BATCH], params, before, landmark
            )
        before = landmark
        yield landmark, list(states)


def _advanced(
    cases: Sequence[Case], states: States, params: PopulationParams, before: float, landmark: float
) -> States:
    requests = {
        i: request
        for i, (case, state) in enumerate(zip(cases, states, strict=True))
        if (request := _request(case, state, before, landmark)) is not None
    }
    folded = iter(fold_many(list(requests.values()), params))
    return [next(folded).state if i in requests else state for i, state in enumerate(states)]


def _request(case: Case, state: TwinState | None, before: float, landmark: float) -> Request | None:
    """What is new since the last landmark decides how far the twin rewinds."""
    if case.died_h is not None and case.died_h <= landmark:
        return None
    dirty = min((_dirty_from(case, key, before, landmark) for key in case.samples), default=np.inf)
    if not np.isfinite(dirty) and state is None:
        return None
    start = rewind_hour(state, min(dirty, landmark))
    return Request(state, case.profile, load(_known(case, landmark), landmark, start), min(dirty, landmark))


def _dirty_from(case: Case, key: str, before: float, landmark: float) -> float:
    new = (case.arrived[key] > before) & (case.arrived[key] <= landmark)
    return float(case.samples[key].hours[new].min()) if new.any() else float(np.inf)


def _known(case: Case, landmark: float) -> dict[str, Samples]:
    return {key: samples.take(case.arrived[key] <= landmark) for key, samples in case.samples.items()}
