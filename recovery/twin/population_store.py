"""Population parameters as a file: what was fitted to the synthetic cohort, for benches and for trying the machinery.

Never the default: the product starts from `cold_start`, which rests on publications. Whoever loads this file gets
`trained_on`, which says SYNTHETIC.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from recovery.twin.cold_start import cold_start
from recovery.twin.errors import MalformedState
from recovery.twin.params import PopulationParams

SYNTHETIC, LABORATORY = "population_synthetic.json", "laboratory_synthetic.json"
FIGURES = 9  # significant figures kept: far beyond what any fit knows


def to_file_text(params: PopulationParams, metrics: Sequence[str]) -> str:
    """JSON of the named metrics only, numbers rounded to `FIGURES`."""
    plain = params.to_plain()
    plain["metrics"] = {key: plain["metrics"][key] for key in metrics}
    return json.dumps(_rounded(plain), separators=(",", ":")) + "\n"


def from_file_text(text: str) -> PopulationParams:
    """Inverse of `to_file_text`; metrics that the file does not hold are the cold start's. Raises `MalformedState`."""
    try:
        plain = json.loads(text)
    except ValueError as problem:
        raise MalformedState(f"stored model is not JSON: {problem}") from problem
    held = PopulationParams.from_plain(plain)
    by = MappingProxyType({**cold_start().by_metric, **held.by_metric})
    return PopulationParams(held.version, by, held.outlier_bound, held.outlier_source, held.trained_on)


@cache
def synthetic_population() -> PopulationParams:
    """The parameters in `data/population_synthetic.json`; made by a fit to a synthetic cohort, not to patients."""
    return from_file_text(_text(SYNTHETIC))


@cache
def synthetic_population_with_laboratory() -> PopulationParams:
    """The same with the blood values of `data/laboratory_synthetic.json`: a version of its own, since hypotheses and
    hazards are learned under the surprises of one version."""
    base, blood = synthetic_population(), from_file_text(_text(LABORATORY))
    learned = blood.trained_on or {}
    by = MappingProxyType({**base.by_metric, **{key: blood.by_metric[key] for key in learned["metrics"]}})
    trained_on = {**(base.trained_on or {}), "laboratory": learned}
    return replace(base, version=f"{base.version}+laboratory-1", by_metric=by, trained_on=trained_on)


def _text(name: str) -> str:
    return resources.files("recovery.twin").joinpath("data", name).read_text(encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{FIGURES}g}")
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value
