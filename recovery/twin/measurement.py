"""From raw samples to measurements: the gate, the bins, and one value per bin with its noise.

The twin never conditions on raw samples. `measure` is a pure function of the *set* of samples: order and
exact duplicates make no difference.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recovery.twin.errors import MalformedSamples
from recovery.twin.metrics import WORN_HOURS_FOR_A_DAY, Metric
from recovery.twin.slips import likely_slip
from recovery.twin.transform import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Raw readings of one metric of one patient, all arrays (n,), natural units.

    hours: hours after surgery end, of the middle of the period a value covers. tiers: `Tier` codes.
    series: a number naming the patient x metric x source. span_hours: length of that period; anything up to
    one hour counts as one worn hour, a daily total carries 24.
    """

    hours: Floats
    values: Floats
    tiers: Ints
    series: Ints
    span_hours: Floats

    @classmethod
    def of(
        cls,
        hours: ArrayLike,
        values: ArrayLike,
        tiers: ArrayLike = 2,
        series: ArrayLike = 0,
        span_hours: ArrayLike = 1.0,
    ) -> "Samples":
        """Builds the arrays, letting one tier, series or span stand for all; raises `MalformedSamples`."""
        h, v = np.atleast_1d(np.asarray(hours, float)), np.atleast_1d(np.asarray(values, float))
        if h.ndim != 1 or h.shape != v.shape or not np.isfinite(h).all():
            raise MalformedSamples("every sample needs one finite hour and one value")
        n = h.shape
        return cls(
            h,
            v,
            np.broadcast_to(np.asarray(tiers, np.int64), n),
            np.broadcast_to(np.asarray(series, np.int64), n),
            np.broadcast_to(np.asarray(span_hours, float), n),
        )

    def __len__(self) -> int:
        return len(self.hours)

    def take(self, index: NDArray[np.bool_] | Ints) -> "Samples":
        return Samples(*(getattr(self, f)[index] for f in ("hours", "values", "tiers", "series", "span_hours")))

    def unique_in_order(self) -> "Samples":
        """Sorted by hour, tier, series, value; an exact repeat (source, time, value) kept once."""
        if (np.diff(self.hours) > 0.0).all():
            return self  # the usual stream: nothing to sort, nothing twice
        rows = np.stack([self.hours, self.tiers, self.series, self.values, self.span_hours])
        order = np.lexsort((self.span_hours, self.values, self.series, self.tiers, self.hours))
        rows = rows[:, order]
        here, before = rows[[0, 2, 3], 1:], rows[[0, 2, 3], :-1]
        same = ((here == before) | (np.isnan(here) & np.isnan(before))).all(axis=0)
        return self.take(order[np.concatenate([[True], ~same])[: len(order)]])


class Rejection(NamedTuple):
    """A sample the gate kept out of the twin: the row stays in the store, this says why."""

    hour: float
    value: float
    series: int
    reason: str


@dataclass(frozen=True)
class Measurements:
    """One value per bin, in time order, arrays (n,), natural units.

    start, end: the bin. at: the hour at which the filter conditions (bin start; a day's end for day grain).
    tier: the tier used. n: samples behind the value.
    """

    start: Floats
    end: Floats
    at: Floats
    value: Floats
    tier: Ints
    n: Ints

    def take(self, index: NDArray[np.bool_]) -> "Measurements":
        return Measurements(*(getattr(self, f)[index] for f in ("start", "end", "at", "value", "tier", "n")))


@dataclass(frozen=True)
class Measured:
    """What one metric's samples amount to by `until_hour`.

    incomplete_days: (day, worn hours) of finished days worn too little to count. worn_hours: hour bins with at
    least one accepted sample, ascending. last_sample_hour: None when there is none.
    """

    measurements: Measurements
    rejected: tuple[Rejection, ...] = ()
    incomplete_days: tuple[tuple[int, int], ...] = ()
    worn_hours: tuple[int, ...] = ()
    first_sample_hour: float | None = None
    last_sample_hour: float | None = None

    @classmethod
    def nothing(cls) -> "Measured":
        """What no samples amount to."""
        return cls(_nothing())


def gate(metric: Metric, samples: Samples) -> tuple[Samples, tuple[Rejection, ...]]:
    """Splits samples into those the twin may learn from and the refused, each with a reason.

    Refused: outside the plausible range (with the slip of units that would explain it), not a number, or taken
    before an operation meant to change the level.
    """
    low, high = metric.plausible
    inside = (samples.values >= low) & (samples.values <= high)
    if not metric.baseline_before_surgery:
        inside &= samples.hours >= 0.0
    refused = samples.take(~inside)
    return samples.take(inside), tuple(
        Rejection(float(h), float(v), int(s), _reason(metric, float(h), float(v)))
        for h, v, s in zip(refused.hours, refused.values, refused.series, strict=True)
    )


