"""Measured facts, the only currency of reasons: what was measured, how far from the own curve, for how long.

A fact is a key and numbers; its English sentence is made here, in one table, so that the chart, the alert
and the FHIR resource say the same thing and a translation has one place to go.
"""

from __future__ import annotations

from dataclasses import dataclass

from recovery.twin.of_hundred import brackets, out_of_100

SENTENCES = {
    "above_own_curve": "{label} {size} above own expected curve{lasting}",
    "below_own_curve": "{label} {size} below own expected curve{lasting}",
    "near_own_curve": "{label} near own expected curve",
    "worn": "device worn {percent} of the last 24 h",
    "data_age": "last reading {value} h ago",
    "refused": "{percent} of the last day's {label} readings refused as implausible",
    "model_speaks": "a risk estimate is given",
    "abstained": "no risk estimate: {label}",
    "score": "{label} {value}",
    "three_points": "{label} scores three points",
    "risk": "{label}: {of_hundred} in 100{interval} within {hours} h",
    "suspicion": "{of_hundred} in 100 that {label} now",
    "hypothesis": "likeliest complication {label}: {of_hundred} in 100 of all causes weighed,"
    " begun about {hours} h ago if so",
    "speaks_for": "{label} speaks for it",
    "doubt_not_counted": "how sure the suspicion is, is not in that interval",
    "rival": "but {label} is likelier: {of_hundred} in 100",
    "age": "age {value} years",
    "has": "{label}",
    "has_not": "no {label}",
    "measured": "{label} {size}",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured fact. value is in `unit` (UCUM); lasting_h is for how many hours it has held, where
    known; low and high are the ends of an estimate's interval, in the same unit."""

    key: str
    about: str
    label: str = ""
    value: float | None = None
    unit: str = ""
    lasting_h: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """The fact as one plain English phrase without a full stop."""
        value = 0.0 if self.value is None else self.value
        lasting = "" if self.lasting_h is None else f" for {self.lasting_h:.0f} h"
        phrase = SENTENCES[self.key].format(
            label=self.label,
            value=spoken(value),
            size=f"{spoken(abs(value))} {UNIT_WORDS.get(self.unit, self.unit)}".strip(),
            percent=f"{100 * value:.0f} %",
            of_hundred=out_of_100(value),
            hours=spoken(self.lasting_h or 0.0),
            lasting=lasting,
            interval=brackets(self.low, self.high),
        )
        return phrase[:1].upper() + phrase[1:]

    def to_plain(self) -> dict[str, str | float | None]:
        """For storage as JSON; `Fact(**plain)` brings it back."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in plain.items() if value is not None or name not in ("low", "high")}


UNIT_WORDS = {"Cel": "°C", "/d": "per day", "{score}": "points", "deg": "degrees", "kg/m2": "kg/m²"}


def spoken(value: float) -> str:
    """Three figures at most: 0.42, 4.1, 132."""
    size = abs(value)
    return f"{value:.0f}" if size >= 10 or size == round(size) else f"{value:.1f}" if size >= 1 else f"{value:.2f}"
