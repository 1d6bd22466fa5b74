"""Offline only: the risk as it is served, hazards and suspicion together, on patients that neither has seen.

Per fold of patients both models are fitted on the others; at fixed days the risk of a first complication within seven
days is what has begun and what is yet to begin (`under_way`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recovery.twin.evaluate_backtest_folds import Harvest, fitted, fitted_hypotheses, fold_of, looks_for
from recovery.twin.evaluate_hazard import DAYS, HORIZON_H, judged
from recovery.twin.fit_hypotheses import suspicion
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.hypotheses import HypothesisModel
from recovery.twin.survival import Floats, HazardModel, predict
from recovery.twin.under_way import with_what_is_under_way

OUTCOME = "complication"
FOLDS = 5


def cross_validated(found: Harvest, twin_version: str, seed: int, folds: int = FOLDS) -> dict[str, Any]:
    """By day as `evaluate_hazard.cross_validate`."""
    hazards = fitted(found, folds, {})
    predicted = served_risks(found, hazards, fitted_hypotheses(found, hazards, twin_version, {}))
    return {
        "outcome": "first complication diagnosed within 7 days",
        "folds": folds,
        "judged": "as served: hazards and suspicion, each fitted on the other patients",
        "days": {str(day): judged(found.landmarks, predicted, day, seed) for day in DAYS},
    }


def served_risks(found: Harvest, hazards: Sequence[HazardModel], weighing: Sequence[HypothesisModel]) -> Floats:
    """(n,) risk at each landmark of the days, by the models of the patient's fold; nan at other hours."""
    marks, folds = found.landmarks, len(hazards)
    of_patient = np.array([fold_of(patient, folds) for patient in found.patients])
    asked = np.isin(marks.hours, 24.0 * np.array(DAYS))
    risks = np.full(len(marks.hours), np.nan)
    for fold, (model, hypotheses) in enumerate(zip(hazards, weighing, strict=True)):
        share = _shares(found, of_patient == fold, model, hypotheses)
        rows = np.flatnonzero(asked & (of_patient[marks.patient] == fold))
        risks[rows] = _risks(model, marks, rows, share)
    return risks


def _shares(
    found: Harvest, patients: NDArray[np.bool_], model: HazardModel, hypotheses: HypothesisModel
) -> dict[tuple[int, float], float]:
    """(patient, hour) -> suspicion at the looks of `patients`."""
    rows = patients[found.looks.patient] & np.isin(found.looks.hour, 24.0 * np.array(DAYS))
    looks = looks_for(found, rows, model)
    told = suspicion(hypotheses, model, looks)
    keys = zip(looks.patient.tolist(), looks.hour.tolist(), strict=True)
    return dict(zip(keys, told.tolist(), strict=True))


def _risks(
    model: HazardModel, marks: Landmarks, rows: NDArray[np.int64], share: dict[tuple[int, float], float]
) -> Floats:
    found = np.full(len(rows), np.nan)
    values = marks.columns([f.key for f in model.features])[rows]
    begun = np.array([share.get((int(marks.patient[row]), float(marks.hours[row])), 0.0) for row in rows])
    for name in np.unique(marks.classes[rows]):
        mine = marks.classes[rows] == name
        at, known = marks.hours[rows][mine], values[mine]
        yet = predict(model, OUTCOME, str(name), at, known, (HORIZON_H,), yet_to_begin=True)
        found[mine] = with_what_is_under_way(yet, begun[mine], (HORIZON_H,)).probability[:, 0]
    return found
