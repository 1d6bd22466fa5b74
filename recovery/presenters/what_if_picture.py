"""Both distributions of a what-if over the coming days in one drawing: as it is, and if so."""

from collections.abc import Sequence
from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.chart import Tick
from recovery.presenters.geometry import WIDTH, Scale, band, line, nice_ticks
from recovery.twin.metrics import Metric
from recovery.twin.what_if import DayBand

TOP, BOTTOM = 12.0, 176.0
MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """Paths in the units of `geometry`; both bands hold 90 of 100. `summary`: the drawing in a sentence."""

    summary: str
    before90: str
    before: str
    after_low: str
    after_high: str
    after: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]


def picture(metric: Metric, days: Sequence[DayBand]) -> Picture | None:
    """None for fewer than two days: there is nothing to draw a course through."""
    if len(days) < 2:
        return None
    numbers = [float(one.day) for one in days]
    values = [value for one in days for value in (one.before[0], one.before[4], one.after[0], one.after[4])]
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or 0.5
    x = Scale(numbers[0], numbers[-1], 0.0, WIDTH)
    y = Scale(max(low - pad, metric.display[0]) if low >= metric.display[0] else low - pad, high + pad, BOTTOM, TOP)
    before = list(zip(*(one.before for one in days), strict=True))
    after = list(zip(*(one.after for one in days), strict=True))
    places = metric.decimals
    return Picture(
        summary=_summary(metric, days[-1]),
        before90=band(x, y, numbers, before[0], before[4]),
        before=line(x, y, numbers, before[2]),
        after_low=line(x, y, numbers, after[0]),
        after_high=line(x, y, numbers, after[4]),
        after=line(x, y, numbers, after[2]),
        y_ticks=tuple(
            Tick(f"{y(tick):.1f}", wording.number(tick, places))
            for tick in nice_ticks(y.low, y.high, least=10**-places)
        ),
        x_ticks=_x_ticks(x, days),
    )


def _summary(metric: Metric, last: DayBand) -> str:
    def said(quantiles: Sequence[float]) -> str:
        wide = wording.span(quantiles[0], quantiles[4], metric.key)
        return f"{wording.quantity(quantiles[2], metric.key, metric.unit)} ({wide})"

    day = f"{metric.label} on day {last.day}"
    return f"{day}: {said(last.before)} as it is, {said(last.after)} if so; 90 of 100 lie within."


def _x_ticks(x: Scale, days: Sequence[DayBand]) -> tuple[Tick, ...]:
    step = -(-len(days) // MOST_TICKS)
    return tuple(
        Tick(x.percent(one.day), f"day {one.day}", rank="minor" if (place // step) % 2 else "")
        for place, one in enumerate(days)
        if place % step == 0 and WIDTH * 0.03 < x(one.day) < WIDTH * 0.97
    )
