"""Of two of a person's own devices that measure the same, the one that they want to be believed.

Only what the person chose between is weighed: an implant or a cleared device always speaks, whatever was chosen.
"""

import numpy as np

from recovery.twin.measurement import Ints, Samples
from recovery.twin.metrics import WORN_HOURS_FOR_A_DAY, Metric, Tier


def prefer(metric: Metric, samples: Samples, source: int) -> Samples:
    """The samples without those of other wearables and reports in each bin that `source` (of `Samples.series`) fills.

    A bin is an hour; for a metric counted by the day it is a day, filled when `source` was worn long enough to count.
    Elsewhere the others stand in. A pure function of the set of samples.
    """
    chosen = samples.series == source
    if not chosen.any() or chosen.all():
        return samples
    bins = np.floor(samples.hours).astype(np.int64)
    if metric.grain == "day":
        filled, bins = _worn_days(samples.take(chosen), bins[chosen]), bins // 24
    else:
        filled = np.unique(bins[chosen])
    rivals = ~chosen & (samples.tiers >= Tier.CONSUMER)
    return samples.take(~(rivals & np.isin(bins, filled)))


def _worn_days(mine: Samples, hours: Ints) -> Ints:
    """Days in which one source was worn as long as `measure` asks for."""
    days = hours // 24
    short = mine.span_hours <= 1.0
    found = []
    for day in np.unique(days):
        today = days == day
        worn = len(np.unique(hours[today & short])) + float(mine.span_hours[today & ~short].sum())
        if worn >= WORN_HOURS_FOR_A_DAY:
            found.append(day)
    return np.array(found, dtype=np.int64)
