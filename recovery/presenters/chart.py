"""One metric as a drawing that is readable without scripts: course, bands, readings, gaps, and now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.geometry import WIDTH, Scale, band, clipped, dots, line, nice_ticks, runs
from recovery.selectors.snapshot import Curve, MetricSaid
from recovery.selectors.timeline import Observed
from recovery.twin.metrics import METRICS

HEIGHT, TOP, BOTTOM = 190.0, 12.0, 186.0
BELOW, ABOVE = "below own 90 % band", "above own 90 % band"
DAY_STEPS = (1, 2, 5, 7, 14, 30)
MOST_DAYS = 8
FINE_DOTS = 120
SIGNS = ("fall", "drug", "message")
COURSE = ("q05", "q25", "q50", "q75", "q95", "norm")


@dataclass(frozen=True, slots=True)
class Tick:
    at: str
    label: str
    under: str = ""
    rank: str = ""  # "minor": not on narrow screens


@dataclass(frozen=True, slots=True)
class Hollow:
    """A reading that does not speak, drawn at a percentage across and pixels down; struck: marked wrong by a person."""

    x: str
    y: str
    struck: bool = False


@dataclass(frozen=True, slots=True)
class DayRow:
    """One postoperative day in the table that says the same as the drawing."""

    x: str
    day: str
    date: str
    measured: str
    expected: str
    range90: str
    norm: str
    covered: str
    place: str = ""  # where the day's value lies against the own band
    befell: str = ""  # what happened on it


@dataclass(frozen=True, slots=True)
class EventMark:
    """Something that befell the person, at a percentage across. `word` blank: no room beside it; `title` always says.

    `shape`: "line", or the sign at the top that the legend explains: fall, drug, message.
    """

    x: str
    word: str
    title: str
    shape: str


@dataclass(frozen=True, slots=True)
class Chart:
    key: str
    title: str
    summary: str
    height: float
    wide_labels: bool
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    band90: str
    edge_low: str
    edge_high: str
    band50: str
    middle: str
    norm: str
    dots: str
    dot_class: str  # fine: many readings; big: one a day
    joined: str
    later: str  # points known only after the time of the page
    hollow: tuple[Hollow, ...]
    now_x: str
    now_at: float
    ahead: float
    zero_x: str
    worn: tuple[tuple[float, float], ...]
    worn_words: str
    rows: tuple[DayRow, ...]
    events: tuple[EventMark, ...] = ()
    like_band: str = ""  # half of the people like this one
    like_middle: str = ""


def draw(
    metric: MetricSaid,
    seen: Observed | None,
    *,
    now_hour: float,
    surgery_end: datetime,
    zone: ZoneInfo,
    later: Observed | None = None,
    events: Sequence[tuple[float, str, str]] = (),
    like: Sequence[tuple[float, float, float, float]] = (),
    window: tuple[float, float] | None = None,
) -> Chart | None:
    """None when the snapshot has no curve for the metric: nothing is drawn that the twin did not say.

    `like`: (hours after surgery, quartile, median, quartile) of people like this one. `window`: the hours across, for
    charts that share an axis; it must hold the curve's and now.
    `events`: (hours after surgery, word, kind as selectors.befallen) of what befell the person, in time order.
    """
    if metric.curve is None:
        return None
    seen = seen or Observed(metric.key)
    curve = metric.curve
    x = Scale(*(window or (curve.hours[0], max(curve.hours[-1], now_hour))), 0.0, WIDTH)
    y = _height(metric, seen, later, like)
    course = {name: clipped(getattr(curve, name), y.low, y.high) for name in COURSE}
    points = _points(seen, x, y)
    like_band, like_middle = _like(like, x, y)
    y_ticks = _y_ticks(metric.key, y)
    return Chart(
        key=metric.key,
        title=metric.label,
        summary=summary(metric, seen),
        height=HEIGHT,
        wide_labels=max((len(tick.label) for tick in y_ticks), default=0) > 4,
        y_ticks=y_ticks,
        x_ticks=_x_ticks(x, surgery_end, zone),
        band90=band(x, y, curve.hours, course["q05"], course["q95"]),
        edge_low=line(x, y, curve.hours, course["q05"]),
        edge_high=line(x, y, curve.hours, course["q95"]),
        band50=band(x, y, curve.hours, course["q25"], course["q75"]),
        middle=line(x, y, curve.hours, course["q50"]),
        norm=line(x, y, curve.hours, course["norm"]),
        dots=dots(x, y, *points),
        dot_class=_dot_class(metric.key, len(points[0])),
        joined=line(x, y, *points) if is_daily(metric.key) else "",
        later=dots(x, y, *_points(later, x, y)) if later else "",
        hollow=_hollow(metric, seen, x, y),
        now_x=x.percent(now_hour),
        now_at=x(now_hour),
        ahead=max(WIDTH - x(now_hour), 0.0),
        zero_x=x.percent(0.0) if x.low < 0.0 else "",
        worn=_worn(seen, x),
        worn_words=worn_words(metric, seen, now_hour),
        rows=day_rows(metric, seen, x, surgery_end, zone, events),
        events=_event_marks(events, x),
        like_band=like_band,
        like_middle=like_middle,
    )


def _height(
    metric: MetricSaid, seen: Observed, later: Observed | None, like: Sequence[tuple[float, float, float, float]]
) -> Scale:
    """High enough for all that is drawn."""
    more = (later.values if later else ()) + tuple(value for one in like for value in one[1:])
    return Scale(*_limits(metric, replace(seen, values=seen.values + more)), BOTTOM, TOP)


def _points(seen: Observed, x: Scale, y: Scale) -> tuple[list[float], list[float]]:
    """Hours and values of what was measured within the hours shown; what is too high or low stands at the edge."""
    inside = [(h, v) for h, v in zip(seen.hours, seen.values, strict=True) if x.low <= h <= x.high]
    return [h for h, _ in inside], clip_values([v for _, v in inside], y.low, y.high)


def _dot_class(metric: str, count: int) -> str:
    if is_daily(metric) or is_blood(metric):
        return "big"
    return "fine" if count > FINE_DOTS else ""


def _worn(seen: Observed, x: Scale) -> tuple[tuple[float, float], ...]:
    """Stretches of hours with readings: where each begins and how long it is, in pixels across."""
    shown = [hour for hour in seen.worn_hours if x.low <= hour and hour + 1 <= x.high]
    return tuple((round(x(a), 1), round(x(b) - x(a), 1)) for a, b in runs(shown))


def _like(like: Sequence[tuple[float, float, float, float]], x: Scale, y: Scale) -> tuple[str, str]:
    inside = [one for one in like if x.low <= one[0] <= x.high]
    hours, low, middle, high = ([one[place] for one in inside] for place in range(4))
    return band(x, y, hours, low, high), line(x, y, hours, middle)


def _event_marks(events: Sequence[tuple[float, str, str]], x: Scale) -> tuple[EventMark, ...]:
    """Lines with a word where there is room for it (a phone's chart is some 40 letters wide), signs for the rest."""
    marks, free = [], 0.0
    for hour, word, kind in events:
        if not x.low <= hour <= x.high:
            continue
        is_line = kind not in SIGNS
        has_room = is_line and x(hour) >= free and x(hour) + _width(word) <= WIDTH
        free = x(hour) + _width(word) if has_room else free
        marks.append(EventMark(x.percent(hour), word if has_room else "", word, "line" if is_line else kind))
    return tuple(marks)


def _width(word: str) -> float:
    return min(len(word), 24) * WIDTH / 40.0


def clip_values(values: Sequence[float], low: float, high: float) -> list[float]:
    return [min(max(value, low), high) for value in values]


def summary(metric: MetricSaid, seen: Observed) -> str:
    """The drawing in one sentence, for those who do not see it."""
    name = metric.label
    if metric.now is None and not seen.values:
        return f"{name}: no readings yet; the expected course is drawn."
    now = wording.quantity(metric.now, metric.key, metric.unit)
    expected = wording.span(metric.low90, metric.high90, metric.key)
    place = band_place(metric)
    parts = [f"{name}: latest {now}" if metric.now is not None else f"{name}: no recent reading"]
    if expected:
        parts.append(f"expected {expected} (90 % band)")
    return ", ".join(parts) + (f"; {place}." if place else ".")


def band_place(metric: MetricSaid) -> str:
    """Where the newest reading lies against the person's own expected course; blank when it is too old to say."""
    now = metric.now
    if is_stale(metric) or now is None or metric.low90 is None or metric.high90 is None:
        return ""
    if now < metric.low90:
        return BELOW
    if now > metric.high90:
        return ABOVE
    if metric.low50 is not None and metric.high50 is not None and metric.low50 <= now <= metric.high50:
        return "on own course"
    return "inside own 90 % band"


def is_stale(metric: MetricSaid) -> bool:
    """Whether the newest reading is too old to say how the person is now."""
    limit = wording.STALE_BLOOD_HOURS if is_blood(metric.key) else wording.STALE_READING_HOURS
    return metric.hours_since is None or metric.hours_since > limit


def at_its_time(metric: MetricSaid, last_hour: float | None) -> MetricSaid:
    """A daily total beside what was expected for *its* day (`last_hour`: the middle of that day), not for today; a
    blood value beside what was expected when it was drawn."""
    if not (is_daily(metric.key) or is_blood(metric.key)) or metric.curve is None or last_hour is None:
        return metric
    place = nearest(metric.curve.hours, last_hour)
    if place is None:
        return metric
    curve = metric.curve
    return replace(
        metric,
        expected=curve.q50[place],
        low50=curve.q25[place],
        high50=curve.q75[place],
        low90=curve.q05[place],
        high90=curve.q95[place],
        norm=curve.norm[place],
    )


def last_hour(seen: Observed | None) -> float | None:
    return seen.hours[-1] if seen and seen.hours else None


def worn_words(metric: MetricSaid, seen: Observed, now_hour: float) -> str:
    """Coverage in words: missing, not worn and zero are three different things."""
    if METRICS[metric.key].grain == "report" if metric.key in METRICS else False:
        count = len(seen.values)
        return f"{wording.plural(count, 'report')} so far" if count else "no reports yet"
    if not seen.worn_hours:
        return (
            f"{wording.plural(len(seen.values), 'daily total')}, hours worn not known"
            if seen.values
            else "no hours yet"
        )
    last = sum(now_hour - 24.0 <= hour < now_hour for hour in seen.worn_hours)
    text = f"readings in {min(last, 24)} of the last 24 hours"
    short_days = len(seen.incomplete_days)
    return text + (f"; {wording.plural(short_days, 'day')} worn too little to count" if short_days else "")


def day_rows(
    metric: MetricSaid,
    seen: Observed,
    x: Scale,
    surgery_end: datetime,
    zone: ZoneInfo,
    events: Sequence[tuple[float, str, str]] = (),
) -> tuple[DayRow, ...]:
    """One row a postoperative day over the whole curve; measured = median of the day (a daily metric: its total)."""
    if metric.curve is None:
        return ()
    first, last = int(metric.curve.hours[0] // 24), int(metric.curve.hours[-1] // 24)
    rows = (_day_row(metric, metric.curve, seen, x, day, surgery_end, zone) for day in range(first, last + 1))
    found = ((row, day) for row, day in zip(rows, range(first, last + 1), strict=True) if row is not None)
    return tuple(replace(row, befell=_befell(events, day)) for row, day in found)


def _befell(events: Sequence[tuple[float, str, str]], day: int) -> str:
    words = [word for hour, word, _ in events if hour // 24 == day]
    return ", ".join(dict.fromkeys(words))


def _day_row(
    metric: MetricSaid, curve: Curve, seen: Observed, x: Scale, day: int, surgery_end: datetime, zone: ZoneInfo
) -> DayRow | None:
    place = nearest(curve.hours, day * 24.0 + 12.0)
    if place is None:
        return None
    measured = _median(_of_day(seen, day))
    worn = sum(day * 24 <= hour < day * 24 + 24 for hour in seen.worn_hours)
    return DayRow(
        x=x.percent(curve.hours[place]),
        day=str(day) if day >= 0 else f"{wording.MINUS}{-day}",
        date=wording.calendar_day(surgery_end + timedelta(days=day), zone),
        measured=wording.quantity(measured, metric.key, metric.unit) if measured is not None else "none",
        expected=wording.number(curve.q50[place], wording.decimals(metric.key)),
        range90=wording.span(curve.q05[place], curve.q95[place], metric.key),
        norm=wording.number(curve.norm[place], wording.decimals(metric.key)) if curve.norm[place] is not None else "",
        covered=f"{worn} of 24 h" if seen.worn_hours else "",
        place=_place(measured, curve.q05[place], curve.q95[place]),
    )


def _place(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return ""
    return BELOW if value < low else ABOVE if value > high else "inside own 90 % band"


def nearest(hours: Sequence[float], wanted: float) -> int | None:
    """Index of the curve point nearest to `wanted`, at most 12 h away."""
    best = min(range(len(hours)), key=lambda i: abs(hours[i] - wanted), default=None)
    return best if best is not None and abs(hours[best] - wanted) <= 12.0 else None


def _of_day(seen: Observed, day: int) -> list[float]:
    start = day * 24.0
    return [v for h, v in zip(seen.hours, seen.values, strict=True) if start <= h < start + 24.0]


def _median(values: list[float]) -> float | None:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0


def is_daily(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].grain == "day"


def is_blood(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].family == "laboratory"


def _limits(metric: MetricSaid, seen: Observed) -> tuple[float, float]:
    """The y range: bands, course and readings, inside what the catalogue says can be shown."""
    assert metric.curve is not None  # noqa: S101  (draw returns early)
    curve = metric.curve
    every = [v for name in ("q05", "q95", "norm", "q50") for v in getattr(curve, name) if v is not None]
    every += seen.values
    if metric.now is not None:
        every.append(metric.now)
    if not every:
        return 0.0, 1.0
    low, high = min(every), max(every)
    pad = (high - low) * 0.06 or max(abs(high) * 0.05, 0.5)
    floor, ceiling = METRICS[metric.key].display if metric.key in METRICS else (low - pad, high + pad)
    low, high = max(low - pad, min(floor, low)), min(high + pad, max(ceiling, high))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _y_ticks(metric: str, y: Scale) -> tuple[Tick, ...]:
    places = wording.decimals(metric)
    ticks = nice_ticks(y.low, y.high, least=10.0**-places)
    return tuple(Tick(f"{y(tick):.1f}", wording.number(tick, places)) for tick in ticks)


def _x_ticks(x: Scale, surgery_end: datetime, zone: ZoneInfo) -> tuple[Tick, ...]:
    first, last = int(-(-x.low // 24)), int(x.high // 24)
    step = next((s for s in DAY_STEPS if (last - first) / s <= MOST_DAYS), DAY_STEPS[-1])
    days = [day for day in range(first, last + 1) if day % step == 0]
    return tuple(
        Tick(
            at=x.percent(day * 24.0),
            label=f"day {day}" if day >= 0 else f"day {wording.MINUS}{-day}",
            under=wording.short_date(surgery_end + timedelta(days=day), zone),
            rank="minor" if len(days) > 4 and (day // step) % 2 else "",
        )
        for day in days
        if WIDTH * 0.04 < x(day * 24.0) < WIDTH * 0.96
    )


def _hollow(metric: MetricSaid, seen: Observed, x: Scale, y: Scale) -> tuple[Hollow, ...]:
    """Refused and wrong readings, at the edge of the drawing where their value lies outside it."""
    refused = [(note.hour, note.value) for note in metric.gates.recent if note.decision == "rejected"]
    refused += [(point.hour, point.value) for point in seen.rejected]
    shown = [(hour, value, False) for hour, value in set(refused)]
    shown += [(point.hour, point.value, True) for point in seen.wrong]
    return tuple(
        Hollow(x.percent(hour), f"{min(max(y(value), TOP), BOTTOM):.1f}", struck)
        for hour, value, struck in sorted((one for one in shown if one[1] is not None), key=lambda one: one[:2])[-100:]
        if value is not None and x.low <= hour <= x.high
    )
