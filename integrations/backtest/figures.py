"""The figures of the report as SVG, drawn here: geometry in attributes, colour in report.css, no script."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Any

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 44
MEASURE_WORDS = {
    "deterioration": "deviation of vital signs",
    "news2": "NEWS2 (partial)",
    "risk": "risk within 24 h",
    "suspicion": "suspicion of a complication",
}
MEASURE_ORDER = ("news2", "deterioration", "risk", "suspicion")
LEAST_RATE, MOST_RATE = 1e-4, 2.0


@dataclass(frozen=True)
class Axis:
    """Values low..high over the drawing's width or height, linear or by powers of ten."""

    low: float
    high: float
    start: float
    end: float
    by_powers: bool = False

    def __call__(self, value: float) -> float:
        low, high, held = self.low, self.high, min(max(value, self.low), self.high)
        if self.by_powers:
            low, high, held = log10(low), log10(high), log10(held)
        return round(self.start + (held - low) / ((high - low) or 1.0) * (self.end - self.start), 1)


def x_axis(low: float, high: float, *, by_powers: bool = False) -> Axis:
    return Axis(low, high, LEFT, WIDTH - RIGHT, by_powers)


def y_axis(low: float, high: float) -> Axis:
    return Axis(low, high, HEIGHT - BOTTOM, TOP)


def calibration(day: str, told: Mapping[str, Any]) -> str:
    """Observed share against mean predicted risk in tenths of patients, with 95 % intervals."""
    points = told["calibration"]
    most = max([0.05, *(p["predicted"] for p in points), *(p["observed"][2] for p in points)])
    top = min(1.0, _round_up(most))
    x, y = x_axis(0, top), y_axis(0, top)
    parts = [_line("diagonal", [(x(0), y(0)), (x(top), y(top))])]
    for point in points:
        observed, low, high = point["observed"]
        parts.append(_line("whisker", [(x(point["predicted"]), y(low)), (x(point["predicted"]), y(high))]))
        parts.append(f'<circle class="dot" cx="{x(point["predicted"])}" cy="{y(observed)}" r="4"/>')
    words = f"Calibration on day {day}: slope {told['calibration_slope']}, observed {told['observed']:.1%}"
    ticks = [top * k / 4 for k in range(5)]
    return _framed(
        words,
        parts,
        x,
        y,
        [(t, f"{t:.0%}") for t in ticks],
        [(t, f"{t:.0%}") for t in ticks],
        "predicted within 7 days",
        "observed",
    )


def roc(day: str, told: Mapping[str, Any]) -> str:
    x, y = x_axis(0, 1), y_axis(0, 1)
    parts = [
        _line("diagonal", [(x(0), y(0)), (x(1), y(1))]),
        _line("curve risk", [(x(a), y(b)) for a, b in told["roc"]]),
    ]
    ticks = [(t / 4, f"{t * 25} %") for t in range(5)]
    area = told["auroc"]
    words = f"Discrimination on day {day}: area {area[0]:.3f} ({area[1]:.3f} to {area[2]:.3f})"
    return _framed(words, parts, x, y, ticks, ticks, "false positives", "true positives")


def burden(curves: Mapping[str, Sequence[Mapping[str, Any]]], policy: Mapping[str, Any]) -> str:
    """Sensitivity against false alarms per patient-day: bare thresholds as curves, the policy as a marked point."""
    x, y = x_axis(LEAST_RATE, MOST_RATE, by_powers=True), y_axis(0, 1)
    parts = []
    for name in ordered(curves):
        points = [(x(p["false_alarms_per_patient_day"]), y(p["sensitivity"])) for p in curves[name]]
        parts.append(_line(f"curve {escape(name)}", points))
        parts += [f'<circle class="spot {escape(name)}" cx="{a}" cy="{b}" r="2.5"/>' for a, b in points]
    rate, found = policy["false_alarms_per_patient_day"], policy["sensitivity"]
    if rate and found:
        parts.append(_line("whisker", [(x(rate[0]), y(found[1])), (x(rate[0]), y(found[2]))]))
        parts.append(_line("whisker", [(x(rate[1]), y(found[0])), (x(rate[2]), y(found[0]))]))
        parts.append(_diamond(x(rate[0]), y(found[0])))
    ticks = [(0.0001, "0.0001"), (0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1.0, "1")]
    words = "Complications flagged before diagnosis against false alarms per patient-day"
    shares = [(t / 4, f"{t * 25} %") for t in range(5)]
    return _framed(words, parts, x, y, ticks, shares, "false alarms per patient-day", "flagged before diagnosis")


