"""Offline only: fits the effects of the hazard model on a cohort.

    python -m recovery.twin.fit_hazard COHORT --out FILE [--seed 7]

Replays the cohort through the real twin, takes landmarks, and fits log hazard ratios over the published
baseline by penalised Poisson regression (`fit_poisson`): first for any complication, then each other outcome
as a departure, since rare outcomes have too few events to stand alone: of the history from what is published of the
outcome (`published_effects`), where something is, else and of the readings from any complication. What does not change
(operation, history) is fitted on the first landmark of each patient, so that an event counts once however late it is;
what readings add, on all landmarks, over that. Patients are never split across folds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recovery.twin.cold_start import cold_start
from recovery.twin.evaluate_hazard import cross_validate
from recovery.twin.fit_cohort import data_hash, read_cohort
from recovery.twin.fit_landmarks import Landmarks, collect
from recovery.twin.fit_onsets import drawn_to
from recovery.twin.fit_poisson import Fitted, fit_poisson
from recovery.twin.hazard_store import to_plain
from recovery.twin.incidence import INCIDENCE, NAMED, OUTCOMES
from recovery.twin.published_effects import log_effects
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
"""Penalties on standardised coefficients of recent features, whose events count at every landmark: for any complication
(10, 50, 100, 150 tried by cross-validation), and for the departures of rarer outcomes from it."""
RIDGE_STATIC = 10.0
RIDGE_STATIC_DEPARTURE = 20.0
"""The same for static features, whose events count once: a prior deviation of 0.32 and 0.22 of a log hazard ratio
(5, 10, 20 and 10, 20 tried by cross-validation, with little between)."""
RIDGE_PUBLISHED = 40.0
"""Penalty on the departure from published effects: a prior deviation of 0.16 of a log hazard ratio for a standard
deviation of the input (20, 40, 80 tried by cross-validation: each better than departing from any complication, the
more so the larger; the middle one leaves a site room to differ)."""
RIDGE_INTERCEPT = 1.0
"""The level of an outcome is nearly free: it is the first thing a cohort tells."""
WIDEST = (0.005, 0.995)
"""Recent features are held to these quantiles of training."""
SEED = 7
JUDGED = ("complication", *NAMED)
"""Outcomes that the risk of any complication is made of."""


def fit(data: Landmarks, version: str, training: dict[str, Any], outcomes: Sequence[str] = OUTCOMES) -> HazardModel:
    """The model with effects for each outcome that happened at least once; `complication` comes first. Where every
    first complication is a named one, and these were asked for, any complication is their sum."""
    features, baselines = scaled(data), drawn_to(data, published_baselines())
    summed = set(NAMED) <= set(outcomes) and all_are_named(data)
    model = HazardModel(version, EVIDENCE, FADE_HOURS, baselines, features, {}, training, summed)
    effects: dict[str, Effects] = {}
    for outcome in outcomes:
        shared = effects.get("complication")
        fitted = _fit_outcome(model, data, outcome, shared)
        if fitted is not None:
            effects[outcome] = fitted
    return replace(model, effects=effects)


def penalties() -> dict[str, float]:
    """For the description of a training."""
    return {
        "ridge": RIDGE,
        "ridge_departure": RIDGE_DEPARTURE,
        "ridge_static": RIDGE_STATIC,
        "ridge_static_departure": RIDGE_STATIC_DEPARTURE,
        "ridge_published": RIDGE_PUBLISHED,
        "ridge_intercept": RIDGE_INTERCEPT,
    }


def all_are_named(data: Landmarks) -> bool:
    first = np.min([data.event_h[name] for name in NAMED], axis=0)
    return bool(np.isfinite(first).any() and (first == data.event_h["complication"]).all())


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
        ones = np.ones((int(rows.sum()), steps.shape[1], 1))
        steps[rows] = hazard_increments(plain, outcome, str(name), hours[rows], ones)
    start, stop = (hours[:, None] + np.array(edges) for edges in (LEAD_EDGES[:-1], LEAD_EDGES[1:]))
    last = np.minimum(data.event_h[outcome][at_risk], data.end_h[at_risk])[:, None]
    share = np.clip((last - start) / (stop - start), 0.0, 1.0)
    happened = data.event_h[outcome][at_risk][:, None]
    events = (happened > start) & (happened <= stop) & (happened <= data.end_h[at_risk][:, None])
    return at_risk, steps * share, events.astype(float)


def _fit_outcome(model: HazardModel, data: Landmarks, outcome: str, shared: Effects | None) -> Effects | None:
    recent = np.array([False, *(feature.kind == "recent" for feature in model.features)])
    published = log_effects(outcome)
    common = _in_common(model) * (recent if published else 1.0)
    offset = _published(model, published) + (0.0 if shared is None else np.array(shared.coefficients) * common)
    penalty = _penalty(model, shared is not None, bool(published))
    doubt = penalty * _in_common(model) * ~recent if published else 0.0 * penalty
    lasting = _fit_part(model, data.take(_first_rows(data)), outcome, ~recent, offset * ~recent, penalty, doubt)
    if lasting is None:
        return None
    lately = _fit_part(model, data, outcome, recent, offset + lasting.beta, penalty, doubt)
    beta, covariance = lasting.beta, lasting.covariance
    if lately is not None:
        beta, covariance = beta + lately.beta, covariance + lately.covariance
    at_risk, _, events = exposures(model, data, outcome)
    patients = len(np.unique(data.patient[at_risk][events.any(axis=1)]))
    return _effects(Fitted(beta, covariance), offset, shared, common, patients)


def _first_rows(data: Landmarks) -> NDArray[np.bool_]:
    """(n,) each patient's first landmark."""
    order = np.lexsort((data.hours, data.patient))
    _, first = np.unique(data.patient[order], return_index=True)
    found = np.zeros(len(data.hours), bool)
    found[order[first]] = True
    return found


