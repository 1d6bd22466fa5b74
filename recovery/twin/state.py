"""The state of one patient's twin: what is believed now, and the checkpoints it can be rewound to.

Stored as plain JSON. Numbers that must come back exactly are packed as base64 of little-endian float64, which
is exact and a third of the size of decimal text.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recovery.twin.errors import MalformedState
from recovery.twin.filter import Belief
from recovery.twin.params import STATE_SIZE
from recovery.twin.scorecard import CARD_SIZE, Card
from recovery.twin.transform import Floats

FORMAT = 2
"""2: surprises are kept for three days. A twin stored in another format is rebuilt from its readings."""
DAY, WEEK = 24, 168
_UPPER = np.triu_indices(STATE_SIZE)
_PACKED = 1 + STATE_SIZE + len(_UPPER[0]) + CARD_SIZE


@dataclass(frozen=True, eq=False)
class Memory:
    """Belief about one metric and its scorecard at one moment: all that a replay needs to go on from there."""

    belief: Belief
    card: Card

    def packed(self) -> str:
        b = self.belief
        return pack(np.concatenate([[float(b.at)], b.mean, b.cov[_UPPER], self.card.as_array()]))

    @classmethod
    def unpacked(cls, text: str) -> "Memory":
        v = unpack(text)
        if len(v) != _PACKED:
            raise MalformedState(f"a stored memory has {len(v)} numbers, not {_PACKED}")
        mean, upper, card = np.split(v[1:], [STATE_SIZE, _PACKED - 1 - CARD_SIZE])
        return cls(Belief(mean, symmetric(upper), np.asarray(v[0])), Card(*map(float, card)))


@dataclass(frozen=True, eq=False)
class MetricState:
    """One metric now. recent_hours, recent_surprises: conditioned in the last `SPAN_H` hours before
    `until_hour`.

    worn_hours: hour bins of the last 24 h with a sample. last_reading_hour: newest accepted sample, or None.
    """

    memory: Memory
    recent_hours: Floats
    recent_surprises: Floats
    worn_hours: tuple[int, ...]
    last_reading_hour: float | None

    @property
    def count(self) -> int:
        """Measurements conditioned on so far."""
        return int(self.memory.card.n)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Memories holding exactly the samples timed before `hour`, a multiple of 24 h after surgery end."""

    hour: int
    memories: Mapping[str, Memory]


@dataclass(frozen=True, eq=False)
class TwinState:
    """A twin: a pure function of the samples timed up to until_hour, the profile and the model version."""

    model_version: str
    until_hour: float
    metrics: Mapping[str, MetricState]
    checkpoints: tuple[Checkpoint, ...] = field(default=())

    def to_plain(self) -> dict[str, Any]:
        """Plain values for JSON; `from_plain` gives the same numbers back to the last bit."""
        return {
            "format": FORMAT,
            "model": self.model_version,
            "until": self.until_hour,
            "metrics": {key: _metric_to_plain(m) for key, m in self.metrics.items()},
            "checkpoints": [
                {"hour": c.hour, "memories": {key: m.packed() for key, m in c.memories.items()}}
                for c in self.checkpoints
            ],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "TwinState":
        """Inverse of `to_plain`; raises `MalformedState` on anything else."""
        try:
            if plain["format"] != FORMAT:
                raise MalformedState(f"stored twin has format {plain['format']!r}, this code reads {FORMAT}")
            return cls(
                str(plain["model"]),
                float(plain["until"]),
                {key: _metric_from_plain(m) for key, m in plain["metrics"].items()},
                tuple(_checkpoint_from_plain(c) for c in plain["checkpoints"]),
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
            raise MalformedState(f"stored twin cannot be read: {problem}") from problem


def rewind_hour(state: TwinState | None, dirty_from_hour: float) -> float:
    """Hour from which samples must be loaded to fold in a change at `dirty_from_hour`; -inf means all of them."""
    held = [c.hour for c in state.checkpoints if c.hour <= dirty_from_hour] if state else []
    return float(max(held, default=-np.inf))


def checkpoint_at(state: TwinState | None, hour: float) -> Checkpoint | None:
    """The checkpoint held for exactly this hour, or None."""
    return next((c for c in state.checkpoints if c.hour == hour), None) if state else None


def retained_hours(first_hour: float, until_hour: float) -> tuple[int, ...]:
    """Checkpoint hours a state keeps: each day of the last 2, each week of the last 2, then every fourth week.

    A function of the first sample and `until_hour` alone, so that every batching ends with the same checkpoints;
    an hour once dropped is never wanted again, because `until_hour` only grows.
    """
    first, last = DAY * int(np.floor(first_hour / DAY)) + DAY, DAY * int(np.floor(until_hour / DAY))
    return tuple(c for c in range(first, last + 1, DAY) if _retained(c, until_hour))


def _retained(hour: int, until_hour: float) -> bool:
    age = until_hour - hour
    return age < 2 * DAY or (hour % WEEK == 0 and age < 2 * WEEK) or hour % (4 * WEEK) == 0


def symmetric(upper: Floats) -> Floats:
    """(d, d) matrix from its upper triangle, exactly symmetric."""
    cov = np.zeros((STATE_SIZE, STATE_SIZE))
    cov[_UPPER] = upper
    cov.T[_UPPER] = upper
    return cov


def mirrored(cov: Floats) -> Floats:
    """cov (..., d, d) with the upper triangle copied to the lower: rounding leaves no asymmetry behind."""
    out = cov.copy(order="K")
    rows, columns = _UPPER
    out[..., columns, rows] = cov[..., rows, columns]
    return out


def pack(values: Floats | Iterable[float]) -> str:
    """base64 of float64, little-endian."""
    return base64.b64encode(np.asarray(values, "<f8").tobytes()).decode("ascii")


def unpack(text: str) -> Floats:
    """Inverse of `pack`; raises `MalformedState`."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(float)
    except (binascii.Error, ValueError, TypeError) as problem:
        raise MalformedState("stored numbers are not packed float64") from problem


def _marked(hours: Iterable[float]) -> list[Any]:
    """Distinct whole hours as [the first, a bit for each hour from it on, in hexadecimal]: short, since they lie close
    together."""
    whole = [int(hour) for hour in hours]
    first = min(whole, default=0)
    return [first, f"{sum(1 << (hour - first) for hour in whole):x}"]


def _hours(marked: Any) -> list[int]:
    """Inverse of `_marked`, ascending; raises ValueError or TypeError on anything else."""
    first, bits = int(marked[0]), int(marked[1], 16)
    return [first + i for i in range(bits.bit_length()) if bits >> i & 1]


def _metric_to_plain(state: MetricState) -> dict[str, Any]:
    return {
        "memory": state.memory.packed(),
        "recent_hours": _marked(state.recent_hours),
        "recent_surprises": pack(state.recent_surprises),
        "worn_hours": _marked(state.worn_hours),
        "last_reading_hour": state.last_reading_hour,
    }


def _metric_from_plain(plain: Mapping[str, Any]) -> MetricState:
    last = plain["last_reading_hour"]
    return MetricState(
        Memory.unpacked(plain["memory"]),
        np.array(_hours(plain["recent_hours"]), float),
        unpack(plain["recent_surprises"]),
        tuple(_hours(plain["worn_hours"])),
        None if last is None else float(last),
    )


def _checkpoint_from_plain(plain: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(int(plain["hour"]), {key: Memory.unpacked(m) for key, m in plain["memories"].items()})
