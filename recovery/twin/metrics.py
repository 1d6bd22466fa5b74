"""The catalogue of what the twin follows: one frozen `Metric` per measure, in the registry `METRICS`.

Plausible ranges are those of the clinical reference tables 1.1, 1.2 and 1.4 (general knowledge, to be
reviewed by the hospital); a sample outside is rejected with a reason and kept, never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Literal

from recovery.twin.errors import UnknownMetric
from recovery.twin.source import Source
from recovery.twin.transform import Transform

LOINC = "http://loinc.org"
IMPLANT_CODES = "urn:twinweb:implant-metric"

Grain = Literal["hour", "day", "report"]
Better = Literal["higher", "lower", "baseline"]

WORN_HOURS_FOR_A_DAY = 18  # design section 10: a day's steps count only when worn for 18 of 24 hours


class Tier(IntEnum):
    """How far a source is trusted; the lowest number present in a bin is the one used."""

    IMPLANT = 0
    CLEARED = 1
    CONSUMER = 2
    SELF_REPORT = 3


@dataclass(frozen=True, slots=True)
class Code:
    """A code under which the metric arrives or leaves."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class SensorNoise:
    """Standard deviations, natural units, per `Tier` in its order.

    between: error that a whole bin shares (device, fit, posture), so more samples do not shrink it.
    within: spread of single samples inside a bin; its share of the variance is within^2 / n.
    """

    between: tuple[float, float, float, float]
    within: float
    source: Source


@dataclass(frozen=True, slots=True)
class Metric:
    """One followed measure.

    unit is UCUM. plausible and display are (low, high), both ends allowed, natural units. better says which
    way is recovery; "baseline" means a return to the person's own level, with a rise the usual trouble.
    baseline_before_surgery is False where the operation is meant to change the level (pain), so readings
    before surgery are kept and shown but do not teach the baseline.
    """

    key: str
    label: str
    unit: str
    codes: tuple[Code, ...]
    grain: Grain
    plausible: tuple[float, float]
    plausible_source: Source
    better: Better
    transform: Transform
    noise: SensorNoise
    display: tuple[float, float]
    decimals: int
    follows_clock: bool = False
    baseline_before_surgery: bool = True

    @property
    def worse_sign(self) -> int:
        """+1 when an unexpected rise is bad news, -1 when an unexpected fall is."""
        return -1 if self.better == "higher" else 1

    @property
    def span_hours(self) -> int:
        """Length of one bin, hours."""
        return 24 if self.grain == "day" else 1


_T11 = Source("G", "Clinical reference table 1.1, plausible column")
_T12 = Source("G", "Clinical reference table 1.2, plausible column")
_T14 = Source("G", "Clinical reference table 1.4, plausible column")
_IDENTITY = Transform("identity")


def _loinc(*codes: str) -> tuple[Code, ...]:
    return tuple(Code(LOINC, code) for code in codes)


def _implant(code: str) -> tuple[Code, ...]:
    return (Code(IMPLANT_CODES, code),)


_VITALS = (
    Metric(
        "heart_rate",
        "Heart rate",
        "/min",
        _loinc("8867-4"),
        "hour",
        (20, 250),
        _T11,
        "baseline",
        _IDENTITY,
        SensorNoise(
            (2.0, 3.5, 5.0, 5.0),
            5.0,
            Source(
                "V",
                "Helmer 2022: wrist against ECG after surgery, mean absolute error below 5 bpm, taken as one SD;"
                " Breteler 2020: patch limits of agreement about +-7, SD 3.5; implant and self-report are assumed",
            ),
        ),
        (30, 200),
        0,
        follows_clock=True,
    ),
    Metric(
        "respiratory_rate",
        "Respiratory rate",
        "/min",
        _loinc("9279-1"),
        "hour",
        (3, 70),
        _T11,
        "baseline",
        _IDENTITY,
        SensorNoise(
            (1.5, 1.5, 2.0, 2.5),
            2.5,
            Source(
                "V",
                "Breteler 2020: limits of agreement -4.7..4.4 (EarlySense) to -7.4..5.6 (Sensium) per reading,"
                " SD 2.3 to 3.3, split here between bin and sample; implant and self-report are assumed",
            ),
        ),
        (4, 60),
        0,
        follows_clock=True,
    ),
    Metric(
        "spo2",
        "Oxygen saturation",
        "%",
        _loinc("59408-5", "2708-6"),
        "hour",
        (50, 100),
        _T11,
        "higher",
        Transform("logit", 49.5, 100.5),
        SensorNoise(
            (1.0, 1.0, 1.5, 1.5),
            1.5,
            Source(
                "G",
                "Cleared finger oximeter about 2 % RMS against arterial blood, wrist worse (Apple Watch against"
                " Masimo: single differences to 6 % [V]); split between bin and sample",
            ),
        ),
        (60, 100),
        0,
        follows_clock=True,
    ),
    Metric(
        "temperature",
        "Temperature",
        "Cel",
        _loinc("8310-5", "8331-1"),
        "hour",
        (30, 43),
        _T11,
        "baseline",
        _IDENTITY,
        SensorNoise(
            (0.1, 0.15, 0.2, 0.3),
            0.2,
            Source("G", "Clinical reference 1.1: tympanic +-0.3 to 0.5 as a 95 % range, SD 0.15 to 0.25"),
        ),
        (33, 42),
        1,
        follows_clock=True,
    ),
)

