"""What a metric is: the frozen types of the catalogue in `metrics`."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from recovery.twin.source import Source
from recovery.twin.transform import Transform

LOINC = "http://loinc.org"
IMPLANT_CODES = "urn:twinweb:implant-metric"

Grain = Literal["hour", "day", "report"]
Better = Literal["higher", "lower", "baseline"]
Family = Literal["vital", "activity", "gait", "laboratory"]


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
    before surgery are kept and shown but do not teach the baseline. family: the company it is shown in.
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
    family: Family = "vital"

    @property
    def worse_sign(self) -> int:
        """+1 when an unexpected rise is bad news, -1 when an unexpected fall is."""
        return -1 if self.better == "higher" else 1

    @property
    def span_hours(self) -> int:
        """Length of one bin, hours."""
        return 24 if self.grain == "day" else 1


def loinc(*codes: str) -> tuple[Code, ...]:
    return tuple(Code(LOINC, code) for code in codes)


def implant(code: str) -> tuple[Code, ...]:
    return (Code(IMPLANT_CODES, code),)