def _fit_part(
    model: HazardModel,
    data: Landmarks,
    outcome: str,
    part: NDArray[np.bool_],
    known: Floats,
    penalty: Floats,
    doubt: Floats,
) -> Fitted | None:
    """Coefficients (1 + p,) and covariance of the columns in `part`, zero elsewhere, over what `known` (1 + p,)
    explains; None without an event or a column. penalty, doubt (1 + p,): as `fit_poisson`."""
    at_risk, exposure, events = exposures(model, data, outcome)
    if not events.any() or not part.any():
        return None
    z = model.standardise(data.take(at_risk).columns([f.key for f in model.features]))
    followed = exposure > 0
    x = faded(model.features, z, lead_weights(model.fade_hours))[followed]
    lead = np.broadcast_to(data.patient[at_risk][:, None], followed.shape)[followed]
    over = exposure[followed] * np.exp(x @ known)
    fitted = fit_poisson(x[:, part], events[followed], over, penalty[part], lead, doubt[part])
    beta, covariance = np.zeros(len(part)), np.zeros((len(part), len(part)))
    beta[part] = fitted.beta
    covariance[np.ix_(part, part)] = fitted.covariance
    return Fitted(beta, covariance)


def _published(model: HazardModel, effects: Mapping[str, float]) -> Floats:
    """(1 + p,) published log hazard ratios of standardised features."""
    return np.array([0.0, *(effects.get(feature.key, 0.0) * feature.sd for feature in model.features)])


def _penalty(model: HazardModel, departs: bool, from_published: bool) -> Floats:
    static, recent = (RIDGE_STATIC_DEPARTURE, RIDGE_DEPARTURE) if departs else (RIDGE_STATIC, RIDGE)
    history = RIDGE_PUBLISHED if from_published else static
    by_kind = {"operation": static, "static": history, "recent": recent}
    rows = [by_kind["operation" if feature.key in OPERATIONS else feature.kind] for feature in model.features]
    return np.array([RIDGE_INTERCEPT, *rows])


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
        **penalties(),
    }
    checked = cross_validate(data, lambda part: fit(part, "fold", {}, JUDGED), seed)
    return fit(data, "hazard-4", training | {"cross_validation": checked})


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