_DAILY_NOISE = Source(
    "M",
    "LifeSnaps: day-to-day CV of steps 0.55 within a healthy person, lag-1 r 0.12, lag-7 r 0.14; the day noise"
    " itself sits in the model parameters, this is the device's share",
)

_ACTIVITY = (
    Metric(
        "steps",
        "Steps",
        "/d",
        _loinc("55423-8", "41950-7"),
        "day",
        (0, 60_000),
        _T12,
        "higher",
        Transform("log", -50.0),
        SensorNoise((150.0, 150.0, 250.0, 800.0), 0.0, _DAILY_NOISE),
        (0, 60_000),
        0,
    ),
    Metric(
        "pain",
        "Pain",
        "{score}",
        _loinc("72514-3"),
        "report",
        (0, 10),
        _T12,
        "lower",
        Transform("logit", -0.5, 10.5),
        SensorNoise(
            (0.63, 0.63, 0.63, 0.63),
            0.0,
            Source(
                "D",
                "Clinical reference 1.2: smallest change that matters 1.5 to 2 points [G], read as the smallest change"
                " beyond error, 1.96 x sqrt(2) x SD of repeat error: 1.75 / 2.77",
            ),
        ),
        (0, 10),
        0,
        baseline_before_surgery=False,
    ),
)

_GAIT_NOISE = Source(
    "G", "Assumed: no published repeatability for these implant metrics was found (clinical reference 1.4)"
)

_GAIT = (
    Metric(
        "walking_speed",
        "Walking speed",
        "m/s",
        (*_implant("walking-speed"), *_loinc("41957-2", "83172-7")),
        "report",
        (0.1, 2.5),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((0.05, 0.06, 0.08, 0.15), 0.0, _GAIT_NOISE),
        (0, 2.5),
        2,
    ),
    Metric(
        "cadence",
        "Cadence",
        "/min",
        _implant("cadence"),
        "hour",
        (20, 180),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((3.0, 4.0, 5.0, 10.0), 5.0, _GAIT_NOISE),
        (0, 180),
        0,
    ),
    Metric(
        "stride_length",
        "Stride length",
        "m",
        _implant("stride-length"),
        "report",
        (0.1, 2.2),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((0.05, 0.06, 0.08, 0.2), 0.0, _GAIT_NOISE),
        (0, 2.2),
        2,
    ),
    Metric(
        "qualified_steps",
        "Qualified steps",
        "/d",
        _implant("qualified-steps"),
        "day",
        (0, 40_000),
        _T14,
        "higher",
        Transform("log", -50.0),
        SensorNoise((100.0, 150.0, 250.0, 800.0), 0.0, _DAILY_NOISE),
        (0, 40_000),
        0,
    ),
    Metric(
        "knee_rom",
        "Knee range of motion",
        "deg",
        _implant("functional-knee-rom"),
        "report",
        (0, 150),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((2.0, 3.0, 4.0, 8.0), 0.0, _GAIT_NOISE),
        (0, 150),
        0,
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({m.key: m for m in (*_VITALS, *_ACTIVITY, *_GAIT)})
_BY_CODE = {code: m for m in METRICS.values() for code in m.codes}


def metric(key: str) -> Metric:
    """The catalogue entry of `key`; raises `UnknownMetric`."""
    try:
        return METRICS[key]
    except KeyError:
        raise UnknownMetric(f"no metric is called {key!r}") from None


def metric_for_code(system: str, code: str) -> Metric | None:
    """The metric that arrives under this code, or None: a code unknown here is not an error."""
    return _BY_CODE.get(Code(system, code))