def lead_times(bins: Mapping[str, Sequence[float]]) -> str:
    edges, counts = list(bins["edges_h"]), list(bins["n"])
    top = max([1, *counts])
    y = y_axis(0, _round_up(top))
    width = (WIDTH - LEFT - RIGHT) / len(counts)
    labels = [f"{a:g}–{b:g}" for a, b in zip(edges, edges[1:], strict=False)] + [f"{edges[-1]:g}+"]
    parts = []
    for place, n in enumerate(counts):
        left, height = LEFT + place * width + 3, y(0) - y(n)
        parts.append(f'<rect class="bar" x="{left:.1f}" y="{y(n)}" width="{width - 6:.1f}" height="{height:.1f}"/>')
        parts.append(_text(left + width / 2 - 3, HEIGHT - BOTTOM + 16, labels[place], "middle"))
    ticks = [(t, f"{t:g}") for t in sorted({0, round(_round_up(top) / 2), round(_round_up(top))})]
    x = x_axis(0, 1)
    return _framed(
        "Hours from the first alarm to the diagnosis", parts, x, y, [], ticks, "hours before diagnosis", "complications"
    )


def ordered(names: Iterable[str]) -> list[str]:
    held = list(names)
    return [name for name in MEASURE_ORDER if name in held] + sorted(set(held) - set(MEASURE_ORDER))


def legend(names: Iterable[str]) -> str:
    rows = [
        f'<li><svg viewBox="0 0 28 12" aria-hidden="true"><path class="curve {escape(name)}" d="M0 6h28"/></svg>'
        f"{escape(MEASURE_WORDS.get(name, name))}, bare threshold</li>"
        for name in ordered(names)
    ]
    rows.append(
        f'<li><svg viewBox="0 0 28 12" aria-hidden="true">{_diamond(14, 6)}</svg>the alert policy as it is</li>'
    )
    return f'<ul class="legend">{"".join(rows)}</ul>'


def _framed(
    words: str,
    parts: Sequence[str],
    x: Axis,
    y: Axis,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_name: str,
    y_name: str,
) -> str:
    """A drawing with its frame, ticks and names, and its message as text for those who do not see it."""
    floor, middle, side = HEIGHT - BOTTOM, LEFT + (WIDTH - LEFT - RIGHT) / 2, TOP + (HEIGHT - TOP - BOTTOM) // 2
    frame = [_line("axis", [(LEFT, TOP), (LEFT, floor), (WIDTH - RIGHT, floor)])]
    for value, label in x_ticks:
        frame.append(_text(x(value), floor + 16, label, "middle"))
    for value, label in y_ticks:
        frame.append(_line("grid", [(LEFT, y(value)), (WIDTH - RIGHT, y(value))]))
        frame.append(_text(LEFT - 6, y(value) + 4, label, "end"))
    frame.append(_text(middle, HEIGHT - 6, x_name, "middle"))
    frame.append(
        f'<text transform="rotate(-90 12 {side})" x="12" y="{side}" text-anchor="middle">{escape(y_name)}</text>'
    )
    return (
        f'<figure><figcaption>{escape(words)}</figcaption><svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(words)}">{"".join(frame)}{"".join(parts)}</svg></figure>'
    )


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    path = "L".join(f"{a:g} {b:g}" for a, b in points)
    return f'<path class="{kind}" d="M{path}"/>' if points else ""


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _diamond(x: float, y: float) -> str:
    return f'<path class="policy" d="M{x:g} {y - 6:g}L{x + 6:g} {y:g}L{x:g} {y + 6:g}L{x - 6:g} {y:g}Z"/>'


def _round_up(value: float) -> float:
    """The next 1, 2, 4 or 5 times a power of ten."""
    power = 10.0 ** int(log10(value) // 1)
    return next(step * power for step in (1.0, 2.0, 4.0, 5.0, 10.0) if step * power >= value * 0.999)
