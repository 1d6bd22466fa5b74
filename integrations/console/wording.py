"""Times, spans and bars as the integrator's page writes them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

BAR_HEIGHT, BAR_STEP = 32, 6
JUST_NOW_S = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a chart: a rectangle in units of the drawing."""

    x: int
    y: float
    height: float


def when(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if at is None:
        return "never"
    local = at.astimezone(zone)
    if abs((now - at).total_seconds()) < JUST_NOW_S:
        return f"{local.strftime('%H:%M')} (just now)"
    same_day = local.date() == now.astimezone(zone).date()
    clock = local.strftime("%H:%M") if same_day else local.strftime("%-d %b %Y %H:%M")
    return f"{clock} ({span(abs((now - at).total_seconds()))} {'ago' if at <= now else 'from now'})"


def span(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {name}{'s' if name == 'day' and number > 1 else ''}"
    return f"{int(seconds)} s"


def bars(hours: tuple[int, ...]) -> list[Bar]:
    most = max((*hours, 1))
    heights = [round(BAR_HEIGHT * number / most, 1) if number else 0.0 for number in hours]
    heights = [max(one, 2.0) if one else 0.0 for one in heights]
    return [Bar(place * BAR_STEP, BAR_HEIGHT - height, height) for place, height in enumerate(heights)]


def bars_said(hours: tuple[int, ...], one: str, many: str) -> str:
    """The chart in words, for those who do not see it."""
    total, most = sum(hours), max((*hours, 0))
    if not total:
        return f"No {many} in the last 24 hours."
    what = one if total == 1 else many
    return f"{total} {what} in the last 24 hours, at most {most} in an hour, {hours[-1]} in this one."
