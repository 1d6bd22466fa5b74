"""A seeded generator of SYNTHETIC patients for the demo ward and the tests. Nothing here is a real person.

A patient is drawn from the model's own prior, then worn, lost and disturbed like a real stream: gaps, nights
without the watch, artefacts and, when asked, the signature of a complication. Whatever shows these data must
call them synthetic; `Synthetic.label` is the word for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from recovery.twin.errors import UnknownMetric
from recovery.twin.filter import design
from recovery.twin.measurement import Samples
from recovery.twin.metrics import METRICS, Metric, Tier
from recovery.twin.params import DEVIATION, MetricParams, PopulationParams
from recovery.twin.profile import Profile
from recovery.twin.source import Source
from recovery.twin.transform import Floats

SIMULATOR = "synthetic-1"
WATCH, PHONE, IMPLANT = 0, 1, 2  # series numbers of one synthetic patient
WATCHED = ("heart_rate", "respiratory_rate", "spo2", "temperature")
IMPLANTED = ("walking_speed", "cadence", "stride_length", "knee_rom")
DRAWN = ("crp", "leukocytes", "creatinine", "haemoglobin")
LABORATORY = 3
LAST_DRAW_H = 7 * 24  # blood is drawn daily on the ward: assumed [G] to be a week, the caller cuts it at discharge
DRAWN_AT = 6.0  # local clock hour of the morning round
WEAR_STREAM = 11  # of the random numbers; metrics are numbered around it, so that a new one changes no other

# Assumed [G]: patients nearer the middle than the prior allows, and hourly values already averaged by the device.
SPREAD, NOISE = 0.5, 0.5
# Assumed [G]: a watch comes off 2 % of hours and stays off for 5 hours on average; 0.2 % of readings are artefacts.
COMES_OFF, STAYS_OFF, ARTEFACT = 0.02, 0.8, 0.002
MISSED_REPORT = 0.1  # assumed [G]


@dataclass(frozen=True, slots=True)
class Effect:
    """A complication's push on one metric: `size` in natural units (for steps: share lost), reached `ramp_h`
    hours after it begins, `delay_h` hours after onset."""

    metric: str
    size: float
    delay_h: float
    ramp_h: float


@dataclass(frozen=True, slots=True)
class Signature:
    """What a complication does to the metrics before anyone has named it."""

    effects: tuple[Effect, ...]
    source: Source


SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {
        "pneumonia": Signature(
            (
                Effect("respiratory_rate", 5.0, 0.0, 24.0),
                Effect("spo2", -4.0, 12.0, 24.0),
                Effect("heart_rate", 12.0, 18.0, 24.0),
                Effect("temperature", 1.1, 24.0, 18.0),
                Effect("steps", 0.5, 24.0, 24.0),
                Effect("crp", 90.0, 12.0, 36.0),
                Effect("leukocytes", 5.0, 6.0, 24.0),
            ),
            Source(
                "G",
                "Clinical reference 3.3: respiratory rate first, then SpO2 falls, heart rate, temperature; sizes at"
                " or just above its range for any infection, SpO2, steps and blood values assumed",
            ),
        ),
        "ssi": Signature(
            (
                Effect("pain", 2.0, 0.0, 48.0),
                Effect("temperature", 0.8, 24.0, 48.0),
                Effect("heart_rate", 8.0, 24.0, 48.0),
                Effect("steps", 0.3, 24.0, 48.0),
                Effect("crp", 60.0, 12.0, 48.0),
                Effect("leukocytes", 3.0, 12.0, 48.0),
            ),
            Source(
                "G",
                "Clinical reference 3.3: pain rising after POD5, temperature, heart rate over 1 to 3 days, a second"
                " rise of CRP; sizes of the blood values assumed",
            ),
        ),
        "leak": Signature(
            (
                Effect("heart_rate", 20.0, 0.0, 24.0),
                Effect("respiratory_rate", 4.0, 6.0, 24.0),
                Effect("temperature", 1.0, 12.0, 24.0),
                Effect("steps", 0.6, 12.0, 24.0),
                Effect("pain", 2.0, 12.0, 24.0),
                Effect("crp", 120.0, 0.0, 36.0),
                Effect("leukocytes", 5.0, 6.0, 24.0),
            ),
            Source(
                "G",
                "Clinical reference 3.3: heart rate above 100, respiratory rate, temperature, CRP flat or rising on"
                " POD3-5; sizes assumed",
            ),
        ),
        "pe": Signature(
            (
                Effect("heart_rate", 25.0, 0.0, 2.0),
                Effect("respiratory_rate", 6.0, 0.0, 2.0),
                Effect("spo2", -5.0, 0.0, 3.0),
                Effect("steps", 0.7, 0.0, 2.0),
            ),
            Source("G", "Clinical reference 3.3: sudden heart rate rise, respiratory rate, SpO2 fall, steps drop"),
        ),
    }
)


@dataclass(frozen=True)
class Synthetic:
    """One synthetic patient's samples by metric, with the seed and simulator version to print beside them."""

    samples: Mapping[str, Samples]
    seed: int
    complication: str | None
    onset_hour: float | None
    simulator: str = SIMULATOR
    label: str = "Synthetic patient: generated, not a real person"


