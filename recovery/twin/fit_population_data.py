"""Offline only: what the population fit reads, one value per patient, measure and day, without trouble in it.

Ordinary recovery only: from the onset of a complication until 10 days after its diagnosis nothing is used, nor
after death. A patient who drops out because of illness therefore leaves the data at the onset, which the record
knows, and not at the last reading, which depends on the illness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recovery.twin.filter import Readings
from recovery.twin.fit_cohort import Case
from recovery.twin.measurement import Measured, Measurements, measure
from recovery.twin.metrics import METRICS, Metric
from recovery.twin.profile import Profile
from recovery.twin.transform import Floats
from recovery.twin.wear import learned

HOURS_FOR_A_DAY = 8  # design section 10: the day value of an hourly measure is the median of at least 8 hours
AFTER_DIAGNOSIS_H = 240.0  # the backtest judges ordinary recovery again 10 days after a diagnosis
FIRST_DAY, LAST_DAY = -14, 60
CLOCK_RIDGE = 2.4  # hours of prior weight on no pattern: keeps a patient of a few hours from an absurd one
OUTLIER_MADS = 4.0  # hours further than this from their day do not speak about the clock: assumed [G]
MAD_TO_SD = 1.4826


@dataclass(frozen=True, eq=False)
class MetricData:
    """One measure of n patients, model scale, nan where there is none.

    readings: what the filter reads, (n, T), noise_var holding the number of samples behind each value; extra_var
    (n, T): noise to add for what of a day was not seen. days: (n, D)
    values of whole days FIRST_DAY.. as the backtest scores them. levels, hours_worn: (n, D) the same days freed of
    the time-of-day pattern and of outlying hours, and hours behind them. clock: (n, 2) each patient's
    cos and sin coefficients, nan where unknown; tier: the tier most values came from.
    """

    key: str
    readings: Readings
    extra_var: Floats
    days: Floats
    levels: Floats
    hours_worn: Floats
    clock: Floats
    tier: int


@dataclass(frozen=True, eq=False)
class Training:
    """Patients in the order of `patients`; ordinary (n, D): days free of complications and death."""

    patients: tuple[str, ...]
    profiles: tuple[Profile, ...]
    ordinary: Floats
    by_metric: Mapping[str, MetricData]

    def take(self, index: Sequence[int]) -> "Training":
        """The named patients only."""
        rows = np.asarray(index, int)
        return Training(
            tuple(self.patients[i] for i in rows),
            tuple(self.profiles[i] for i in rows),
            self.ordinary[rows],
            {key: _rows(data, rows) for key, data in self.by_metric.items()},
        )

    @property
    def measurements(self) -> int:
        """Measurements of all patients together."""
        return int(sum(np.isfinite(data.readings.value).sum() for data in self.by_metric.values()))


def training_data(cases: Sequence[Case], metrics: Sequence[str] = tuple(METRICS)) -> Training:
    """Everything the fit needs from the cases, read once. Metrics that nobody was measured by are left out."""
    ordinary = np.array([_ordinary_days(case) for case in cases])
    found = {key: _metric_data(METRICS[key], cases) for key in metrics if any(key in c.samples for c in cases)}
    return Training(tuple(c.patient for c in cases), tuple(c.profile for c in cases), ordinary, found)


def _rows(data: MetricData, rows: NDArray[np.int_]) -> MetricData:
    readings = Readings(*(a[rows] for a in data.readings))
    return replace(
        data,
        readings=readings,
        extra_var=data.extra_var[rows],
        days=data.days[rows],
        levels=data.levels[rows],
        hours_worn=data.hours_worn[rows],
        clock=data.clock[rows],
    )


def troubled(case: Case) -> list[tuple[float, float]]:
    """Hours (from, to) that are not ordinary recovery."""
    spans = [(onset, diagnosed + AFTER_DIAGNOSIS_H) for diagnosed, onset, _ in case.diagnoses]
    return spans if case.died_h is None else [*spans, (case.died_h - 24.0, np.inf)]


def _ordinary_days(case: Case) -> Floats:
    days = np.arange(FIRST_DAY, LAST_DAY)
    free = np.ones(len(days))
    for start, end in troubled(case):
        free[(24.0 * (days + 1) >= start) & (24.0 * days <= end)] = 0.0
    return free


def _metric_data(metric: Metric, cases: Sequence[Case]) -> MetricData:
    kept = [_ordinary(metric, case) for case in cases]
    reduced = [_reduced(metric, one, case.profile) for one, case in zip(kept, cases, strict=True)]
    days, levels, worn, clock = (np.array([r[k] for r in reduced]) for k in range(4))
    tiers = np.concatenate([one.found.tier for one in kept])
    tier = int(np.bincount(tiers).argmax()) if len(tiers) else 0
    return MetricData(metric.key, *_stacked(kept), days, levels, worn, clock, tier)


class _Kept(NamedTuple):
    """One patient's measurements, with what the twin learns from them: values on the model scale and added noise."""

    found: Measurements
    value: Floats
    extra_var: Floats


