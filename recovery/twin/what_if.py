"""What if: one labelled lever moved, and the forecast or risk as distributions before and after.

Only the levers below exist. Each says what kind of evidence stands behind it (causal: a randomised trial; association:
patients who differed also fared differently; assumption: an entered size, to see its consequence), where its size comes
from, whom it speaks about and over which range. Outside that nothing is answered. It is no treatment recommendation.

    shift     value' = value + amount on the natural scale, so every quantile moves by the amount
    odds      logit p' = logit p + amount b,   b ~ N(size, spread^2), p logit-normal with its 90 % interval
    share     P(value >= cut)' = P - d,   d ~ N(size, spread^2), held to 0..1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, sqrt
from types import MappingProxyType

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from recovery.twin.errors import OutsideDomain
from recovery.twin.forecast import belief_of, day_level, day_quantiles, quantiles
from recovery.twin.metrics import METRICS
from recovery.twin.params import MetricParams, PopulationParams
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.state import TwinState
from recovery.twin.transform import Floats
from recovery.twin.what_if_levers import LEVERS, Evidence, Lever

EVIDENCE_WORDS: Mapping[Evidence, str] = MappingProxyType(
    {
        "causal": "Causal evidence: a randomised trial.",
        "association": "Association in past patients, not proof that changing this will change the outcome.",
        "assumption": "Assumption: the size is the one entered here; no evidence stands behind it.",
    }
)
NOT_ADVICE = "Not a treatment recommendation: it shows what a change would look like, a person decides."
YOUNGEST = 18.0
MAX_DAYS = 7
Z95 = 1.6448536269514722


PAIN_CUT = 3.5
"""Between 3 and 4 of 10: moderate pain begins at 4 [G]."""


@dataclass(frozen=True, slots=True)
class DayBand:
    """Quantiles of the value of one postoperative day, natural units, in the order of `forecast.QUANTILES`."""

    day: int
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability with its central 90 % interval, before and after, and the interval of the difference."""

    label: str
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    difference: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What moving one lever by `amount` looks like. days: empty where no forecast moves; chance: None without one."""

    lever: Lever
    amount: float
    days: tuple[DayBand, ...]
    chance: Chance | None
    model_version: str


@dataclass(frozen=True, slots=True)
class Situation:
    """One patient now: the twin, who it is, the hour, and the shown risk of each outcome as (middle, low, high)."""

    state: TwinState | None
    profile: Profile
    now_hour: float
    risks: Mapping[str, tuple[float, float, float]]


def what_if(lever: Lever, amount: float, who: Situation, params: PopulationParams) -> Answer:
    """The distributions before and after. Raises `OutsideDomain`, with the reason in words, where nothing is known."""
    reason = silence(lever, amount, who, params)
    if reason is not None:
        raise OutsideDomain(reason)
    bound = params.for_metric(lever.metric, who.profile)
    if lever.acts == "shift":
        moved = shifted(who, bound, lever.size * amount)
        return Answer(lever, amount, moved, None, params.version)
    if lever.acts == "odds":
        change = steps_change(who, bound, amount)
        chance = moved_odds(lever, amount, who.risks[lever.outcome])
        return Answer(lever, amount, shifted(who, bound, change), chance, params.version)
    share = share_above(who, bound)
    if share[0] < lever.size:
        raise OutsideDomain(
            f"The trial's difference ({lever.size:.0%}) is larger than this patient's chance ({share[0]:.0%}):"
            " it does not carry over."
        )
    return Answer(lever, amount, (), fewer(lever, share), params.version)


def silence(lever: Lever, amount: float, who: Situation, params: PopulationParams) -> str | None:
    """Why nothing is answered, in words; None when it is."""
    held = who.state.metrics.get(lever.metric) if who.state else None
    day = who.now_hour / 24.0
    age = who.profile.age_years
    refusals = (
        (not np.isfinite(amount) or not lever.low <= amount <= lever.high, _range_words(lever)),
        (who.now_hour < 0, "The operation has not ended yet."),
        (age is not None and age < YOUNGEST, "The evidence is about adults."),
        (bool(lever.procedures) and who.profile.procedure not in lever.procedures, _procedure_words(lever)),
        (not lever.first_day - 1 <= day <= lever.last_day, _day_words(lever)),
        (held is None or held.count == 0, f"{METRICS[lever.metric].label} has never been read for this patient."),
        (lever.metric not in params.by_metric, f"The model in use does not follow {METRICS[lever.metric].label}."),
        (lever.acts == "odds" and lever.outcome not in who.risks, "No risk of this outcome is given for this patient."),
    )
    return next((words for refused, words in refusals if refused), None)


def _range_words(lever: Lever) -> str:
    return f"Only amounts from {lever.low:g} to {lever.high:g} {lever.unit} are answered.".replace(" .", ".")


def _procedure_words(lever: Lever) -> str:
    names = "; ".join(PROCEDURES[key].label.lower() for key in lever.procedures)
    return f"The evidence is about: {names}."


def _day_words(lever: Lever) -> str:
    return f"The evidence is about days {lever.first_day} to {lever.last_day} after the operation."


def ahead(who: Situation, bound: MetricParams) -> Floats:
    """The whole postoperative days to come, at most a week, inside the hours the model speaks about."""
    first = int(np.ceil(who.now_hour / 24.0))
    days = np.arange(first, first + MAX_DAYS, dtype=float)
    return np.asarray(days[24.0 * (days + 1.0) <= bound.last_hour])


def shifted(who: Situation, bound: MetricParams, shift: float) -> tuple[DayBand, ...]:
    """Quantiles of each day's value, and of that value plus `shift`, natural units, held inside the display bounds."""
    days = ahead(who, bound)
    if not len(days):
        return ()
    belief, _ = belief_of(who.state, bound)
    mean, var = day_level(belief, bound, days)
    z = day_quantiles(bound, days, who.state.until_hour if who.state else 0.0)
    before = quantiles(bound, mean, var, z)
    display = METRICS[bound.metric].display
    return tuple(
        DayBand(int(day), _held(row, display), _held(row + shift, display))
        for day, row in zip(days, before, strict=True)
    )


