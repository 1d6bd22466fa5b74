"""Offline only: the published days of onset, drawn towards the days on which a cohort was diagnosed.

Per outcome and kind of operation the log-normal's mean and variance are those of the published law and the cohort's
log days taken together, the published law counting as `PUBLISHED_WEIGHT` diagnoses (a normal with a conjugate prior).
A cohort that saw no such diagnosis leaves the published law as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.incidence import NAMED, NOT_ON_THE_INDEX_LIST
from recovery.twin.survival import Baseline, Floats

PUBLISHED_WEIGHT = 10.0
Rows = Mapping[str, Mapping[str, Baseline]]


def drawn_to(data: Landmarks, published: Rows) -> Rows:
    """The baselines with the named outcomes' days of onset as the cohort tells them; any complication is their
    mixture, with the published weights."""
    days = {name: log_days(data, name) for name in NAMED}
    rows = {name: {c: _drawn(one, days[name]) for c, one in published.get(name, {}).items()} for name in NAMED}
    mixed = {c: _mixture(one, c, rows) for c, one in published.get("complication", {}).items()}
    return MappingProxyType(
        {name: MappingProxyType(row) for name, row in {**published, **rows, "complication": mixed}.items()}
    )


def log_days(data: Landmarks, outcome: str) -> Floats:
    """Log day of each patient's first diagnosis of `outcome`."""
    _, first = np.unique(data.patient, return_index=True)
    hours = data.event_h[outcome][first]
    return np.log(hours[np.isfinite(hours) & (hours > 0)] / 24.0)


def _drawn(baseline: Baseline, log_days: Floats) -> Baseline:
    if not len(log_days) or len(baseline.onsets) != 1:
        return baseline
    ((weight, mu, sigma),) = baseline.onsets
    total = PUBLISHED_WEIGHT + len(log_days)
    mean = (PUBLISHED_WEIGHT * mu + log_days.sum()) / total
    spread = PUBLISHED_WEIGHT * (sigma**2 + (mu - mean) ** 2) + ((log_days - mean) ** 2).sum()
    source = f"{baseline.source}, drawn towards {len(log_days)} diagnoses of the training cohort"
    return replace(baseline, onsets=((weight, float(mean), float(np.sqrt(spread / total))),), source=source)


def _mixture(baseline: Baseline, procedure_class: str, rows: Rows) -> Baseline:
    """The published weights stand in the order of NAMED, without what the index list does not count."""
    parts = [rows[n][procedure_class] for n in NAMED if n not in NOT_ON_THE_INDEX_LIST and procedure_class in rows[n]]
    if len(parts) != len(baseline.onsets):
        return baseline
    pairs = zip(baseline.onsets, parts, strict=True)
    return replace(baseline, onsets=tuple((weight, *part.onsets[0][1:]) for (weight, _, _), part in pairs))
