"""What risk and alerts read of the twin: per metric, how far on the worse side of the expected course, how
fresh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from recovery.twin.facts import Fact
from recovery.twin.metrics import METRICS, Metric
from recovery.twin.surprise import MetricFeatures, RecoveryFeatures

FRESH_H = {"hour": 12.0, "day": 48.0, "report": 36.0}
"""A metric speaks of the present while its newest reading is no older than this, by grain: two six-hourly
uploads for hourly ones, a missed day for daily ones [G: this project's choice]."""
VITALS = ("heart_rate", "respiratory_rate", "spo2", "temperature")
ACTIVITY = ("steps", "qualified_steps")
SINGLE = 1.0
"""One hourly reading in the day has half a say, twenty have nearly a whole one: as if one more reading had been as
expected. An alert is sustained, not instant; a single night's value on healthy people raised 0.29 deteriorations a
month [M: LifeSnaps, docs/evidence/false-onsets]."""
LEAST_STEPS = 50.0
"""Below this many steps a day a ratio says nothing; the same floor as the metric's own scale."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One metric now, never read ones left out.

    z: expected deviation in standard deviations, surprise: mean standardised surprise of the last day (None
    without readings in it); both positive on the worse side. level and expected are in natural units, the
    expected one that of the procedure's curve on the person's own baseline. age_h: since the newest reading. say: share
    of the surprise that counts (`_say`).
    """

    metric: str
    label: str
    unit: str
    z: float
    surprise: float | None
    level: float
    expected: float
    worse_sign: int
    age_h: float
    worn_fraction: float
    is_current: bool
    say: float = 1.0

    @property
    def strength(self) -> float:
        """How strongly the metric speaks of trouble: expected deviation now plus the mean surprise of the last day,
        as far as it has a say. The deviation alone is slow, since the twin learns; the surprise alone forgets what it
        has learnt."""
        return self.z + self.say * (self.surprise or 0.0)

    @property
    def shift(self) -> float:
        """Level less expected, natural units, signed as measured."""
        return self.level - self.expected

    @property
    def worse_shift(self) -> float:
        """The shift with its sign turned to the worse side; for step counts the log ratio, since they
        scale."""
        if self.metric in ACTIVITY:
            return log(max(self.expected, LEAST_STEPS) / max(self.level, LEAST_STEPS))
        return self.worse_sign * self.shift

    def fact(self, lasting_h: float | None = None) -> Fact:
        key = "above_own_curve" if self.shift > 0 else "below_own_curve"
        return Fact(key, self.metric, self.label.lower(), self.shift, self.unit, lasting_h)


def signals(features: RecoveryFeatures) -> tuple[Signal, ...]:
    """The metrics that have been read, in the order of the registry. Asked for five times at each look at a patient,
    in a backtest for all patients of a look in turn, so the last answers are kept."""
    held = _kept.get(id(features))
    if held is not None and held[0] is features:
        return held[1]
    read = ((key, features.metrics.get(key)) for key in METRICS)
    found = [_signal(key, one) for key, one in read if one is not None and one.hours_since_last_reading is not None]
    answer = tuple(signal for signal in found if signal is not None)
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[id(features)] = features, answer
    return answer


MOST_KEPT = 256
_kept: dict[int, tuple[RecoveryFeatures, tuple[Signal, ...]]] = {}
"""By identity; the features are held beside the answer, so that no other object can take their place."""


def newest_worn_h(features: RecoveryFeatures) -> float | None:
    """Hours since the newest reading of anything worn (vital signs, steps); None before the first."""
    ages = [s.age_h for s in signals(features) if s.metric in (*VITALS, *ACTIVITY)]
    return min(ages, default=None)


def by_metric(features: RecoveryFeatures) -> Mapping[str, Signal]:
    return {signal.metric: signal for signal in signals(features)}


def _signal(key: str, found: MetricFeatures) -> Signal | None:
    age = found.hours_since_last_reading
    if age is None or found.deviation_z is None or found.level is None or found.expected is None:
        return None
    metric, sign, surprise = METRICS[key], found.worse_sign, found.mean_surprise_24h
    return Signal(
        metric=key,
        label=metric.label,
        unit=metric.unit,
        z=sign * found.deviation_z,
        surprise=None if surprise is None else sign * surprise,
        level=found.level,
        expected=found.expected,
        worse_sign=sign,
        age_h=age,
        worn_fraction=found.worn_fraction_24h,
        is_current=age <= FRESH_H[metric.grain],
        say=_say(found, metric),
    )


def _say(found: MetricFeatures, metric: Metric) -> float:
    """How much the mean surprise counts: in units of the person's own scatter, since what is usual for an erratic
    walker is no news, and less where an hourly measure was hardly read."""
    seen = found.n_24h / (found.n_24h + SINGLE) if metric.grain == "hour" else 1.0
    return seen / found.scatter