def _held(values: Floats, display: tuple[float, float]) -> tuple[float, ...]:
    return tuple(float(v) for v in np.clip(values, *display))


def steps_change(who: Situation, bound: MetricParams, percent: float) -> float:
    """`percent` of this person's own baseline, natural units."""
    belief, _ = belief_of(who.state, bound)
    return float(METRICS[bound.metric].transform.inverse(belief.mean[0])) * percent / 100.0


def moved_odds(lever: Lever, amount: float, risk: tuple[float, float, float]) -> Chance:
    """The outcome's risk with its odds moved; on the logit both are Gaussian, so the sum is."""
    middle, low, high = (float(logit(min(max(p, 1e-9), 1 - 1e-9))) for p in risk)
    own = (high - low) / (2 * Z95)
    mean, spread = lever.size * amount, lever.spread * amount
    after = _interval(middle + mean, sqrt(own**2 + spread**2))
    return Chance(lever.outcome, risk, after, _difference(middle, own, mean, spread))


def _interval(mean: float, sd: float) -> tuple[float, float, float]:
    middle, low, high = (float(expit(mean + k * sd)) for k in (0.0, -Z95, Z95))
    return middle, low, high


def _difference(middle: float, own: float, mean: float, spread: float) -> tuple[float, float, float]:
    """Middle and central 90 % interval of p' - p over both uncertainties, on a grid of quantiles."""
    z = ndtri((np.arange(400) + 0.5) / 400)
    before = middle + own * z[:, None]
    change = expit(before + mean + spread * z[None, :]) - expit(before)
    low, high = np.quantile(change, (0.05, 0.95))
    return float(expit(middle + mean) - expit(middle)), float(low), float(high)


def share_above(who: Situation, bound: MetricParams) -> tuple[float, float, float]:
    """P(a report tomorrow is moderate pain or more); exact under the forecast, so without an interval of its own."""
    days = ahead(who, bound)
    belief, _ = belief_of(who.state, bound)
    mean, var = day_level(belief, bound, days[:1])
    cut = float(METRICS[bound.metric].transform.forward(PAIN_CUT))
    p = float(ndtr((mean[0] - cut) / np.sqrt(var[0])))
    return p, p, p


def fewer(lever: Lever, share: tuple[float, float, float]) -> Chance:
    """The chance less the trial's difference, held to 0..1."""
    p = share[0]
    sizes = (lever.size, lever.size + Z95 * lever.spread, lever.size - Z95 * lever.spread)
    after = tuple(min(max(p - size, 0.0), 1.0) for size in sizes)
    changed = tuple(one - p for one in after)
    label = f"{METRICS[lever.metric].label} of 4 or more tomorrow"
    return Chance(label, share, (after[0], after[1], after[2]), (changed[0], changed[1], changed[2]))


def odds_ratio(lever: Lever, amount: float) -> float:
    """The odds ratio the lever stands for at `amount`."""
    return exp(lever.size * amount)


__all__ = ["EVIDENCE_WORDS", "LEVERS", "NOT_ADVICE", "Answer", "Chance", "DayBand", "Lever", "Situation", "what_if"]
