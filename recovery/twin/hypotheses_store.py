"""Hypothesis models as plain numbers: JSON out, JSON in; and those that are shipped, one per twin version."""

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
from recovery.twin.hypotheses import HypothesisModel, Noise, Signature
from recovery.twin.surprise_blocks import BLOCKS

FORMAT = 1
SHIPPED = ("hypotheses_published.json", "hypotheses_synthetic.json")


def to_plain(model: HypothesisModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": model.version,
        "twin_version": model.twin_version,
        "evidence": model.evidence,
        "temper": model.temper,
        "noise": {metric: asdict(noise) for metric, noise in model.noise.items()},
        "signatures": {name: _signature_to_plain(one) for name, one in model.signatures.items()},
        "calibration": dict(model.calibration),
        "training": dict(model.training),
    }


def from_plain(plain: Mapping[str, Any]) -> HypothesisModel:
    """Inverse of `to_plain`; raises MalformedState on anything else, and on numbers that cannot be a model."""
    try:
        if plain["format"] != FORMAT:
            raise MalformedState(f"stored hypothesis model has format {plain['format']!r}, this code reads {FORMAT}")
        model = HypothesisModel(
            version=str(plain["version"]),
            twin_version=str(plain["twin_version"]),
            evidence=str(plain["evidence"]),
            temper=float(plain["temper"]),
            noise=MappingProxyType({metric: Noise(**row) for metric, row in plain["noise"].items()}),
            signatures=MappingProxyType({name: _signature(row) for name, row in plain["signatures"].items()}),
            calibration=MappingProxyType({name: float(w) for name, w in plain["calibration"].items()}),
            training=MappingProxyType(dict(plain["training"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise MalformedState(f"stored hypothesis model cannot be read: {problem}") from problem
    _check(model)
    return model


@cache
def shipped_models() -> Mapping[str, HypothesisModel]:
    """twin version -> the shipped model that was fitted under it; all were fitted on a synthetic cohort."""
    found = {}
    for name in SHIPPED:
        text = resources.files("recovery.twin").joinpath("data", name).read_text(encoding="utf-8")
        model = from_plain(json.loads(text))
        found[model.twin_version] = model
    return MappingProxyType(found)


def shipped_for(twin_version: str) -> HypothesisModel | None:
    """None when nothing was fitted under that twin: then no hypothesis is weighed, and that is said."""
    return shipped_models().get(twin_version)


def for_course(own: HypothesisModel | None, course: str) -> HypothesisModel | None:
    """What weighs causes under the expected courses called `course`: a unit's own hypotheses, if they were learned
    under them, else those shipped for them, if any were."""
    return own if own is not None and own.twin_version == course else shipped_for(course)


def _signature_to_plain(one: Signature) -> dict[str, Any]:
    shifts = {metric: list(row) for metric, row in one.shifts.items()}
    return {"shifts": shifts, "source": one.source, "log_prior": one.log_prior}


def _signature(row: Mapping[str, Any]) -> Signature:
    shifts = MappingProxyType({metric: tuple(map(float, values)) for metric, values in row["shifts"].items()})
    prior = row["log_prior"]
    return Signature(shifts, str(row["source"]), None if prior is None else float(prior))


def _check(model: HypothesisModel) -> None:
    numbers = [model.temper, *model.calibration.values()]
    numbers += [part for noise in model.noise.values() for part in (noise.centre, noise.own, noise.shared)]
    numbers += [one for signature in model.signatures.values() for row in signature.shifts.values() for one in row]
    if not np.isfinite(numbers).all():
        raise MalformedState("a stored hypothesis model holds a number that is not finite")
    if any(noise.own <= 0 or noise.shared < 0 for noise in model.noise.values()) or not 0 < model.temper <= 1:
        raise MalformedState("a stored hypothesis model has a variance or a temper that cannot be")
    if any(len(row) != BLOCKS for signature in model.signatures.values() for row in signature.shifts.values()):
        raise MalformedState(f"a stored signature does not have {BLOCKS} blocks")
