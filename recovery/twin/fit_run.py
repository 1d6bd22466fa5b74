"""Offline only: a training of the risk model in steps that a job can stop between, judged on unseen patients.

Patients are dealt into folds by a seeded shuffle and never split. What a site or a later time holds back is never
fitted to: the finished model is judged on it once.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recovery.twin.evaluate_hazard import DAYS, judged, risks
from recovery.twin.fit_hazard import JUDGED, fit, penalties
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.governance import judge, subgroups
from recovery.twin.survival import Floats, HazardModel

FOLDS = 5
HORIZON_H = 168.0
OUTCOME = "complication"
Rows = NDArray[np.bool_]


def fold_of(patients: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(n,) the fold of each row: patients in a seeded order, dealt out in turn."""
    people = np.unique(patients)
    dealt = np.random.default_rng(seed).permutation(len(people)) % FOLDS
    return dealt[np.searchsorted(people, patients)]


def counts(data: Landmarks) -> tuple[int, int]:
    """Patients with a first complication after their first landmark, and patients without one."""
    ill = np.unique(data.patient[np.isfinite(data.event_h[OUTCOME]) & (data.event_h[OUTCOME] > data.hours)])
    return len(ill), len(np.unique(data.patient)) - len(ill)


def fold_predictions(data: Landmarks, fold: int, seed: int) -> tuple[Rows, Floats]:
    """Rows of one fold, and their risks by a model that saw none of their patients."""
    held = fold_of(data.patient, seed) == fold
    model = fit(data.take(~held), "fold", {}, JUDGED)
    return held, risks(model, data.take(held))


def finished(data: Landmarks, *, version: str, evidence: str, described: dict[str, Any]) -> HazardModel:
    """The model of all rows given, its `training` saying on what."""
    counted = {"patients": len(np.unique(data.patient)), "landmarks": len(data.hours)}
    training = counted | penalties() | described
    return replace(fit(data, version, training), evidence=evidence)


def figures(data: Landmarks, predicted: Floats, seed: int) -> dict[str, Any]:
    """What unseen patients say: by day as `evaluate_hazard`, all days together, and by sex and age."""
    free = np.isfinite(predicted) & (data.event_h[OUTCOME] > data.hours) & (data.end_h > data.hours)
    free &= np.isin(data.hours, 24.0 * np.array(DAYS))
    rows = data.take(free)
    happened = rows.event_h[OUTCOME] - rows.hours <= HORIZON_H
    overall = judge(predicted[free], happened, rows.patient, seed)
    by = {
        "sex": subgroups(predicted[free], happened, rows.patient, sex_words(rows.columns(["male"])[:, 0]), seed),
        "age": subgroups(predicted[free], happened, rows.patient, age_bands(rows.columns(["age_decades"])[:, 0]), seed),
    }
    return {
        "outcome": "first complication diagnosed within 7 days",
        "all": asdict(overall) if overall else None,
        "days": {str(day): judged(data, np.nan_to_num(predicted), day, seed) for day in DAYS if _any(data, day)},
        "subgroups": {
            name: {group: asdict(one) if one else None for group, one in found.items()} for name, found in by.items()
        },
    }


def _any(data: Landmarks, day: int) -> bool:
    free = (data.hours == 24.0 * day) & (data.event_h[OUTCOME] > data.hours) & (data.end_h > data.hours)
    return bool(free.sum() >= FOLDS)


def sex_words(male: Floats) -> NDArray[np.str_]:
    """Of the input `male`: 1, 0 or nan."""
    return np.where(np.isnan(male), "not known", np.where(male > 0.5, "male", "not male"))


def age_bands(decades: Floats) -> NDArray[np.str_]:
    years = 10.0 * decades
    bands = np.where(years < 65, "under 65", np.where(years < 80, "65 to 79", "80 and over"))
    return np.where(np.isnan(years), "not known", bands)