def _ordinary(metric: Metric, case: Case) -> _Kept:
    """Measurements of one patient outside trouble, inside the days looked at."""
    samples = case.samples.get(metric.key)
    measured = Measured.nothing() if samples is None else measure(metric, samples, 24.0 * LAST_DAY)
    found = measured.measurements
    free = (found.start >= 24.0 * FIRST_DAY) & (found.end <= 24.0 * LAST_DAY)
    for start, end in troubled(case):
        free &= (found.end < start) | (found.start > end)
    found = found.take(free)
    return _Kept(found, *learned(metric, found, measured.worn_hours, case.profile.surgery_end_hour_of_day))


def _stacked(kept: Sequence[_Kept]) -> tuple[Readings, Floats]:
    arrays = np.full((4, len(kept), max((len(one.value) for one in kept), default=0)), np.nan)
    for i, (found, value, extra) in enumerate(kept):
        arrays[:, i, : len(value)] = found.at, value, found.n, extra
    return Readings(*arrays[:3]), arrays[3]


def _reduced(metric: Metric, kept: _Kept, profile: Profile) -> tuple[Floats, ...]:
    """(day values, levels, hours worn, clock) of one patient, arrays (D,) and (2,)."""
    size, found = LAST_DAY - FIRST_DAY, kept.found
    day = np.floor(found.start / 24.0).astype(int) - FIRST_DAY
    if metric.grain == "hour":
        return _hourly(metric, found, profile, day, kept.value)
    values, levels, worn = np.full(size, np.nan), np.full(size, np.nan), np.zeros(size)
    # In time order, so the last report of a day stays.
    values[day], levels[day], worn[day] = metric.transform.forward(found.value), kept.value, found.n
    return values, levels, worn, np.full(2, np.nan)


def _hourly(
    metric: Metric, found: Measurements, profile: Profile, day: NDArray[np.int_], y: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    size = LAST_DAY - FIRST_DAY
    values, levels, worn = np.full(size, np.nan), np.full(size, np.nan), np.zeros(size)
    if not len(y):
        return values, levels, worn, np.full(2, np.nan)
    middle = np.full(size, np.nan)
    for d in np.unique(day):
        middle[d] = np.median(y[day == d])
        if (day == d).sum() >= HOURS_FOR_A_DAY:
            values[d] = metric.transform.forward(np.median(found.value[day == d]))
    off = np.abs(y - middle[day])
    near = off <= OUTLIER_MADS * MAD_TO_SD * max(float(np.median(off)), 1e-9)
    clock, pattern = _clock(found.at[near], day[near], y[near], profile) if metric.follows_clock else (np.zeros(2), 0.0)
    rest = y[near] - pattern
    worn = np.bincount(day[near], minlength=size).astype(float)
    levels = np.divide(np.bincount(day[near], rest, size), worn, out=levels, where=worn > 0)
    return values, levels, worn, clock


def _clock(at: Floats, day: NDArray[np.int_], y: Floats, profile: Profile) -> tuple[Floats, Floats]:
    """Least-squares cos and sin coefficients within days, with a ridge, and the pattern they give at each hour."""
    angle = (2.0 * np.pi / 24.0) * (profile.surgery_end_hour_of_day + at)
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    count = np.maximum(np.bincount(day), 1)
    cos, sin, rest = (v - (np.bincount(day, v) / count)[day] for v in (rows[:, 0], rows[:, 1], y))
    x = np.stack([cos, sin], axis=1)
    coefficients = np.linalg.solve(x.T @ x + CLOCK_RIDGE * np.eye(2), x.T @ rest)
    return np.asarray(coefficients), np.asarray(rows @ coefficients)
