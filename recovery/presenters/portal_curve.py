"""A small drawing of one reading for its owner: the usual range for them, what was measured, and today."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _

from recovery.presenters.geometry import WIDTH, Scale, band, clipped, dots, line
from recovery.selectors.snapshot import MetricSaid
from recovery.selectors.timeline import Observed

HEIGHT = 96.0
BACK_HOURS, AHEAD_HOURS = 10 * 24.0, 48.0
MOST_DOTS = 60


@dataclass(frozen=True, slots=True)
class OwnCurve:
    """Path data in a box of WIDTH x HEIGHT; `first`, `last`: dates at its two ends."""

    summary: str
    band90: str
    edge_low: str
    edge_high: str
    middle: str
    dots: str
    now_x: str
    first: str
    last: str


def draw_own(
    metric: MetricSaid, seen: Observed | None, *, now_hour: float, surgery_end: datetime, zone: ZoneInfo
) -> OwnCurve | None:
    """The last ten days (at most since the operation) and the next two; None where the twin says no course."""
    if metric.curve is None:
        return None
    x = Scale(max(now_hour - BACK_HOURS, min(0.0, now_hour)), now_hour + AHEAD_HOURS, 0.0, WIDTH)
    near = [i for i, hour in enumerate(metric.curve.hours) if x.low <= hour <= x.high]
    hours = [metric.curve.hours[i] for i in near]
    q05, q50, q95 = ([getattr(metric.curve, name)[i] for i in near] for name in ("q05", "q50", "q95"))
    points = _thinned([pair for pair in _pairs(seen) if x.low <= pair[0] <= x.high])
    every = [one for one in (*q05, *q95, *(value for _hour, value in points)) if one is not None]
    if len(near) < 2 or not every:
        return None
    low, high = min(every), max(every)
    y = Scale(low, high if high > low else low + 1.0, HEIGHT - 4.0, 4.0)
    return OwnCurve(
        summary=_("The shaded band is what is usual for you. The dots are your readings."),
        band90=band(x, y, hours, clipped(q05, low, high), clipped(q95, low, high)),
        edge_low=line(x, y, hours, q05),
        edge_high=line(x, y, hours, q95),
        middle=line(x, y, hours, q50),
        dots=dots(x, y, [hour for hour, _value in points], [value for _hour, value in points]),
        now_x=f"{x(now_hour):.1f}",
        first=_date(surgery_end, x.low, zone),
        last=_date(surgery_end, x.high, zone),
    )


def _pairs(seen: Observed | None) -> list[tuple[float, float]]:
    return list(zip(seen.hours, seen.values, strict=True)) if seen else []


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most MOST_DOTS, evenly, the newest among them: a page stays small on any sensor's rate."""
    step = -(-len(points) // MOST_DOTS) or 1
    return points[::-1][::step][::-1]


def _date(surgery_end: datetime, hour: float, zone: ZoneInfo) -> str:
    return dateformat.format((surgery_end + timedelta(hours=hour)).astimezone(zone), "j M")
