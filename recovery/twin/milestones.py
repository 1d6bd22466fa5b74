"""When a milestone of recovery is expected: the distribution of the first day on which a measure's trend reaches it.

The trend is baseline and personal curve, without the time of day and without day-to-day deviation: a single good day
is no milestone. It is a fixed function of the state's static part, so a draw of that part gives a draw of the day,
and the share of draws that have arrived by day k estimates P(day <= k) within `TOLERANCE` (two standard errors).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from recovery.twin.filter import Belief, design
from recovery.twin.forecast import Basis, belief_of
from recovery.twin.metrics import METRICS
from recovery.twin.params import BASELINE, CLOCK, DEVIATION, MetricParams, PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.source import Source
from recovery.twin.state import TwinState
from recovery.twin.transform import Floats

DRAWS = 4000
SEED = 20260101
TOLERANCE = float(2.0 * np.sqrt(0.25 / DRAWS))
HORIZON_DAYS = 90


@dataclass(frozen=True, slots=True)
class Milestone:
    """A level of one metric: `target` natural units, or a share of the own baseline ("of_baseline").

    direction "up": reached from below.
    """

    key: str
    label: str
    metric: str
    target: float
    of_baseline: bool
    direction: Literal["up", "down"]
    source: Source


_ALL = (
    Milestone(
        "steps_baseline",
        "Nine tenths of the usual steps before surgery",
        "steps",
        0.9,
        True,
        "up",
        Source("V", "Clinical reference 2.1: spine cohort, 90 % of baseline as the mark of recovery"),
    ),
    Milestone(
        "steps_1000",
        "1,000 steps a day",
        "steps",
        1000.0,
        False,
        "up",
        Source("V", "Clinical reference 1.2: colorectal, 1,000 steps on POD1: odds of a long stay x0.63"),
    ),
    Milestone(
        "walk_100m",
        "Walks 100 m in a day, in all",
        "steps",
        200.0,
        False,
        "up",
        Source("D", "100 m at a step of 0.5 m, short as steps are in the first days (half of a stride of 1.1 m [G])"),
    ),
    Milestone(
        "walking_speed_0_8",
        "Walks at 0.8 m/s",
        "walking_speed",
        0.8,
        False,
        "up",
        Source("G", "Clinical reference 1.2: below 0.8 m/s is slow"),
    ),
    Milestone(
        "qor15_good",
        "Quality of recovery good or better (QoR-15 at 122)",
        "qor15",
        122.0,
        False,
        "up",
        Source("V", "Clinical reference 1.5: QoR-15 good recovery 122 to 135 (Kleif 2018)"),
    ),
)
MILESTONES: Mapping[str, Milestone] = MappingProxyType({m.key: m for m in _ALL if m.metric in METRICS})
OFF_OPIOIDS = Milestone(
    "off_opioids",
    "Takes no opioids any more",
    "opioid use",
    0.0,
    False,
    "down",
    Source(
        "V",
        "Time to cessation after mixed operations (Hah 2018, Hah 2020), given that it has not come yet; an order's end"
        " is the end but for 19.1 % who fill it again (Scully 2018)",
    ),
)
"""Not read from a metric but from what is known of the drug (twin.opioids)."""
ALL_MILESTONES: Mapping[str, Milestone] = MappingProxyType({**MILESTONES, OFF_OPIOIDS.key: OFF_OPIOIDS})


@dataclass(frozen=True, eq=False)
class Arrival:
    """Distribution of the day on which a milestone's trend is first reached, from day `from_day` on.

    by_day (D,): P(reached on or before day from_day + i). median, early, late: days by which 50, 10 and 90 % of the
    probability has arrived, None where it has not within the horizon. tolerance: Monte Carlo error of by_day.
    """

    milestone: str
    from_day: int
    by_day: Floats
    early: int | None
    median: int | None
    late: int | None
    tolerance: float
    basis: Basis
    generic: bool
    model_version: str

    @property
    def probability(self) -> float:
        """Of reaching it within the horizon at all."""
        return float(self.by_day[-1])


def arrivals(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    from_hour: float,
    *,
    horizon_days: int = HORIZON_DAYS,
    metrics: Collection[str] | None = None,
) -> dict[str, Arrival]:
    """Arrival of every milestone whose metric the model has (and, if given, is in `metrics`), seen from the whole
    day that begins at or after `from_hour`; the horizon ends with the model's last day. Same arguments, same
    numbers."""
    first = int(np.ceil(from_hour / 24.0))
    known = params.by_metric.keys() if metrics is None else params.by_metric.keys() & set(metrics)
    wanted = [m for m in MILESTONES.values() if m.metric in known]
    return {m.key: _arrival(m, state, params, profile, first, horizon_days) for m in wanted}


def _arrival(
    milestone: Milestone, state: TwinState | None, params: PopulationParams, profile: Profile, first: int, horizon: int
) -> Arrival:
    bound = params.for_metric(milestone.metric, profile)
    belief, basis = belief_of(state, bound)
    last = max(min(horizon, int(bound.last_hour // 24)), first)
    days = np.arange(first, last + 1).astype(float)
    reached = _reached(milestone, bound, belief, days)
    by_day = np.maximum.accumulate(reached, axis=1).mean(axis=0)
    early, median, late = (day_of_share(by_day, days, share) for share in (0.1, 0.5, 0.9))
    generic, version = profile.curve_is_generic, params.version
    return Arrival(milestone.key, first, by_day, early, median, late, TOLERANCE, basis, generic, version)


def _reached(milestone: Milestone, bound: MetricParams, belief: Belief, days: Floats) -> Floats:
    """(DRAWS, D): 1 where a draw's trend is at or past the target in the middle of the day."""
    draws = _drawn(belief)
    rows = design(bound, 24.0 * days + 12.0 + bound.lag_hours)
    rows[:, CLOCK] = rows[:, DEVIATION] = 0.0
    trend = draws @ rows.T
    scale = METRICS[milestone.metric].transform
    if milestone.of_baseline:
        target = scale.forward(milestone.target * scale.inverse(draws[:, BASELINE]))[:, None]
    else:
        target = scale.forward(milestone.target)
    return np.asarray((trend >= target) if milestone.direction == "up" else (trend <= target), float)


def _drawn(belief: Belief) -> Floats:
    """DRAWS states from the belief; eigenvalues, because parts known exactly have no Cholesky factor."""
    values, vectors = np.linalg.eigh(belief.cov)
    z = np.random.default_rng(SEED).standard_normal((DRAWS // 2, len(values)))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(belief.mean + np.concatenate([z, -z]) @ root.T)


def day_of_share(by_day: Floats, days: Floats, share: float) -> int | None:
    """The first of `days` by which that share of the probability has arrived."""
    there = np.flatnonzero(by_day >= share)
    return int(days[there[0]]) if len(there) else None
