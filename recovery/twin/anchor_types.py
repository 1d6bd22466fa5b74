"""The shapes of the anchor tables: what a published course, level, wander or daily rhythm is written as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from recovery.twin.source import Source

Values = tuple[float, ...]
TAU_DAYS = (3.0, 20.0, 120.0)
TAU_SOURCE = Source(
    "D",
    "Least squares over all rows of clinical reference 2.2 and 2.3 gives 2.7, 18 and 115 days (steps) and 3.3, 21"
    " and endless (heart rate); rounded to 3, 20 and 120 days for every metric",
)


@dataclass(frozen=True)
class Curves:
    """Course after each procedure relative to the own baseline.

    days: the anchored days. kind: how the values combine with a baseline b: "percent" b * v / 100, "shift"
    b + v, "level" v itself (the last anchor then being the baseline). spread_days and spread: standard deviation
    between patients of the same procedure around the curve, on the unit named by spread_kind: "log"
    (model scale of a log metric) or "natural". tau_days: time constants of the bases where they are not those of
    wearables; laboratory values rise and fall within days.
    """

    days: Values
    kind: Literal["percent", "shift", "level"]
    by_procedure: Mapping[str, Values]
    source: Source
    spread_days: Values
    spread: Values
    spread_kind: Literal["log", "natural"]
    spread_source: Source
    tau_days: tuple[float, float, float] = TAU_DAYS
    tau_source: Source = TAU_SOURCE


@dataclass(frozen=True)
class Baseline:
    """Level before surgery across people: mean and between-person SD, natural units (sd_log: on the log)."""

    mean: float
    sd: float
    source: Source
    sd_is_log: bool = False
    by_procedure: Mapping[str, tuple[float, Source]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wander:
    """Within-person variation from day to day, natural units (or log).

    sd: total within-person SD of a day value. lag1: its correlation one day apart. days: time constant of the
    slow part. Where days is None the Ornstein-Uhlenbeck process carries all of it: variance sd^2, time constant
    -1 / ln(lag1) days. Otherwise it carries lag1 * sd^2 / exp(-1 / days) and the rest is white between bins.
    """

    sd: float
    lag1: float
    days: float | None
    source: Source
    sd_is_log: bool = False


@dataclass(frozen=True)
class Clock:
    """Time-of-day pattern: amplitude and its between-person SD (natural units), local hour of the peak."""

    amplitude: float
    sd: float
    peak_hour: float
    source: Source
