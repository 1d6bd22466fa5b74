"""What the twin finds remarkable: standardised surprises, deviation, wear. The input of the risk model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recovery.twin.errors import BackwardsInTime
from recovery.twin.filter import Belief, predict
from recovery.twin.forecast import level
from recovery.twin.metrics import METRICS, metric
from recovery.twin.params import BASELINE, DEVIATION, MetricParams, PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.state import DAY, MetricState, TwinState
from recovery.twin.surprise_blocks import Blocks, blocks

SURE_OF_BASELINE = 0.5  # share of the prior SD below which the own baseline counts as known: assumed [G]


@dataclass(frozen=True, slots=True)
class MetricFeatures:
    """One metric at `now_hour`. None means not known, which is never the same as zero.

    mean_surprise_24h: mean standardised innovation of the last 24 h, signed as read; n_24h of them.
    deviation_z: expected deviation now / its stationary SD. level, expected: true level now by the twin and by the
    procedure curve for a person of this baseline, natural units. worn_fraction_24h: hours with a sample / 24.
    worse_sign: +1 when a rise is bad news, so worse_sign * z is positive when things look worse. scatter: how many
    times as widely as the population's this person's measurements have scattered (`scorecard.scatter_of`).
    """

    metric: str
    mean_surprise_24h: float | None
    n_24h: int
    deviation_z: float | None
    level: float | None
    expected: float | None
    worn_fraction_24h: float
    hours_since_last_reading: float | None
    baseline_is_known: bool
    worse_sign: int
    scatter: float = 1.0


@dataclass(frozen=True, slots=True)
class RecoveryFeatures:
    """All metrics of the registry at one hour after surgery; one never read is present, with None.

    blocks: surprises of the last three days of the metrics that the hypotheses may weigh (`has_blocks`).
    """

    now_hour: float
    model_version: str
    curve: str
    curve_is_generic: bool
    metrics: Mapping[str, MetricFeatures]
    blocks: Mapping[str, Blocks] = field(default_factory=dict)


def features(
    state: TwinState | None, params: PopulationParams, now_hour: float, profile: Profile | None = None
) -> RecoveryFeatures:
    """Features at `now_hour`, at or after the state's until_hour; raises `BackwardsInTime` before it."""
    if state and now_hour < state.until_hour:
        raise BackwardsInTime("features of a past hour come from a twin folded until that hour")
    who = profile or Profile()
    held = state.metrics if state else {}
    found = {key: _never_read(key) for key in METRICS} | {
        key: _features(held[key], params.for_metric(key, who), now_hour) for key in METRICS if key in held
    }
    weighed = {
        key: blocks(one.recent_hours, one.recent_surprises, now_hour) for key, one in held.items() if has_blocks(key)
    }
    return RecoveryFeatures(now_hour, params.version, who.curve, who.curve_is_generic, found, weighed)


def has_blocks(key: str) -> bool:
    """A day's total is known a day late and says nothing about when something began."""
    return metric(key).grain != "day"


def _never_read(key: str) -> MetricFeatures:
    return MetricFeatures(key, None, 0, None, None, None, 0.0, None, False, metric(key).worse_sign)


def _features(state: MetricState, bound: MetricParams, now: float) -> MetricFeatures:
    sign = metric(bound.metric).worse_sign
    lately = state.recent_surprises[state.recent_hours >= now - DAY]
    last = state.last_reading_hour
    z, here, expected, known = _position(state, bound, now)
    return MetricFeatures(
        bound.metric,
        float(lately.mean()) if len(lately) else None,
        len(lately),
        z,
        here,
        expected,
        worn_fraction(state, now),
        None if last is None else now - last,
        known,
        sign,
        state.memory.card.scatter,
    )


def worn_fraction(state: MetricState, now: float) -> float:
    """Share of the 24 hour bins before `now` that hold a sample."""
    last = int(np.ceil(now))
    return sum(last - DAY <= h < last for h in state.worn_hours) / DAY


def _position(
    state: MetricState, bound: MetricParams, now: float
) -> tuple[float | None, float | None, float | None, bool]:
    """(deviation z, level, expected level, baseline known) at `now`; nothing before the first measurement."""
    if not state.count:
        return None, None, None, False
    belief = predict(state.memory.belief, max(now, float(state.memory.belief.at)), bound)
    z = float(belief.mean[DEVIATION] / np.sqrt(bound.deviation_var))
    own, norm = (float(level(b, bound, [now])[0][0]) for b in (belief, _norm(belief, bound)))
    to_natural = metric(bound.metric).transform.inverse
    spread = np.sqrt(belief.cov[BASELINE, BASELINE] / bound.prior_cov[BASELINE, BASELINE])
    return z, float(to_natural(own)), float(to_natural(norm)), bool(spread < SURE_OF_BASELINE)


def _norm(belief: Belief, bound: MetricParams) -> Belief:
    """The procedure's curve on this person's own baseline: no personal curve, no deviation."""
    mean = bound.prior_mean.copy()
    mean[BASELINE] = belief.mean[BASELINE]
    return Belief(mean, bound.prior_cov, belief.at)
