"""The catalogue of what the twin follows: one frozen `Metric` per measure, in the registry `METRICS`.

Plausible ranges are those of the clinical reference tables 1.1, 1.2 and 1.4 (general knowledge, to be
reviewed by the hospital); a sample outside is rejected with a reason and kept, never lost.
"""

from collections.abc import Mapping
from types import MappingProxyType

from recovery.twin.errors import UnknownMetric
from recovery.twin.metric_types import (
    IMPLANT_CODES,
    LOINC,
    Better,
    Code,
    Family,
    Grain,
    Metric,
    SensorNoise,
    Tier,
    implant,
    loinc,
)
from recovery.twin.metrics_laboratory import LABORATORY
from recovery.twin.metrics_reported import LOADS, QUESTIONNAIRE_CODES, REPORTED
from recovery.twin.source import Source
from recovery.twin.transform import Transform

WORN_HOURS_FOR_A_DAY = 18  # design section 10: a day's steps count only when worn for 18 of 24 hours

_T11 = Source("G", "Clinical reference table 1.1, plausible column")
_T12 = Source("G", "Clinical reference table 1.2, plausible column")
_T14 = Source("G", "Clinical reference table 1.4, plausible column")
_IDENTITY = Transform("identity")


_VITALS = (
    Metric(
        "heart_rate",
        "Heart rate",
        "/min",
        loinc("8867-4"),
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
        loinc("9279-1"),
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
        loinc("59408-5", "2708-6"),
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
        loinc("8310-5", "8331-1"),
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
        loinc("55423-8", "41950-7"),
        "day",
        (0, 60_000),
        _T12,
        "higher",
        Transform("log", -50.0),
        SensorNoise((150.0, 150.0, 250.0, 800.0), 0.0, _DAILY_NOISE),
        (0, 60_000),
        0,
        family="activity",
    ),
    Metric(
        "pain",
        "Pain",
        "{score}",
        loinc("72514-3"),
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
        family="activity",
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
        (*implant("walking-speed"), *loinc("41957-2", "83172-7")),
        "report",
        (0.1, 2.5),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((0.05, 0.06, 0.08, 0.15), 0.0, _GAIT_NOISE),
        (0, 2.5),
        2,
        family="gait",
    ),
    Metric(
        "cadence",
        "Cadence",
        "/min",
        implant("cadence"),
        "hour",
        (20, 180),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((3.0, 4.0, 5.0, 10.0), 5.0, _GAIT_NOISE),
        (0, 180),
        0,
        family="gait",
    ),
    Metric(
        "stride_length",
        "Stride length",
        "m",
        implant("stride-length"),
        "report",
        (0.1, 2.2),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((0.05, 0.06, 0.08, 0.2), 0.0, _GAIT_NOISE),
        (0, 2.2),
        2,
        family="gait",
    ),
    Metric(
        "qualified_steps",
        "Qualified steps",
        "/d",
        implant("qualified-steps"),
        "day",
        (0, 40_000),
        _T14,
        "higher",
        Transform("log", -50.0),
        SensorNoise((100.0, 150.0, 250.0, 800.0), 0.0, _DAILY_NOISE),
        (0, 40_000),
        0,
        family="gait",
    ),
    Metric(
        "knee_rom",
        "Knee range of motion",
        "deg",
        implant("functional-knee-rom"),
        "report",
        (0, 150),
        _T14,
        "higher",
        _IDENTITY,
        SensorNoise((2.0, 3.0, 4.0, 8.0), 0.0, _GAIT_NOISE),
        (0, 150),
        0,
        family="gait",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {m.key: m for m in (*_VITALS, *_ACTIVITY, *_GAIT, *LABORATORY, *REPORTED, *LOADS)}
)
"""In the order in which they came: the synthetic streams are numbered by it, so new ones go to the end."""

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


__all__ = [
    "IMPLANT_CODES",
    "LOINC",
    "METRICS",
    "QUESTIONNAIRE_CODES",
    "WORN_HOURS_FOR_A_DAY",
    "Better",
    "Code",
    "Family",
    "Grain",
    "Metric",
    "SensorNoise",
    "Tier",
    "metric",
    "metric_for_code",
]