def simulate(
    seed: int,
    params: PopulationParams,
    profile: Profile,
    *,
    first_hour: int = -72,
    last_hour: int = 336,
    complication: str | None = None,
    onset_hour: float = 96.0,
    implant: bool = False,
    laboratory: bool = False,
) -> Synthetic:
    """Hourly watch readings, hourly steps, pain twice a day, (implant True) daily gait and (laboratory True) the
    blood values of the first mornings of one synthetic patient.

    Same arguments, same samples, bit for bit. Raises `UnknownMetric` for a complication without a signature.
    """
    if complication is not None and complication not in SIGNATURES:
        raise UnknownMetric(f"no signature is called {complication!r}")
    effects = {e.metric: e for e in SIGNATURES[complication].effects} if complication else {}
    hours = np.arange(float(first_hour), float(last_hour)) + 0.5
    worn = _worn(np.random.default_rng([seed, WEAR_STREAM]), len(hours))
    keys = ("steps", "pain", *WATCHED, *((*IMPLANTED, "qualified_steps") if implant else ()))
    keys += DRAWN if laboratory else ()
    made = {}
    for index, key in enumerate(METRICS):
        if key in keys:
            story = _Story(METRICS[key], params.for_metric(key, profile), effects.get(key), onset_hour)
            made[key] = _samples(story, np.random.default_rng([seed, index + (index >= WEAR_STREAM)]), hours, worn)
    return Synthetic(MappingProxyType(made), seed, complication, onset_hour if complication else None)


@dataclass(frozen=True)
class _Story:
    metric: Metric
    params: MetricParams
    effect: Effect | None
    onset: float


