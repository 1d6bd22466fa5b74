"""Offline only: what every bin of one patient's metric is worth, and from which look on.

A backtest looks at a fixed grid of hours. `dated_bins` says for each bin (see `measurement`) which value the twin
would be given, dated by the first look at which that was known; a late reading that changes a bin dates a second value
of it. Only what changes has to be told again, which is what makes a replay of a hospital's past affordable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recovery.twin.measurement import Ints, Measured, Samples, gate, measure
from recovery.twin.metrics import Metric
from recovery.twin.params import MetricParams
from recovery.twin.transform import Floats
from recovery.twin.wear import learned

DAY = 24


class Bins(NamedTuple):
    """Values of bins on the model scale with their noise, and from which look (hour) on: all (n,).

    place: the hour bin; of a day's total the last hour of the day. A later look overrides an earlier one.
    """

    look: Ints
    place: Ints
    value: Floats
    noise_var: Floats


class Seen(NamedTuple):
    """Samples as they became known, all (n,): look, hour of the sample, whether the gate accepted it, whether it
    counts as a worn hour."""

    look: Ints
    hour: Floats
    accepted: NDArray[np.bool_]
    worn: NDArray[np.bool_]


def looks_of(arrived: Floats, hours: Floats, every: int) -> Ints:
    """The first look (hours after surgery, a multiple of `every`) at which a sample is known and not of the future.

    What was known before surgery ended is known at look 0.
    """
    first = np.ceil(np.maximum(arrived, hours) / every) * every
    return np.asarray(np.maximum(first, 0), np.int64)


def dated_bins(
    metric: Metric, samples: Samples, arrived: Floats, every: int, params: MetricParams
) -> tuple[Bins, Seen]:
    """All bins of one metric of one patient, and its samples, dated. `params` are bound to the patient."""
    samples, look = _once(samples, looks_of(arrived, samples.hours, every))
    kept, look_of_kept, accepted = _gated(metric, samples, look)
    seen = Seen(look, samples.hours, accepted, accepted & (samples.span_hours <= 1.0))
    grouped = _days if metric.grain == "day" else _hours
    return grouped(metric, kept, look_of_kept, params), seen


def _gated(metric: Metric, samples: Samples, look: Ints) -> tuple[Samples, Ints, NDArray[np.bool_]]:
    """What passes the twin's own gate, with its looks, and the mask of it."""
    numbered = Samples(samples.hours, samples.values, samples.tiers, np.arange(len(samples)), samples.span_hours)
    index = gate(metric, numbered)[0].series
    accepted = np.zeros(len(samples), bool)
    accepted[index] = True
    return samples.take(index), look[index], accepted


def _once(samples: Samples, look: Ints) -> tuple[Samples, Ints]:
    """An exact repeat (source, time, value) counts once, from when it was first known."""
    order = np.lexsort((look, samples.span_hours, samples.values, samples.series, samples.tiers, samples.hours))
    s = samples.take(order)
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(s.hours) != 0) | (np.diff(s.tiers) != 0) | (np.diff(s.series) != 0) | (np.diff(s.values) != 0)
    starts = np.flatnonzero(new)
    first = np.minimum.reduceat(look[order], starts) if len(order) else look[order]
    return s.take(new), first


def _hours(metric: Metric, kept: Samples, look: Ints, params: MetricParams) -> Bins:
    """Bins of one sample, which are nearly all, in one go; the others look by look through `measure`."""
    bins = np.floor(kept.hours).astype(np.int64)
    _, place, count = np.unique(bins, return_inverse=True, return_counts=True)
    single = count[place] == 1
    one = kept.take(single)
    parts = [
        Bins(
            look[single],
            bins[single],
            metric.transform.forward(one.values),
            params.noise_var(one.tiers, np.ones(len(one.tiers))),
        )
    ]
    parts += _several(metric, kept.take(~single), look[~single], bins[~single], params)
    return _joined(parts)


def _several(metric: Metric, kept: Samples, look: Ints, bins: Ints, params: MetricParams) -> Iterator[Bins]:
    for place in np.unique(bins).tolist():
        mine = bins == place
        those, when = kept.take(mine), look[mine]
        for at in np.unique(when).tolist():
            yield _bin(metric, measure(metric, those.take(when <= at), np.inf), at, place, params)


def _days(metric: Metric, kept: Samples, look: Ints, params: MetricParams) -> Bins:
    """A day's total counts from the look at its end on, and again with every late part of it."""
    day = np.floor(kept.hours / DAY).astype(np.int64)
    parts = []
    for which in np.unique(day).tolist():
        mine = day == which
        those, end = kept.take(mine), max((which + 1) * DAY, 0)
        when = np.maximum(look[mine], end)
        for at in np.unique(when).tolist():
            found = measure(metric, those.take(when <= at), float(max(at, (which + 1) * DAY)))
            if len(found.measurements.value):
                parts.append(_bin(metric, found, at, (which + 1) * DAY - 1, params))
    return _joined(parts)


def _bin(metric: Metric, found: Measured, look: int, place: int, params: MetricParams) -> Bins:
    """One bin; as in `fold`, days are completed only under a learned day law."""
    m = found.measurements
    if params.day_law is None:
        value, unsure = metric.transform.forward(m.value), np.zeros(len(m.value))
    else:
        value, unsure = learned(metric, m, found.worn_hours, float(params.clock_hour))
    return Bins(np.array([look]), np.array([place]), value, params.noise_var(m.tier, m.n) + unsure)


def _joined(parts: list[Bins]) -> Bins:
    if not parts:
        none = np.empty(0, np.int64)
        return Bins(none, none, np.empty(0), np.empty(0))
    look, place, value, noise = (np.concatenate([np.asarray(p[i]) for p in parts]) for i in range(4))
    return Bins(look, place, value, noise)