def _reason(metric: Metric, hour: float, value: float) -> str:
    if np.isnan(value):
        return "not a number"
    low, high = metric.plausible
    if low <= value <= high:
        return f"before surgery (hour {hour:.0f}): the operation is meant to change {metric.label.lower()}"
    side = f"below {low:g}" if value < low else f"above {high:g}"
    slip = likely_slip(metric, value)
    told = f"; perhaps a slip of units: {slip}" if slip else ""
    return f"{side} {metric.unit}, the plausible limit for {metric.label.lower()}{told}"


def measure(metric: Metric, samples: Samples, until_hour: float) -> Measured:
    """One value per bin from the samples known and timed up to `until_hour` (hours after surgery end).

    Hour and report grain: median of the bin [t, t+1), the open hour included. Day grain: sum over
    [24k, 24k+24) of a finished day worn at least 18 h; with several series of the tier, the median of their
    sums, so that a watch and a phone are not added. In each bin only the best tier present is used.
    """
    kept, rejected = gate(metric, samples.take(samples.hours <= until_hour).unique_in_order())
    if not len(kept):
        return Measured(_nothing(), rejected)
    bins = np.floor(kept.hours).astype(np.int64)
    short = kept.span_hours <= 1.0
    found, incomplete = _days(kept, bins, until_hour) if metric.grain == "day" else (_hours(kept, bins), ())
    worn = tuple(bins[short][_starts(bins[short])].tolist()) if short.any() else ()
    return Measured(found, rejected, incomplete, worn, float(kept.hours[0]), float(kept.hours[-1]))


def _nothing() -> Measurements:
    empty, none = np.empty(0), np.empty(0, np.int64)
    return Measurements(empty, empty, empty, empty, none, none)


def _starts(*keys: Ints) -> Ints:
    """Index of the first row of each run of equal keys; rows must be sorted by them."""
    moved = np.zeros(len(keys[0]), bool)
    moved[0] = True
    for key in keys:
        moved[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(moved)


def _best_tier(groups: Ints, tiers: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Mask of the rows whose tier is the best of their group (groups ascending), and each row's best tier."""
    first = _starts(groups)
    best = np.repeat(np.minimum.reduceat(tiers, first), np.diff(np.append(first, len(tiers))))
    return tiers == best, best


def _medians(groups: Ints, values: Floats) -> tuple[Ints, Floats, Ints]:
    """Distinct groups ascending, the median of each, and its count."""
    if (np.diff(groups) > 0).all():
        return groups, values, np.ones(len(groups), np.int64)
    order = np.lexsort((values, groups))
    g, v = groups[order], values[order]
    first = _starts(g)
    n = np.diff(np.append(first, len(g)))
    return g[first], (v[first + (n - 1) // 2] + v[first + n // 2]) / 2.0, n


def _hours(kept: Samples, bins: Ints) -> Measurements:
    best, _ = _best_tier(bins, kept.tiers)
    hour, value, n = _medians(bins[best], kept.values[best])
    tier = kept.tiers[best][_starts(bins[best])]
    start = hour.astype(np.float64)
    return Measurements(start, start + 1.0, start, value, tier, n)


def _days(kept: Samples, bins: Ints, until: float) -> tuple[Measurements, tuple[tuple[int, int], ...]]:
    """Day sums of finished days, and the finished days that were worn too little."""
    day, tier, worn, total = _series_days(kept, bins)
    over = (day + 1) * 24 <= until
    enough = over & (worn >= WORN_HOURS_FOR_A_DAY)
    short = _worn_too_little(day[over], worn[over])
    if not enough.any():
        return _nothing(), short
    d, t, w, v = day[enough], tier[enough], worn[enough], total[enough]
    best, _ = _best_tier(d, t)
    which, value, _ = _medians(d[best], v[best])
    first = _starts(d[best])
    start = np.asarray(which * 24.0, float)
    return Measurements(start, start + 24.0, start + 24.0, value, t[best][first], w[best][first]), short


def _worn_too_little(day: Ints, worn: Ints) -> tuple[tuple[int, int], ...]:
    """(day, worn hours of its best series) of the days (ascending, repeats allowed) that do not count."""
    if not len(day):
        return ()
    first = _starts(day)
    most = np.maximum.reduceat(worn, first)
    few = most < WORN_HOURS_FOR_A_DAY
    return tuple(zip(day[first][few].tolist(), most[few].tolist(), strict=True))


def _series_days(kept: Samples, bins: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """Per (day, tier, series), ascending: day, tier, worn hours (at most 24) and the sum of the values."""
    day = bins // 24
    order = np.lexsort((bins, kept.series, kept.tiers, day))
    d, t, s, b = day[order], kept.tiers[order], kept.series[order], bins[order]
    first = _starts(d, t, s)
    new_hour = np.zeros(len(b))
    new_hour[_starts(d, t, s, b)] = 1.0
    span = kept.span_hours[order]
    covered = np.add.reduceat(np.where(span > 1.0, span, new_hour), first)
    total = np.add.reduceat(kept.values[order], first)
    return d[first], t[first], np.minimum(covered, 24.0).astype(np.int64), total
