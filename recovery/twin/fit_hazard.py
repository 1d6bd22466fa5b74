"""Offline only: fits the effects of the hazard model on a cohort.

    python -m recovery.twin.fit_hazard COHORT --out FILE [--seed 7]

Replays the cohort through the real twin, takes landmarks, and fits log hazard ratios over the published
baseline by penalised Poisson regression (`fit_poisson`): first for any complication, then each other outcome
as a departure from it, since rare outcomes have too few events to stand alone. Patients are never split
across folds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_hazard import cross_validate
from recovery.twin.fit_cohort import data_hash, read_cohort
from recovery.twin.fit_landmarks import Landmarks, collect
from recovery.twin.fit_poisson import Fitted, fit_poisson
from recovery.twin.hazard_store import to_plain
from recovery.twin.incidence import INCIDENCE, OUTCOMES
from recovery.twin.signals import VITALS
from recovery.twin.survival import (
    LEAD_EDGES,
    Effects,
    Feature,
    Floats,
    HazardModel,
    faded,
    hazard_increments,
    lead_weights,
    published_baselines,
)

EVIDENCE = "fitted on a synthetic cohort"
HISTORY = (
    "age_decades",
    "male",
    "bmi",
    "bmi_squared_off_28",
    "asa",
    "diabetes",
    "copd",
    "heart_failure",
    "kidney_disease",
    "atrial_fibrillation",
    "smoker",
    "log_duration",
    "log_blood_loss",
)
OPERATIONS = tuple(f"operation_{name}" for name in INCIDENCE)
"""By these a site departs from the published incidence of its operations; shrunk to it like every effect."""
STATIC = (*HISTORY, *OPERATIONS)
RECENT = (
    *(f"{part}_{metric}" for metric in (*VITALS, "steps") for part in ("z", "surprise")),
    "z_pain",
    "not_worn",
)
LANDMARK_EVERY_H = 24.0
FADE_HOURS = 48.0
"""How fast the news of a reading fades; 36, 48, 120 and 240 h were tried by cross-validation, with little
between."""
RIDGE = 150.0
RIDGE_DEPARTURE = 300.0
"""Penalties on standardised coefficients: for any complication (10, 50, 100, 150 tried by cross-validation),
and for the departures of rarer outcomes from it."""
RIDGE_INTERCEPT = 1.0
"""The level of an outcome is nearly free: it is the first thing a cohort tells."""
WIDEST = (0.005, 0.995)
"""Recent features are held to these quantiles of training."""
SEED = 7


def fit(data: Landmarks, version: str, training: dict[str, Any], outcomes: Sequence[str] = OUTCOMES) -> HazardModel:
    """The model with effects for each outcome that happened at least once; `complication` comes first."""
    features = scaled(data)
    model = HazardModel(version, EVIDENCE, FADE_HOURS, published_baselines(), features, {}, training)
    effects: dict[str, Effects] = {}
    for outcome in outcomes:
        shared = effects.get("complication")
        fitted = _fit_outcome(model, data, outcome, shared)
        if fitted is not None:
            effects[outcome] = fitted
    return replace(model, effects=effects)


def scaled(data: Landmarks) -> tuple[Feature, ...]:
    """Mean, deviation and range of each feature over the landmarks; the range of yes/no features is 0 to 1,
    and one that never varied (an operation the cohort does not hold) has no effect. What nobody was ever known by is
    no input of the model."""
    found = []
    for key in (*STATIC, *RECENT):
        column = data.columns([key])[:, 0]
        column = column[np.isfinite(column)]
        if not len(column):
            continue
        kind: Any = "static" if key in STATIC else "recent"
        low, high = _range(key, column)
        sd = float(column.std()) or 1.0
        found.append(Feature(key, kind, float(column.mean()), sd, float(low), float(high)))
    return tuple(found)


def _range(key: str, column: Floats) -> tuple[float, float]:
    if key in RECENT:
        low, high = np.quantile(column, WIDEST)
        return float(low), float(high)
    if set(np.unique(column)) <= {0.0, 1.0}:
        return 0.0, 1.0
    return float(column.min()), float(column.max())


def exposures(model: HazardModel, data: Landmarks, outcome: str) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Rows at risk (n,), and for those the baseline hazard at risk and the events of each lead bin (rows,
    bins)."""
    at_risk = (data.event_h[outcome] > data.hours) & (data.end_h > data.hours)
    at_risk &= np.array([model.baseline(outcome, c) is not None for c in data.classes])
    hours, classes = data.hours[at_risk], data.classes[at_risk]
    steps = np.zeros((at_risk.sum(), len(LEAD_EDGES) - 1))
    for name in np.unique(classes):
        rows = classes == name
        plain = replace(model, features=(), effects={})
        steps[rows] = hazard_increments(plain, outcome, str(name), hours[rows], np.ones((int(rows.sum()), 1, 1)))
    start, stop = (hours[:, None] + np.array(edges) for edges in (LEAD_EDGES[:-1], LEAD_EDGES[1:]))
    last = np.minimum(data.event_h[outcome][at_risk], data.end_h[at_risk])[:, None]
    share = np.clip((last - start) / (stop - start), 0.0, 1.0)
    happened = data.event_h[outcome][at_risk][:, None]
    events = (happened > start) & (happened <= stop) & (happened <= data.end_h[at_risk][:, None])
    return at_risk, steps * share, events.astype(float)


