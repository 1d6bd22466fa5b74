"""What every bedside score returns: the value, its band, each item's points, what is missing, and the source.

A missing item is never scored as zero in silence (clinical-reference rule 1): it is named, the result says
that it is partial, and `highest` tells what the score could be had the missing items been the worst
possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import floor

from recovery.twin.errors import TwinError

Table = tuple[tuple[float, int], ...]
"""Rows (highest value that still belongs to the row, points), in rising order; the last row ends at
infinity."""


class ScoreRefused(TwinError):
    """The score does not apply to this patient, or an input cannot be a reading of what it is called."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a score sheet; `points` is None when the item could not be scored."""

    key: str
    label: str
    value: float | str | bool | None
    points: int | None
    worst: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often the event occurred in patients of this band, per hundred, in the named study."""

    event: str
    per_hundred: float
    source: str


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """One score of one patient at one time.

    `value` is the sum of the points of the items that could be scored (None when no item could); when
    `complete` is False it is a lower bound and `highest` the upper one. `band` is the band of `value`;
    `band_certain` says that no value of the missing items could move it.
    """

    score: str
    label: str
    value: int | None
    highest: int
    band: str
    band_certain: bool
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    complete: bool
    source: str
    rates: tuple[Rate, ...] = ()

    @property
    def worst_items(self) -> tuple[Item, ...]:
        """The items that scored three points or more: the ones RCP asks to name beside the total."""
        return tuple(item for item in self.items if item.points is not None and item.points >= 3)

    @property
    def text(self) -> str:
        """The score in one line, a partial one labelled partial with the missing items named."""
        if self.value is None:
            return f"{self.label} not scored: {', '.join(self.missing)} missing"
        if self.complete:
            return f"{self.label} {self.value}"
        return f"{self.label} partial, at least {self.value}: {', '.join(self.missing)} missing"


def summed(
    score: str,
    label: str,
    items: tuple[Item, ...],
    band_of: Callable[[tuple[Item, ...], int], str],
    source: str,
    rates_of: Callable[[str, int], tuple[Rate, ...]] = lambda band, value: (),
) -> ScoreResult:
    """Add the items up. Rates are attached to complete scores only: a lower bound has no event rate."""
    scored = tuple(item for item in items if item.points is not None)
    missing = tuple(item.label for item in items if item.points is None)
    value = sum(item.points or 0 for item in scored)
    worst = tuple(item if item.points is not None else at_its_worst(item) for item in items)
    highest = sum(item.points or 0 for item in worst)
    band = band_of(scored, value) if scored else "not_scored"
    return ScoreResult(
        score=score,
        label=label,
        value=value if scored else None,
        highest=highest,
        band=band,
        band_certain=bool(scored) and band_of(worst, highest) == band,
        items=items,
        missing=missing,
        complete=not missing,
        source=source,
        rates=() if missing else rates_of(band, value),
    )


def at_its_worst(item: Item) -> Item:
    return Item(item.key, item.label, item.value, item.worst, item.worst)


def flag(key: str, label: str, value: bool | None, points: int) -> Item:
    """A yes/no item; None is unknown, which is not no."""
    return Item(key, label, value, None if value is None else points * bool(value), points)


def points_in(table: Table, value: float) -> int:
    return next(points for highest, points in table if value <= highest)


def charted(value: float, name: str, low: float, high: float, decimals: int = 0) -> float:
    """The value as it is written on the chart: rounded half up at `decimals`, in decimal arithmetic so that
    38.05 is 38.1. Raises ScoreRefused outside low..high (an implausible reading is a wrong unit or an
    artefact)."""
    if not math.isfinite(value) or not low <= value <= high:
        raise ScoreRefused(f"{name} of {value} lies outside {low} to {high}")
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def tabled(key: str, label: str, value: float | None, table: Table, low: float, high: float, decimals: int = 0) -> Item:
    """An item read off a table of its sheet, at the precision the sheet prints."""
    worst = max(points for _, points in table)
    if value is None:
        return Item(key, label, None, None, worst)
    return Item(key, label, value, points_in(table, charted(value, label, low, high, decimals)), worst)


def chosen(key: str, label: str, value: str | None, points: Mapping[str, int]) -> Item:
    """An item whose cells are words. Raises ScoreRefused for a word the sheet does not print."""
    if value is not None and value not in points:
        raise ScoreRefused(f"{label} is one of {', '.join(points)}, not {value!r}")
    return Item(key, label, value, None if value is None else points[value], max(points.values()))


def aged(years: float | None, table: Table) -> Item:
    """Age in completed years."""
    points = None if years is None else points_in(table, floor(charted(years, "age", 0, 130, decimals=6)))
    return Item("age", "age", years, points, max(row for _, row in table))
