"""Offline only: a training cohort gathered in slices: each slice as plain JSON, and the slices joined again.

A slice is `Landmarks` (for the risk model), `Training` (for the population model) or `Gathered` (for the named causes).
Arrays are packed as base64, so a part reads back exactly; joined parts equal one gathering of all patients, to the
rounding of batches. Arrays of small numbers (float32, int16) are mostly zeros and are compressed.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from recovery.twin.errors import MalformedState
from recovery.twin.filter import Readings
from recovery.twin.fit_cohort import Case
from recovery.twin.fit_hypotheses import Illness, Looks
from recovery.twin.fit_landmarks import Landmarks
from recovery.twin.fit_looks import Gathered
from recovery.twin.fit_population_data import MetricData, Training, training_data
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS
from recovery.twin.profile import Profile
from recovery.twin.state import pack, unpack
from recovery.twin.surprise_blocks import Blocks

CLASSES = {one.__name__: one for one in (Landmarks, Training, MetricData, Profile, Gathered, Looks)}
TUPLES = {one.__name__: one for one in (Blocks, Illness)}
SMALL = {"float32": "<f4", "int16": "<i2"}
Joined = TypeVar("Joined")


def to_plain(value: Any) -> Any:
    """JSON values; every array, tuple and class is tagged with what it was."""
    if isinstance(value, np.ndarray):
        return _array_to_plain(value)
    if isinstance(value, Readings):
        return {"readings": [to_plain(one) for one in value]}
    if type(value).__name__ in TUPLES:
        return {"named": type(value).__name__, "values": [to_plain(one) for one in value]}
    if is_dataclass(value):
        held = {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
        return {"class": type(value).__name__, "fields": held}
    if isinstance(value, tuple | list):
        return {"tuple": [to_plain(one) for one in value]}
    if hasattr(value, "items"):
        return {"map": {str(key): to_plain(one) for key, one in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise MalformedState(f"a {type(value).__name__} cannot be stored as plain numbers")


def _array_to_plain(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    shape = list(value.shape)
    if value.dtype.kind == "U":
        return {"words": value.ravel().tolist(), "shape": shape}
    if value.dtype.name in SMALL:
        held = np.ascontiguousarray(value, SMALL[value.dtype.name]).tobytes()
        return {"small": b64encode(zlib.compress(held, 1)).decode("ascii"), "shape": shape, "of": value.dtype.name}
    return {"floats": pack(value.ravel().astype(float)), "shape": shape, "kind": value.dtype.kind}


def from_plain(plain: Any) -> Any:
    """Inverse of `to_plain`; raises MalformedState on what it did not write."""
    if not isinstance(plain, dict):
        return plain
    if "words" in plain:
        return np.array(plain["words"], dtype=str).reshape(plain["shape"])
    if "floats" in plain:
        kinds = {"i": np.int64, "b": np.bool_}
        return unpack(plain["floats"]).astype(kinds.get(plain["kind"], np.float64)).reshape(plain["shape"])
    if "small" in plain:
        held = zlib.decompress(b64decode(plain["small"]))
        return np.frombuffer(held, SMALL[plain["of"]]).astype(plain["of"]).reshape(plain["shape"])
    if "named" in plain and plain["named"] in TUPLES:
        return TUPLES[plain["named"]](*(from_plain(one) for one in plain["values"]))
    if "readings" in plain:
        return Readings(*(from_plain(one) for one in plain["readings"]))
    if "class" in plain and plain["class"] in CLASSES:
        return CLASSES[plain["class"]](**{key: from_plain(one) for key, one in plain["fields"].items()})
    if "tuple" in plain:
        return tuple(from_plain(one) for one in plain["tuple"])
    if "map" in plain:
        return {key: from_plain(one) for key, one in plain["map"].items()}
    raise MalformedState("a stored part of a training holds something unknown")


def population_part(cases: Sequence[Case]) -> Training:
    """`training_data` of a slice with every metric, so that slices of different patients have the same ones."""
    if cases:
        nothing = Samples.of([], [])
        cases[0].samples = {key: cases[0].samples.get(key, nothing) for key in METRICS}
    return training_data(cases)


def join_landmarks(parts: Sequence[Landmarks]) -> Landmarks:
    """All rows; patients keep their numbers, which must differ between slices. Raises MalformedState when slices have
    different inputs."""
    if len({part.keys for part in parts}) != 1:
        raise MalformedState("the parts of this training were gathered by different versions; begin it again")
    joined: Landmarks = _joined(parts, {"keys": parts[0].keys})
    return joined


def join_training(parts: Sequence[Training]) -> Training:
    """All patients. Metrics that nobody was measured by are left out, as in `training_data`."""
    keys = [key for key in METRICS if any(key in part.by_metric for part in parts)]
    by = {
        key: _joined([part.by_metric[key] for part in parts], {"key": key, "tier": _tier(parts, key)}) for key in keys
    }
    joined: Training = _joined(parts, {"by_metric": {key: one for key, one in by.items() if _is_read(one)}})
    return joined


def _is_read(data: MetricData) -> bool:
    return bool(np.isfinite(data.readings.value).any())


def _tier(parts: Sequence[Training], key: str) -> int:
    """The tier that most readings came from."""
    weight: dict[int, int] = {}
    for part in parts:
        data = part.by_metric[key]
        weight[data.tier] = weight.get(data.tier, 0) + int(np.isfinite(data.readings.value).sum())
    return max(sorted(weight), key=lambda tier: weight[tier])


def _joined(parts: Sequence[Any], given: dict[str, Any]) -> Any:
    """The dataclass of `parts` with each field not `given` joined along patients or rows."""
    kind = type(parts[0])
    names = [one.name for one in fields(kind) if one.name not in given]
    return kind(**given, **{name: _join([getattr(part, name) for part in parts]) for name in names})


def _join(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, Readings):
        return Readings(*(_join(column) for column in zip(*values, strict=True)))
    if isinstance(first, tuple):
        return tuple(one for value in values for one in value)
    if hasattr(first, "items"):
        return {key: _join([value[key] for value in values]) for key in first}
    if isinstance(first, np.ndarray):
        return np.concatenate([_padded(value, values) for value in values])
    if any(value != first for value in values):
        raise MalformedState("the parts of this training disagree; begin it again")
    return first


def _padded(value: np.ndarray[Any, Any], values: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Rows of readings made as long as the longest, nan at the end."""
    if value.ndim < 2:
        return value
    missing = max(one.shape[1] for one in values) - value.shape[1]
    return np.pad(value, ((0, 0), (0, missing)), constant_values=np.nan) if missing else value