def _fit_outcome(model: HazardModel, data: Landmarks, outcome: str, shared: Effects | None) -> Effects | None:
    at_risk, exposure, events = exposures(model, data, outcome)
    if not events.any():
        return None
    keys = [f.key for f in model.features]
    z = model.standardise(data.take(at_risk).columns(keys))
    design = faded(model.features, z, lead_weights(model.fade_hours))
    followed = exposure > 0
    common = _in_common(model)
    known = np.zeros(design.shape[-1]) if shared is None else np.array(shared.coefficients) * common
    x = design[followed]
    penalty = np.full(x.shape[1], RIDGE if shared is None else RIDGE_DEPARTURE)
    penalty[0] = RIDGE_INTERCEPT
    cluster = np.broadcast_to(data.patient[at_risk][:, None], followed.shape)[followed]
    fitted = fit_poisson(x, events[followed], exposure[followed] * np.exp(x @ known), penalty, cluster)
    patients = len(np.unique(data.patient[at_risk][events.any(axis=1)]))
    return _effects(fitted, known, shared, common, patients)


def _in_common(model: HazardModel) -> Floats:
    """(1 + p,) 1 for what an outcome takes over from any complication: what makes a patient ill. How often
    an outcome occurs here, in all and after each operation, is its own."""
    own = [False, *(feature.key not in OPERATIONS for feature in model.features)]
    return np.array(own, float)


def _effects(fitted: Fitted, known: Floats, shared: Effects | None, common: Floats, events: int) -> Effects:
    """Coefficients of the outcome; a departure carries its own uncertainty plus that of what it departs
    from."""
    covariance = fitted.covariance
    if shared is not None:
        covariance = covariance + np.array(shared.covariance) * np.outer(common, common)
    return Effects(tuple((known + fitted.beta).tolist()), tuple(map(tuple, covariance.tolist())), events)


def rounded(plain: Any, digits: int = 6) -> Any:
    """Six significant figures are enough for a fitted number, and keep the file readable."""
    if isinstance(plain, float):
        return float(f"{plain:.{digits}g}")
    if isinstance(plain, dict):
        return {key: rounded(value, digits) for key, value in plain.items()}
    return [rounded(value, digits) for value in plain] if isinstance(plain, list | tuple) else plain


def train(folder: Path, seed: int = SEED) -> HazardModel:
    """Reads, replays, cross-validates and fits; the model's `training` says on what and how well."""
    cases = read_cohort(folder)
    params = cold_start()
    hours = np.arange(LANDMARK_EVERY_H, 720.0, LANDMARK_EVERY_H)
    data = collect(cases, params, [float(hour) for hour in hours])
    training = {
        "description": f"{EVIDENCE}: simulated operations, not evidence about patients",
        "synthetic": True,
        "cohort": folder.name,
        "data_sha256": data_hash(folder),
        "patients": len(cases),
        "landmarks": int(len(data.hours)),
        "landmark_every_h": LANDMARK_EVERY_H,
        "twin_version": params.version,
        "seed": seed,
        "ridge": RIDGE,
        "ridge_departure": RIDGE_DEPARTURE,
        "ridge_intercept": RIDGE_INTERCEPT,
    }
    checked = cross_validate(data, lambda part: fit(part, "fold", {}, ("complication",)), seed)
    return fit(data, "hazard-1", training | {"cross_validation": checked})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("cohort", type=Path, help="folder of a FHIR Bulk export (NDJSON)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the folds")
    asked = parser.parse_args(arguments)
    model = train(asked.cohort, asked.seed)
    asked.out.write_text(json.dumps(rounded(to_plain(model)), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(model.training["cross_validation"], indent=1) + "\n")


if __name__ == "__main__":
    main()
