"""From numbers to SVG path data: scales, ticks, lines, bands and dots.

x runs over 0..WIDTH of a viewBox that is stretched to the width of the page (strokes and dots keep their size), so
texts stand beside it at percentages: text never shrinks on a phone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 1000.0
Value = float | None
Place = str | None  # along one axis


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map of [low, high] onto [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        width = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / width * (self.end - self.start)

    def percent(self, value: float) -> str:
        return f"{self(value) / WIDTH * 100.0:.2f}%"

    def places(self, values: Iterable[Value]) -> list[Place]:
        """Of each value as SVG likes it, None where it is missing. A page of charts asks for tens of thousands: those
        of one axis are worked out once for all the paths along it."""
        low, start = self.low, self.start
        width, length = (self.high - low) or 1.0, self.end - start
        return [None if value is None else short(start + (value - low) / width * length) for value in values]


def short(value: float) -> str:
    """One decimal at most, as SVG likes it: 12, 12.5."""
    text = f"{value:.1f}" if value else "0"
    return text[:-2] if text.endswith(".0") else text


def line(x: Scale, y: Scale, hours: Sequence[float], values: Sequence[Value]) -> str:
    """A path through the points; a missing value breaks it."""
    return path(x.places(hours), y.places(values))


def path(across: Sequence[Place], down: Sequence[Place]) -> str:
    """`line` of places."""
    parts, pen = [], "M"
    for left, top in zip(across, down, strict=True):
        if top is None:
            pen = "M"
            continue
        parts.append(f"{pen}{left} {top}")
        pen = "L"
    return "".join(parts)


def band(x: Scale, y: Scale, hours: Sequence[float], low: Sequence[Value], high: Sequence[Value]) -> str:
    """A closed area between two edges, over the hours at which both are known."""
    return area(x.places(hours), y.places(low), y.places(high))


def area(across: Sequence[Place], low: Sequence[Place], high: Sequence[Place]) -> str:
    """`band` of places."""
    known = [(h, a, b) for h, a, b in zip(across, low, high, strict=True) if a is not None and b is not None]
    if len(known) < 2:
        return ""
    there = [f"{h} {b}" for h, _, b in known]
    back = [f"{h} {a}" for h, a, _ in reversed(known)]
    return "M" + "L".join([*there, *back]) + "Z"


def dots(x: Scale, y: Scale, hours: Iterable[float], values: Iterable[float]) -> str:
    """Zero-length strokes: with round caps each is a dot of one size on screen, however the drawing is stretched."""
    return strokes(x.places(hours), y.places(values))


def strokes(across: Sequence[Place], down: Sequence[Place]) -> str:
    """`dots` of places."""
    return "".join(f"M{left} {top}h0" for left, top in zip(across, down, strict=True))


def runs(hours: Sequence[int]) -> list[tuple[int, int]]:
    """Whole hours, ascending, as half-open stretches: [3, 4, 5, 9] -> [(3, 6), (9, 10)]."""
    found: list[tuple[int, int]] = []
    for hour in hours:
        if found and found[-1][1] == hour:
            found[-1] = (found[-1][0], hour + 1)
        else:
            found.append((hour, hour + 1))
    return found


def nice_ticks(low: float, high: float, wanted: int = 4, least: float = 0.0) -> list[float]:
    """About `wanted` round numbers within [low, high], at least `least` apart and multiples of it."""
    if not high > low:
        return [low]
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= raw)
    if least and step % least:
        step = math.ceil(step / least) * least
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def clipped(values: Sequence[Value], low: float, high: float) -> list[Value]:
    return [None if value is None else min(max(value, low), high) for value in values]
