"""Value of information: which measurement tonight would most reduce what the twin does not know.

A reading y = h'x + e of a linear-Gaussian state leaves the covariance P - g g' / S with g = P h, S = h'g + r, whatever
its value (`filter.condition_on`). So what one reading will be worth is known before it is taken, in closed form:

    forecast   the level at hour t is a't x + (a fresh deviation), so its variance falls by (a't g)^2 / S
    risk       a risk reads the standardised deviation z = x_d / sqrt(var_d) with log hazard ratio beta per unit of z
               now, so the variance of the log hazard falls by beta^2 g_d^2 / (S var_d)

The second leaves out that values beyond the training range are held at its edge, and that the surprise of the day
changes too; both would add to it. Against it stands a burden in minutes of somebody's time, each with its source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from recovery.twin.filter import Belief, design, predict
from recovery.twin.forecast import belief_of
from recovery.twin.incidence import procedure_class
from recovery.twin.metrics import METRICS, Metric, Tier
from recovery.twin.params import DEVIATION, MetricParams, PopulationParams, stack
from recovery.twin.profile import Profile
from recovery.twin.signals import FRESH_H
from recovery.twin.source import Source
from recovery.twin.state import TwinState
from recovery.twin.survival import COVERED_HOURS, LEAD_EDGES, HazardModel, lead_weights
from recovery.twin.transform import Floats

DAYS_AHEAD = 3
"""The next days whose forecast a reading is to sharpen: until the next but one round [G: this project's choice]."""
RISK_OUTCOME, RISK_HORIZON_H = "complication", 168.0
WORTH_ASKING = 0.05
"""A measurement is suggested when it removes a twentieth of some uncertainty [G: this project's choice]."""


@dataclass(frozen=True, slots=True)
class Burden:
    """What one measurement costs: minutes of patient and staff together, who does it, and where that comes from."""

    minutes: float
    who: str
    source: Source


def _assumed(minutes: float, who: str, why: str) -> Burden:
    return Burden(minutes, who, Source("G", f"{why}; assumed, to be set by the unit"))


WORN = _assumed(1.0, "patient", "putting on a device that measures by itself")
BLOOD = _assumed(15.0, "patient and nurse", "drawing and sending blood, shared by all tests of one sample")
BURDENS: Mapping[str, Burden] = MappingProxyType(
    {
        "heart_rate": WORN,
        "respiratory_rate": WORN,
        "spo2": _assumed(1.0, "patient", "a finger in an oximeter for a minute"),
        "temperature": _assumed(1.0, "patient", "an oral thermometer"),
        "steps": _assumed(5.0, "patient", "wearing the device for the day, and walking"),
        "pain": _assumed(0.5, "patient", "one question"),
        "walking_speed": _assumed(
            2.0, "patient and staff", "a walk of four metres against the clock, with time to stand"
        ),
        "crp": BLOOD,
        "leukocytes": BLOOD,
        "creatinine": BLOOD,
        "haemoglobin": BLOOD,
    }
)
BY_GRAIN = MappingProxyType(
    {"hour": WORN, "day": BURDENS["steps"], "report": _assumed(1.0, "patient", "one question or short test")}
)


@dataclass(frozen=True, slots=True)
class Advice:
    """One measurement that could be taken now, and what it is expected to be worth.

    forecast: share of the variance of the next days' levels of this metric that it removes, 0..1. risk: share of the
    log-hazard variance that comes from not knowing the present deviations of all metrics, 0..1; 0 where the risk model
    does not read the metric. sd_before, sd_after: of the level tomorrow, on the model scale. age_h: since the newest
    reading, None when there is none.
    """

    metric: str
    label: str
    forecast: float
    risk: float
    sd_before: float
    sd_after: float
    age_h: float | None
    burden: Burden

    @property
    def worth(self) -> float:
        """What orders the list: risk counts as much as forecast [G: this project's choice]."""
        return self.forecast + self.risk

    @property
    def worth_a_minute(self) -> float:
        return self.worth / self.burden.minutes


def advise(
    state: TwinState | None,
    params: PopulationParams,
    profile: Profile,
    model: HazardModel,
    now_hour: float,
    *,
    tier: Tier = Tier.CLEARED,
) -> tuple[Advice, ...]:
    """Measurements worth taking now, the most worth per minute first; one reading of `tier` each.

    Empty before surgery, and where the next days lie beyond the hours the model speaks about. A metric never read
    counts from its prior: a first reading is often worth the most.
    """
    keys = [key for key in METRICS if key in params.by_metric and can_be_asked(key, state)]
    bound = [params.for_metric(key, profile) for key in keys]
    bound = [one for one in bound if 0.0 <= now_hour <= one.last_hour - 24.0 * DAYS_AHEAD]
    if not bound:
        return ()
    told = _told(
        state, bound, [log_hazard_slope(model, profile, one.metric, now_hour) for one in bound], now_hour, tier
    )
    return tuple(sorted((one for one in told if one.worth >= WORTH_ASKING), key=lambda one: -one.worth_a_minute))


def _told(
    state: TwinState | None, bound: Sequence[MetricParams], slopes: Sequence[float], now_hour: float, tier: Tier
) -> list[Advice]:
    """All metrics in one passage of arrays with a leading axis."""
    params, belief = stack(bound), _stacked([present(state, one, now_hour) for one in bound])
    noise = params.sensor_noise_var[:, int(tier)] + params.sample_noise_var
    before, removed = forecast_reduction(belief, params, noise, now_hour, _next_days(now_hour))
    uncertain, gone = deviation_reduction(belief, params, noise, now_hour)
    total = float((np.square(slopes) * uncertain).sum())
    risk = np.square(slopes) * gone / total if total > 0.0 else np.zeros(len(bound))
    share = removed.sum(axis=-1) / before.sum(axis=-1)
    after = np.sqrt(np.maximum(before - removed, 0.0))
    return [
        Advice(
            one.metric,
            METRICS[one.metric].label,
            float(share[i]),
            float(risk[i]),
            float(np.sqrt(before[i, 0])),
            float(after[i, 0]),
            _age(state, one.metric, now_hour),
            burden_of(METRICS[one.metric]),
        )
        for i, one in enumerate(bound)
    ]


def _next_days(now_hour: float) -> Floats:
    return np.asarray(now_hour + 24.0 * np.arange(1, DAYS_AHEAD + 1))


def _stacked(beliefs: Sequence[Belief]) -> Belief:
    mean, cov, at = (np.stack([np.asarray(belief[part]) for belief in beliefs]) for part in range(3))
    return Belief(mean, cov, at)


def _age(state: TwinState | None, key: str, now_hour: float) -> float | None:
    held = state.metrics.get(key) if state else None
    last = held.last_reading_hour if held else None
    return None if last is None else now_hour - last


def can_be_asked(key: str, state: TwinState | None) -> bool:
    """Whether somebody could take this reading tonight: an implant speaks only where there is one."""
    return key in BURDENS or bool(state and key in state.metrics)


def burden_of(metric: Metric) -> Burden:
    """The burden of one measurement of this metric; that of its grain where none of its own is stated."""
    return BURDENS.get(metric.key) or BY_GRAIN[metric.grain]


def present(state: TwinState | None, bound: MetricParams, now_hour: float) -> Belief:
    """What is believed now, from the twin or, before a reading or where the twin does worse, from the population."""
    belief, _ = belief_of(state, bound)
    return predict(belief, max(now_hour, float(belief.at)), bound)


def forecast_reduction(
    belief: Belief, params: MetricParams, noise_var: ArrayLike, at: float, hours: ArrayLike
) -> tuple[Floats, Floats]:
    """(variance before, expected reduction) (..., H) of the true levels at `hours` (H,), by one reading at `at` of
    noise_var (...,); model scale."""
    gain, total = _gain(belief, params, noise_var, at)
    ahead = np.asarray(hours, float) + params.lag_hours[..., None]
    rho = np.exp(-params.deviation_rate[..., None] * (ahead - belief.at[..., None]))
    rows = design(params, ahead)
    rows[..., DEVIATION] = rho
    before = np.einsum("...hd,...de,...he->...h", rows, belief.cov, rows)
    before = before + params.deviation_var[..., None] * (1.0 - rho**2)
    return before, np.einsum("...hd,...d->...h", rows, gain) ** 2 / total[..., None]


def deviation_reduction(belief: Belief, params: MetricParams, noise_var: ArrayLike, at: float) -> tuple[Floats, Floats]:
    """(variance, expected reduction) (...,) of the standardised deviation now, by one reading at `at`."""
    gain, total = _gain(belief, params, noise_var, at)
    held = belief.cov[..., DEVIATION, DEVIATION] / params.deviation_var
    return np.asarray(held), np.asarray(gain[..., DEVIATION] ** 2 / (total * params.deviation_var))


def _gain(belief: Belief, params: MetricParams, noise_var: ArrayLike, at: float) -> tuple[Floats, Floats]:
    """g = P h and S = h'g + r of one reading at `at`."""
    h = design(params, np.full(np.shape(params.clock_hour), at))
    gain = np.einsum("...ij,...j->...i", belief.cov, h)
    return gain, np.asarray(np.einsum("...i,...i->...", gain, h) + np.asarray(noise_var))


def log_hazard_slope(model: HazardModel, profile: Profile, metric: str, now_hour: float) -> float:
    """Change of the log hazard of any complication in the coming week per SD of present deviation of this metric.

    The news fades over the week; each hour counts by the baseline hazard in it. 0 where the risk model has no such
    effect, or no figure for the operation.
    """
    effects, baseline = (
        model.effects.get(RISK_OUTCOME),
        model.baseline(RISK_OUTCOME, procedure_class(profile.procedure)),
    )
    keys, name = [feature.key for feature in model.features], f"z_{metric}"
    if effects is None or baseline is None or name not in keys or now_hour > COVERED_HOURS:
        return 0.0
    index = keys.index(name)
    edges = np.array(LEAD_EDGES)[: LEAD_EDGES.index(RISK_HORIZON_H) + 1]
    hazard = np.diff(baseline.cumulative_hazard(now_hour + edges))
    kept = float(np.average(lead_weights(model.fade_hours)[: len(hazard)], weights=hazard))
    return effects.coefficients[1 + index] / model.features[index].sd * kept


def is_stale(metric: Metric, age_h: float | None) -> bool:
    """Whether the newest reading no longer speaks of the present."""
    return age_h is None or age_h > FRESH_H.get(metric.grain, 36.0)
