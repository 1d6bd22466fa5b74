"""Ids of streamed readings are derived, not stored: series, time and what tells two readings at one time apart.

Form: `r-<series>-<time>-<rest>` (a number) or `k-<series>-<time>-<rest>` (a packet), base 36, at most 64 characters of
[A-Za-z0-9-.] as FHIR R4 asks of an id.
"""

import hashlib
from functools import lru_cache
from typing import Literal

from recovery.records import record

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PAIR = 36 * 36
_PAIRS = tuple(high + low for high in DIGITS for low in DIGITS)


@record
class ReadingId:
    """A decoded id. `rest`: for a number `value_mark(value, digits)`, for a packet its digest."""

    kind: Literal["r", "k"]
    series_id: int
    at_ms: int
    rest: int


def value_mark(value: float, digits: int) -> int:
    """A short mark of the value as written, so that two readings at one time have two ids."""
    return int.from_bytes(hashlib.blake2b(f"{value!r}/{digits}".encode(), digest_size=5).digest(), "big")


def encode(reading: ReadingId) -> str:
    return "-".join((reading.kind, _base36(reading.series_id), _base36(reading.at_ms), _base36(reading.rest)))


def decode(text: str) -> ReadingId | None:
    """The reading that `text` names, or None when it is not one of our derived ids."""
    parts = text.split("-")
    if len(parts) != 4 or parts[0] not in ("r", "k") or len(text) > 64:
        return None
    numbers = [_number(part) for part in parts[1:]]
    if any(number is None for number in numbers):
        return None
    series_id, at_ms, rest = (number for number in numbers if number is not None)
    reading = ReadingId("r" if parts[0] == "r" else "k", series_id, at_ms, rest)
    fits = all(abs(number) < 2**63 for number in (series_id, at_ms, rest))
    return reading if fits and encode(reading) == text else None


@lru_cache(maxsize=16_384)  # of series and times, which many readings share
def _base36(number: int) -> str:
    """Base 36; negative numbers (times before 1970) begin with a dot, which FHIR ids may hold."""
    if number < 0:
        return "." + _base36(-number)
    text = ""
    while number >= PAIR:
        number, rest = divmod(number, PAIR)
        text = _PAIRS[rest] + text
    return (_PAIRS[number].removeprefix("0") if number < 36 else _PAIRS[number]) + text


def _number(text: str) -> int | None:
    sign, body = (-1, text[1:]) if text.startswith(".") else (1, text)
    if not body or any(char not in DIGITS for char in body):
        return None
    return sign * int(body, 36)
