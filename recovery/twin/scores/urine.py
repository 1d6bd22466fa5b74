"""Urine output of KDIGO: mean output per kilogram over unbroken collections.

Source: KDIGO 2012 [G: clinical-reference 4.10]. The output of a window is its mean, over every window that begins and
ends with a collection and has no gap; anuria is no urine at all [both readings G].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recovery.twin.scores.result import ScoreRefused, charted

TOLERANCE = 1e-9
"""Hours and rates within this are equal: 0.5 mL/kg/h is not below 0.5."""


@dataclass(frozen=True, slots=True)
class Urine:
    """One collection: from and to, hours after the end of surgery, and millilitres."""

    from_h: float
    to_h: float
    ml: float


def urine_stage(collections: Sequence[Urine], weight_kg: float | None) -> tuple[int | None, float | None]:
    """Highest stage by urine and the hour at which a criterion was first fulfilled.

    None without a weight or without an unbroken 6 h. Raises ScoreRefused for collections that overlap or run
    backwards and for an impossible weight.
    """
    rows = sorted(collections, key=lambda row: row.from_h)
    _check(rows)
    if weight_kg is None:
        return None, None
    kilograms = charted(weight_kg, "weight in kg", 0.4, 650, decimals=2)
    stages = [(window_stage(hours, ml / kilograms), end) for hours, ml, end in _windows(rows)]
    if not stages:
        return None, None
    return max(stage for stage, _ in stages), min((end for stage, end in stages if stage), default=None)


def window_stage(hours: float, ml_per_kg: float) -> int:
    """Stage of one unbroken window of at least 6 h."""
    rate = ml_per_kg / hours
    if hours >= 24 - TOLERANCE and rate < 0.3 - TOLERANCE or hours >= 12 - TOLERANCE and ml_per_kg == 0:
        return 3
    if rate < 0.5 - TOLERANCE:
        return 2 if hours >= 12 - TOLERANCE else 1
    return 0


def _windows(rows: Sequence[Urine]) -> Iterator[tuple[float, float, float]]:
    """(hours, mL, end) of every unbroken run of collections of at least 6 h."""
    for first in range(len(rows)):
        ml = 0.0
        for i in range(first, len(rows)):
            if i > first and rows[i].from_h - rows[i - 1].to_h > TOLERANCE:
                break
            ml += rows[i].ml
            hours = rows[i].to_h - rows[first].from_h
            if hours >= 6 - TOLERANCE:
                yield hours, ml, rows[i].to_h


def _check(rows: Sequence[Urine]) -> None:
    for row in rows:
        charted(row.ml, "urine in mL", 0, 20_000)
        if not row.to_h > row.from_h:
            raise ScoreRefused(f"a urine collection ends at {row.to_h} h, before it begins")
    for earlier, later in zip(rows, rows[1:], strict=False):
        if later.from_h < earlier.to_h - TOLERANCE:
            raise ScoreRefused(f"urine collections overlap at {later.from_h} h")