def _samples(story: _Story, rng: np.random.Generator, hours: Floats, worn: Floats) -> Samples:
    key = story.metric.key
    if key == "qualified_steps":
        noons = hours[0] - hours[0] % 24.0 + 24.0 * np.arange(len(hours) // 24) + 12.0
        totals = _values(story, rng, noons[noons > 0.0] + story.params.lag_hours, Tier.IMPLANT)
        return Samples.of(noons[noons > 0.0], totals, int(Tier.IMPLANT), IMPLANT, 24.0)
    if key == "steps":
        return _steps(story, rng, hours, worn)
    if key in WATCHED:
        at = hours[worn > 0.0]
        values = _with_artefacts(story.metric, rng, _values(story, rng, at, Tier.CONSUMER))
        return Samples.of(at, values, int(Tier.CONSUMER), WATCH)
    if key in DRAWN:
        at = _draws(story, hours)
        return Samples.of(at, _values(story, rng, at, Tier.CLEARED), int(Tier.CLEARED), LABORATORY)
    at = _reports(story, rng, hours)
    tier, series = (Tier.SELF_REPORT, PHONE) if key == "pain" else (Tier.IMPLANT, IMPLANT)
    return Samples.of(at, _values(story, rng, at, tier), int(tier), series)


def _values(story: _Story, rng: np.random.Generator, at: Floats, tier: Tier) -> Floats:
    """Natural values at hours `at`: prior draw, Ornstein-Uhlenbeck deviation, noise, effect; rounded as shown."""
    params, metric = story.params, story.metric
    sd = np.sqrt(np.diagonal(params.prior_cov))
    state = params.prior_mean + SPREAD * sd * rng.standard_normal(len(sd))
    state[DEVIATION] = 0.0
    noise = NOISE * np.sqrt(params.sensor_noise_var[int(tier)]) * rng.standard_normal(len(at))
    y = design(params, at) @ state + _wander(params, rng, at) + noise
    x = _disturbed(story, metric.transform.inverse(y), at)
    return np.asarray(np.round(np.clip(x, *metric.plausible), metric.decimals))


def _wander(params: MetricParams, rng: np.random.Generator, at: Floats) -> Floats:
    """A path of the deviation at rising hours: d_i = rho d_(i-1) + sqrt(var (1 - rho^2)) e."""
    rho = np.exp(-params.deviation_rate * np.diff(at, prepend=-np.inf))
    push = np.sqrt(params.deviation_var * (1.0 - rho**2)) * rng.standard_normal(len(at))
    path = np.zeros(len(at))
    for i, (r, e) in enumerate(zip(rho, push, strict=True)):
        path[i] = r * path[i - 1] + e if i else e
    return path


def _disturbed(story: _Story, x: Floats, at: Floats) -> Floats:
    effect = story.effect
    if effect is None:
        return x
    share = np.clip((at - story.onset - effect.delay_h) / effect.ramp_h, 0.0, 1.0)
    return x * (1.0 - effect.size * share) if effect.metric == "steps" else x + effect.size * share


def _worn(rng: np.random.Generator, n: int) -> Floats:
    """1 where the watch is on, as a two-state Markov chain."""
    chance, on = rng.random(n), True
    worn = np.zeros(n)
    for i in range(n):
        on = chance[i] >= (COMES_OFF if on else STAYS_OFF)
        worn[i] = on
    return worn


def _with_artefacts(metric: Metric, rng: np.random.Generator, values: Floats) -> Floats:
    """A few readings beyond the plausible range, for the gate to refuse."""
    return np.asarray(np.where(rng.random(len(values)) < ARTEFACT, metric.plausible[1] * 1.5, values))


def _steps(story: _Story, rng: np.random.Generator, hours: Floats, worn: Floats) -> Samples:
    """Day totals shared over the waking hours of the local clock; a worn hour at night is a true zero."""
    days = np.floor(hours / 24.0)
    which, place = np.unique(days, return_inverse=True)
    # The model's day value sits at the day's end, which is where its design row is evaluated.
    totals = _values(story, rng, (which + 1.0) * 24.0, Tier.CONSUMER)
    clock = (float(story.params.clock_hour) + hours) % 24.0
    weight = np.where((clock >= 7.0) & (clock < 22.0), rng.gamma(1.5, size=len(hours)), 0.0)
    share = weight / np.maximum(np.bincount(place, weight)[place], 1e-9)
    counts = np.round(totals[place] * share)
    return Samples.of(hours[worn > 0.0], counts[worn > 0.0], int(Tier.CONSUMER), WATCH)


def _draws(story: _Story, hours: Floats) -> Floats:
    """Hours of the morning blood draws of the first week, and of the one before surgery."""
    clock = np.floor((float(story.params.clock_hour) + hours) % 24.0)
    mornings = hours[(clock == DRAWN_AT) & (hours < LAST_DRAW_H)]
    return np.concatenate([mornings[mornings < 0.0][-1:], mornings[mornings > 0.0]])


def _reports(story: _Story, rng: np.random.Generator, hours: Floats) -> Floats:
    """Hours of reports after surgery: pain at 9 and 19 local time with some missed, implants at 3 in the night."""
    clock = np.floor((float(story.params.clock_hour) + hours) % 24.0)
    wanted = (9.0, 19.0) if story.metric.key == "pain" else (3.0,)
    kept = np.isin(clock, wanted) & (hours > 0.0) & (rng.random(len(hours)) >= MISSED_REPORT)
    return hours[kept]
