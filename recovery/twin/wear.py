"""What a day's total would have been had the device been worn, or its last hours arrived: steps are walked by day.

The total that is stored, shown and scored stays as it was counted; only what the twin learns from is completed.
"""

from collections.abc import Sequence

import numpy as np

from recovery.twin.measurement import Measurements
from recovery.twin.metrics import Metric
from recovery.twin.source import Source
from recovery.twin.transform import Floats

WAKES, SLEEPS = 7.0, 22.0
LEAST_SHARE = 0.5
UNSEEN_CV = 0.5
WEAR_SOURCE = Source(
    "G",
    "Assumed: activity rises and falls as half a sine between 7 and 22 h local time; the unseen part of a day is known"
    " to within half of itself; a day seen for less than half of its activity is completed as if half were seen",
)


def seen_share(found: Measurements, worn_hours: Sequence[int], clock_hour: float) -> Floats:
    """Share (n,) of each day's expected activity that falls into worn hours; 1 for a total that came as one number.

    worn_hours: hour bins with a sample (`Measured.worn_hours`). clock_hour: local hour at surgery end.
    """
    if not len(worn_hours):
        return np.ones(len(found.start))
    worn, profile = np.asarray(worn_hours, np.int64), _activity(np.arange(24.0), clock_hour)
    day, wanted = worn // 24, np.floor(found.start / 24.0).astype(np.int64)
    first = min(int(day.min()), int(wanted.min()))
    size = max(int(day.max()), int(wanted.max())) - first + 1
    weight = np.bincount(day - first, profile[worn % 24], size)[wanted - first]
    counted = np.bincount(day - first, minlength=size)[wanted - first] > 0
    return np.where(counted, np.clip(weight / profile.sum(), LEAST_SHARE, 1.0), 1.0)


def learned(metric: Metric, found: Measurements, worn_hours: Sequence[int], clock_hour: float) -> tuple[Floats, Floats]:
    """What the twin learns from measurements (n,): value on the model scale, and noise variance to add to the
    sensor's. Day totals are completed to a whole day; everything else is taken as read."""
    if metric.grain != "day" or not len(found.value):
        return metric.transform.forward(found.value), np.zeros(len(found.value))
    share = seen_share(found, worn_hours, clock_hour)
    whole = np.minimum(found.value / share, metric.plausible[1])
    unsure = UNSEEN_CV * (1.0 - share) * whole * metric.transform.slope(whole)
    return metric.transform.forward(whole), np.asarray(unsure**2)


def _activity(hours: Floats, clock_hour: float) -> Floats:
    """Expected activity of hour bins, any unit."""
    clock = np.mod(np.floor(np.mod(clock_hour, 24.0)) + hours, 24.0) + 0.5
    awake = (clock > WAKES) & (clock < SLEEPS)
    return np.where(awake, np.sin(np.pi * (clock - WAKES) / (SLEEPS - WAKES)), 0.0)
