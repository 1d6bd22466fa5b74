"""Hazard models as plain numbers: JSON out, JSON in, exactly; and the one that is shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from recovery.twin.errors import MalformedState
from recovery.twin.survival import Baseline, Effects, Feature, HazardModel

FORMAT = 1
SHIPPED = {"published": "hazard_published.json", "synthetic": "hazard_synthetic.json"}
"""By the set of models it belongs to: fitted under the published cold start of the twin, or under the synthetic
population. Both were fitted on a synthetic cohort."""
ROUNDING = 1e-4
"""Share of its largest eigenvalue by which rounding to six figures may make a covariance negative."""


def to_plain(model: HazardModel) -> dict[str, Any]:
    """Plain values for JSON. A covariance is kept as its upper triangle, row by row."""
    return {
        "format": FORMAT,
        "version": model.version,
        "evidence": model.evidence,
        "training": dict(model.training),
        "fade_hours": model.fade_hours,
        "any_is_the_sum": model.any_is_the_sum,
        "features": [asdict(feature) for feature in model.features],
        "effects": {outcome: _effects_to_plain(effects) for outcome, effects in model.effects.items()},
        "baselines": {
            outcome: {name: asdict(baseline) for name, baseline in by_class.items()}
            for outcome, by_class in model.baselines.items()
        },
    }


def from_plain(plain: Mapping[str, Any]) -> HazardModel:
    """Inverse of `to_plain`; raises MalformedState on anything else, and on numbers that cannot be a
    model."""
    try:
        if plain["format"] != FORMAT:
            raise MalformedState(f"stored hazard model has format {plain['format']!r}, this code reads {FORMAT}")
        model = HazardModel(
            version=str(plain["version"]),
            evidence=str(plain["evidence"]),
            fade_hours=float(plain["fade_hours"]),
            baselines=MappingProxyType(
                {outcome: MappingProxyType(_baselines(rows)) for outcome, rows in plain["baselines"].items()}
            ),
            features=tuple(Feature(**feature) for feature in plain["features"]),
            effects=MappingProxyType({name: _effects(row) for name, row in plain["effects"].items()}),
            training=MappingProxyType(dict(plain["training"])),
            any_is_the_sum=bool(plain.get("any_is_the_sum", False)),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise MalformedState(f"stored hazard model cannot be read: {problem}") from problem
    _check(model)
    return model


@cache
def shipped_model(of_set: str = "published") -> HazardModel:
    """The shipped model of a set (a key of SHIPPED), fitted on a synthetic cohort; immutable, so one copy serves
    all."""
    text = resources.files("recovery.twin").joinpath("data", SHIPPED[of_set]).read_text(encoding="utf-8")
    return from_plain(json.loads(text))


def _baselines(rows: Mapping[str, Any]) -> dict[str, Baseline]:
    return {name: Baseline(**{**row, "onsets": _triples(row["onsets"])}) for name, row in rows.items()}


def _triples(rows: Any) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(weight), float(mu), float(sigma)) for weight, mu, sigma in rows)


def _effects_to_plain(effects: Effects) -> dict[str, Any]:
    upper = np.array(effects.covariance)[np.triu_indices(len(effects.coefficients))]
    return {"events": effects.events, "coefficients": list(effects.coefficients), "covariance": upper.tolist()}


def _effects(row: Mapping[str, Any]) -> Effects:
    size = len(row["coefficients"])
    full = np.zeros((size, size))
    full[np.triu_indices(size)] = row["covariance"]
    full = full + np.triu(full, 1).T
    return Effects(tuple(map(float, row["coefficients"])), tuple(map(tuple, full.tolist())), int(row["events"]))


def _check(model: HazardModel) -> None:
    width = 1 + len(model.features)
    for outcome, effects in model.effects.items():
        numbers = np.array([*effects.coefficients, *np.ravel(effects.covariance)])
        if len(effects.coefficients) != width or not np.isfinite(numbers).all():
            raise MalformedState(f"effects of {outcome} do not fit the model's {len(model.features)} features")
        spectrum = np.linalg.eigvalsh(np.array(effects.covariance))
        if spectrum.min() < -ROUNDING * spectrum.max():
            raise MalformedState(f"covariance of {outcome} is not positive")
    if not model.fade_hours > 0 or any(not f.sd > 0 or not f.low <= f.high for f in model.features):
        raise MalformedState("fading time, feature scales and ranges must be positive")
    rows = [row for by_class in model.baselines.values() for row in by_class.values()]
    if any(not 0 < row.low <= row.mid <= row.high < 1 for row in rows):
        raise MalformedState("published incidences must lie in order between 0 and 1")
