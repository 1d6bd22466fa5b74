"""One metric's course as a page shows it: the own curve with its bands, the procedure's norm, where it stands now."""

from dataclasses import dataclass, replace

import numpy as np

from recovery.twin.filter import Belief
from recovery.twin.forecast import Curve, forecast, forecast_days, level
from recovery.twin.metrics import METRICS, Tier
from recovery.twin.params import BASELINE, PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.state import TwinState
from recovery.twin.transform import Floats

DAY = 24.0
STEP_HOURS = 12.0
DAYS_AHEAD = 7
DAYS_BEFORE = 7


@dataclass(frozen=True, eq=False)
class Course:
    """curve: quantiles of what a reading will be, (H, 5) at `curve.hours`; norm (H,): the procedure's course for a
    person of this baseline. now (5,): what a reading would be now on the own course, leaving out today's deviation
    from it: what "on course" is judged by, or a twin that follows a patient down would call it expected. norm_now: the
    norm at that time. For day grain "now" is the last complete day. Natural units.
    """

    curve: Curve
    norm: Floats
    now: Floats
    norm_now: float


def course(
    state: TwinState, params: PopulationParams, profile: Profile, metric: str, now_hour: float, tier: Tier
) -> Course:
    """The course of `metric` from a week before surgery (when it was read then) to a week ahead of `now_hour`.

    Hour and report grain: every 12 h, without the time-of-day pattern. Day grain: whole postoperative days, placed at
    their middle. The band holds readings, so it includes the noise of one reading of `tier`.
    """
    bound = params.for_metric(metric, profile)
    last = min(now_hour + DAYS_AHEAD * DAY, bound.last_hour)
    first = -DAYS_BEFORE * DAY if _read_before_surgery(state, metric) else 0.0
    if METRICS[metric].grain == "day":
        days = np.arange(first / DAY, max(np.floor(last / DAY), first / DAY + 1.0))
        curve = forecast_days(state, params, profile, metric, days, tier)
        complete = np.clip(np.floor(now_hour / DAY) - 1.0, days[0], days[-1])
        now = forecast_days(_on_course(state, metric), params, profile, metric, [complete], tier)
        shown = Curve(
            metric, curve.hours + DAY / 2, curve.quantiles, curve.basis, curve.generic, curve.model_version, "day"
        )
        at_norm, at_now = curve.hours + DAY, now.hours + DAY
    else:
        hours = np.arange(first, last + 1e-9, STEP_HOURS)
        shown = forecast(state, params, profile, metric, hours, clock=False, reading=True, tier=tier)
        now = forecast(
            _on_course(state, metric), params, profile, metric, [min(now_hour, last)], reading=True, tier=tier
        )
        at_norm, at_now = hours, now.hours
    norm = _norm(state, params, profile, metric, np.concatenate([at_norm, at_now]))
    return Course(shown, norm[:-1], now.quantiles[0], float(norm[-1]))


def _on_course(state: TwinState, metric: str) -> TwinState:
    """The twin with the present deviation of `metric` set aside: its belief speaks of no hour in particular."""
    own = state.metrics[metric]
    belief = own.memory.belief._replace(at=np.asarray(np.inf))
    return replace(state, metrics={**state.metrics, metric: replace(own, memory=replace(own.memory, belief=belief))})


def _read_before_surgery(state: TwinState, metric: str) -> bool:
    """Whether a baseline from before surgery is part of the twin: its first checkpoint lies before hour 0."""
    return any(checkpoint.hour <= 0 and metric in checkpoint.memories for checkpoint in state.checkpoints) or (
        metric in state.metrics and state.until_hour < 0
    )


def _norm(state: TwinState, params: PopulationParams, profile: Profile, metric: str, hours: Floats) -> Floats:
    """The procedure's curve on this person's own baseline, natural units (H,)."""
    bound = params.for_metric(metric, profile)
    mean = bound.prior_mean.copy()
    own = state.metrics.get(metric)
    if own is not None and own.count:
        mean[BASELINE] = own.memory.belief.mean[BASELINE]
    norm, _ = level(
        Belief(mean, bound.prior_cov, np.asarray(-np.inf)), bound, np.minimum(hours, bound.last_hour), False
    )
    return np.asarray(np.clip(METRICS[metric].transform.inverse(norm), *METRICS[metric].display))
