"""Measured facts, the only currency of reasons: what was measured, how far from the own curve, for how long.

A fact is a key and numbers; its English sentence is made here, in one table, so that the chart, the alert
and the FHIR resource say the same thing and a translation has one place to go.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    "risk": "{label}: {of_hundred} in 100 within {hours} h",
    "suspicion": "{of_hundred} in 100 that {label} now",
    "hypothesis": "likeliest complication {label}: {of_hundred} in 100 of all causes weighed,"
    " begun about {hours} h ago if so",
    "speaks_for": "{label} speaks for it",
    "rival": "but {label} is likelier: {of_hundred} in 100",
    "age": "age {value} years",
    "has": "{label}",
    "has_not": "no {label}",
    "measured": "{label} {size}",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured fact. value is in `unit` (UCUM); lasting_h is for how many hours it has held, where
    known."""

    key: str
    about: str
    label: str = ""
    value: float | None = None
    unit: str = ""
    lasting_h: float | None = None

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
            of_hundred=of_hundred(value),
            hours=spoken(self.lasting_h or 0.0),
            lasting=lasting,
        )
        return phrase[:1].upper() + phrase[1:]

    def to_plain(self) -> dict[str, str | float | None]:
        """For storage as JSON; `Fact(**plain)` brings it back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


UNIT_WORDS = {"Cel": "°C", "/d": "per day", "{score}": "points", "deg": "degrees", "kg/m2": "kg/m²"}


def of_hundred(share: float) -> str:
    """Of a hundred; never 0 or 100, which would sound certain."""
    if share < 0.01:
        return "fewer than 1"
    return "more than 99" if share > 0.99 else f"{100 * share:.0f}"


def spoken(value: float) -> str:
    """Three figures at most: 0.42, 4.1, 132."""
    size = abs(value)
    return f"{value:.0f}" if size >= 10 or size == round(size) else f"{value:.1f}" if size >= 1 else f"{value:.2f}"
