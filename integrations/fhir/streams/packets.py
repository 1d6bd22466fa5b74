"""SampledData: text of equally spaced numbers to points in time (FHIR R4 datatypes.html#SampledData)."""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

# Tokens: a decimal, or E (error), L (below detection), U (above detection). The three are not numbers, never zero.
_TOKEN = r"(?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[EUL])"  # noqa: S105
_DATA = re.compile(rf"{_TOKEN}(?:[ \t\r\n]+{_TOKEN})*")
WORDS = frozenset("EUL")
# Signals faster than one value a second (ECG, PPG) stay packets: the twin reads hours, not waveforms.
SHORTEST_PERIOD_MS = 1000
MOST_POINTS = 100_000
# From year 1 to year 9999, all that FHIR dates can name: no packet lasts longer.
LONGEST_MS = 9999 * 366 * 86_400_000


def is_data(data: object) -> bool:
    return type(data) is str and _DATA.fullmatch(data) is not None


def count(data: str) -> int:
    """Number of tokens, E, U and L included: they take their place in time."""
    return len(data.split())


def points(data: str, start_ms: int, sampled: dict[str, Any]) -> tuple[tuple[int, float], ...]:
    """(ms, value in the unit of origin) for each number in `data`, oldest first.

    value = origin + factor x token, as R4 defines; E, U, L and what is beyond any float give no point. Waveforms
    (period < 1 s) and packets beyond 100,000 values give none: they are kept as text.
    """
    period, factor, origin = _scaling(sampled)
    tokens = data.split()
    if period < SHORTEST_PERIOD_MS or len(tokens) > MOST_POINTS:
        return ()
    numbers = ((place, origin + factor * float(token)) for place, token in enumerate(tokens) if token not in WORDS)
    return tuple((start_ms + round(place * period), number) for place, number in numbers if isfinite(number))


def numbers(sampled: Mapping[str, Any]) -> list[float]:
    """The numbers of a SampledData in the unit of origin; E, U, L and what is beyond any float are none.

    R4 lets origin be a unit alone: what zero stands for is then not said, and there are no numbers.
    """
    data = sampled.get("data")
    if sampled["origin"].get("value") is None:
        return []
    factor, origin = float(sampled.get("factor", 1)), float(sampled["origin"]["value"])
    tokens = str(data).split() if is_data(data) else []
    found = (origin + factor * float(token) for token in tokens if token not in WORDS)
    return [number for number in found if isfinite(number)]


def is_too_long(data: str, sampled: Mapping[str, Any]) -> bool:
    """Whether the packet would last longer than FHIR dates reach."""
    return count(data) * float(sampled["period"]) > LONGEST_MS


def last_ms(data: str, start_ms: int, sampled: dict[str, Any]) -> int:
    """End of the last value's period."""
    return start_ms + round(count(data) * _scaling(sampled)[0])


def _scaling(sampled: dict[str, Any]) -> tuple[float, float, float]:
    factor: int | Decimal = sampled.get("factor", 1)
    return float(sampled["period"]), float(factor), float(sampled["origin"]["value"])


def digest(data: str, end_ms: int, identifiers: tuple[str, ...] = ()) -> int:
    """What tells two packets of one series and start apart: 53 bits of the SHA-256 of data, end and identifiers."""
    said = "\x1f".join((str(end_ms), data, *identifiers))
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") >> 11
