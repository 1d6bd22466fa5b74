"""Outcomes of a cohort in drawings, sentences and tables. Groups are told apart by line pattern and by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from recovery.presenters import wording
from recovery.presenters.geometry import WIDTH, Scale, band, line, nice_ticks
from recovery.selectors.cohort import EVENT, FIRST_EVENTS, FOLLOWED_DAYS, RIVAL, Cohort, Group
from recovery.selectors.cohort_courses import Courses, DayOfGroup
from recovery.twin.event_statistics import IncidenceCurve, LogRank, incidence_curve, log_rank, numbers_at_risk
from recovery.twin.incidence import LABELS
from recovery.twin.metrics import METRICS
from recovery.twin.of_hundred import interval_words, out_of_100
from recovery.twin.profile import PROCEDURES

MOST_DRAWN = 6
MOST_BANDS = 3
"""With more groups than this, bands would hide each other; their intervals stand in the table."""
FEWEST = 10
"""Groups of fewer operations are listed but not drawn or compared: their curve would be single patients
[G: this project's choice]."""
TABLE_DAYS = (7, 14, 30)
TICK_DAYS = tuple(range(0, FOLLOWED_DAYS + 1, 5))
HEIGHT, TOP, BOTTOM = 260.0, 10.0, 250.0
METRICS_SHOWN = tuple(key for key, metric in METRICS.items() if metric.family != "laboratory")
GROUPINGS = {"procedure": "operation", "sex": "sex", "age": "age at operation", "team": "team"}
NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Tick:
    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """`style`: number of the pattern; `name` beside it in the legend."""

    style: int
    name: str
    path: str
    band: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    name: str
    style: int | None
    operations: str
    events: str
    rivals: str
    by_day: tuple[str, ...]
    at_risk: tuple[int, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Plot:
    summary: str
    height: float
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CourseRow:
    day: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CourseView:
    title: str
    plot: Plot | None
    groups: tuple[str, ...]
    rows: tuple[CourseRow, ...]
    note: str


@dataclass(frozen=True, slots=True)
class CohortView:
    title: str
    method: str
    plot: Plot | None
    rows: tuple[GroupRow, ...]
    comparison: str
    notes: tuple[str, ...]
    tick_days: tuple[int, ...]
    table_days: tuple[int, ...]
    operations: str


def cohort_view(found: Cohort) -> CohortView:
    event = found.filter.event
    curves = {group.name: incidence_curve(group.days, group.ends) for group in found.groups if len(group.days)}
    drawn = [group for group in found.groups if len(group.days) >= FEWEST][:MOST_DRAWN]
    styles = {group.name: place for place, group in enumerate(drawn)}
    return CohortView(
        title=f"{'Deaths' if event == 'death' else LABELS[event].capitalize()} in the 30 days after surgery",
        method=_method(event),
        plot=_incidence_plot(found, drawn, curves) if drawn else None,
        rows=tuple(_row(found, group, curves[group.name], styles.get(group.name)) for group in found.groups),
        comparison=_comparison(drawn),
        notes=_notes(found),
        tick_days=TICK_DAYS,
        table_days=TABLE_DAYS,
        operations=wording.plural(found.operations, "operation"),
    )


def group_label(by: str, name: str) -> str:
    if not name:
        return NOT_KNOWN
    if by == "procedure":
        return PROCEDURES[name].label if name in PROCEDURES else name
    return name


def event_choices() -> tuple[tuple[str, str], ...]:
    return tuple((key, LABELS[key]) for key in FIRST_EVENTS)


def metric_choices() -> tuple[tuple[str, str], ...]:
    return tuple((key, METRICS[key].label) for key in METRICS_SHOWN)


def _method(event: str) -> str:
    if event == "death":
        return "One minus Kaplan-Meier, with 95 % intervals (log-log)."
    return "Cumulative incidence (Aalen-Johansen, death competes), with 95 % intervals (complementary log-log)."


def _row(found: Cohort, group: Group, curve: IncidenceCurve, style: int | None) -> GroupRow:
    few = len(group.days) < FEWEST
    return GroupRow(
        name=group_label(found.filter.by, group.name),
        style=style,
        operations=wording.number(len(group.days)),
        events=wording.number(group.ends.count(EVENT)),
        rivals=wording.number(group.ends.count(RIVAL)),
        by_day=tuple("too few to tell" if few else _by(curve, group, day) for day in TABLE_DAYS),
        at_risk=numbers_at_risk(group.days, TICK_DAYS),
        note=f"fewer than {FEWEST} operations" if few else "",
    )


def _by(curve: IncidenceCurve, group: Group, day: int) -> str:
    """ "12 in 100 (7 to 19)"; nothing is said of a day that nobody has been followed to."""
    if max(group.days) < day and EVENT not in group.ends:
        return "not followed so far"
    if max(group.days, default=0.0) < day - 1e-9:
        return "not followed so far"
    middle, low, high = curve.at(float(day))
    interval = interval_words(low, high).removeprefix("between ").replace(" and ", " to ")
    return f"{out_of_100(middle)} in 100" + (f" ({interval})" if interval and high > low else "")


def _comparison(drawn: Sequence[Group]) -> str:
    found = log_rank([g.days for g in drawn], [[end == EVENT for end in g.ends] for g in drawn])
    if found is None:
        return ""
    return f"{_differ(found)} {_log_rank_words(found)} " + (
        "The groups differ in whom they treat as well: this describes, it does not tell a cause."
    )


def _differ(found: LogRank) -> str:
    if found.p < 0.05:
        return "The groups differ by more than chance alone would often bring about."
    return "Differences like these between the groups come about by chance alone often enough."


def _log_rank_words(found: LogRank) -> str:
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    freedom = found.groups - 1
    return (
        f"Log-rank test on the hazard of this event: \N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO} = "
        f"{found.statistic:.1f} with {freedom} degree{'s' if freedom > 1 else ''} of freedom, {p}."
    )


def _notes(found: Cohort) -> tuple[str, ...]:
    every = (
        (found.cut, f"Only the newest {wording.number(found.operations)} operations are counted."),
        (
            0 < found.synthetic < found.operations,
            f"{wording.number(found.synthetic)} of these operations are of synthetic patients.",
        ),
        (found.synthetic == found.operations > 0, "All of these patients are synthetic: no figure here is evidence."),
        (found.filter.event == "readmission", "Readmissions are known only of patients whose discharge is recorded."),
    )
    return tuple(words for holds, words in every if holds)


def _incidence_plot(found: Cohort, drawn: Sequence[Group], curves: Mapping[str, IncidenceCurve]) -> Plot:
    bands = len(drawn) <= MOST_BANDS
    top = max(max(curves[g.name].high if bands else curves[g.name].middle) for g in drawn)
    y = Scale(0.0, max(min(float(top) * 1.1, 1.0), 0.05) * 100.0, BOTTOM, TOP)
    x = Scale(0.0, float(FOLLOWED_DAYS), 0.0, WIDTH)
    lines = [
        _steps(place, group_label(found.filter.by, g.name), curves[g.name], max(g.days), x, y, bands)
        for place, g in enumerate(drawn)
    ]
    ends = [f"{one.name} {out_of_100(curves[g.name].at(max(g.days))[0])}" for one, g in zip(lines, drawn, strict=True)]
    return _plot(f"Patients in 100 with the event by day {FOLLOWED_DAYS}: {', '.join(ends)}.", x, y, lines)


def _steps(place: int, name: str, curve: IncidenceCurve, last: float, x: Scale, y: Scale, with_band: bool) -> Line:
    """As far as anybody was followed."""
    days, middle = _stairs(curve.times.tolist(), curve.middle.tolist(), last)
    _, low = _stairs(curve.times.tolist(), curve.low.tolist(), last)
    _, high = _stairs(curve.times.tolist(), curve.high.tolist(), last)
    area = band(x, y, days, low, high) if with_band else ""
    return Line(place, name, line(x, y, days, middle), area)


def _stairs(times: Sequence[float], values: Sequence[float], last: float) -> tuple[list[float], list[float]]:
    """Corners of a step function, values in 100, until `last`."""
    days, found = [], []
    before = 0.0
    for at, value in zip(times, values, strict=True):
        days += [at, at]
        found += [before * 100.0, value * 100.0]
        before = value
    return [*days, last], [*found, before * 100.0]


def _plot(summary: str, x: Scale, y: Scale, lines: Sequence[Line]) -> Plot:
    step = 5 if x.high > 15 else 1
    return Plot(
        summary=summary,
        height=HEIGHT,
        y_ticks=tuple(Tick(f"{y(tick):.1f}", wording.number(tick, _places(y))) for tick in nice_ticks(y.low, y.high)),
        x_ticks=tuple(Tick(x.percent(float(day)), str(day)) for day in range(0, int(x.high) + 1, step)),
        lines=tuple(lines),
    )


def _places(y: Scale) -> int:
    return 0 if y.high - y.low >= 4 else 1


def course_view(found: Courses, by: str) -> CourseView:
    metric = METRICS[found.metric]
    drawn = [(name, days) for name, days in found.groups.items() if days][:MOST_DRAWN]
    names = tuple(group_label(by, name) for name, _ in drawn)
    cut = f"Of the newest {wording.plural(found.patients, 'operation')}. " if found.cut else ""
    return CourseView(
        title=metric.label,
        plot=_course_plot(found.metric, names, [days for _, days in drawn]) if drawn else None,
        groups=names,
        rows=tuple(_course_rows(found.metric, [days for _, days in drawn])),
        note=f"{cut}Median of the patients with readings on a day, and the range of the middle half; days with fewer "
        "than five patients are left out.",
    )


def _course_plot(metric: str, names: Sequence[str], groups: Sequence[Sequence[DayOfGroup]]) -> Plot:
    bands = len(groups) <= MOST_BANDS
    every = [v for days in groups for one in days for v in ((one.low, one.high) if bands else (one.middle,))]
    low, high = min(every), max(every)
    pad = (high - low) * 0.08 or 1.0
    y = Scale(max(low - pad, 0.0) if low >= 0 else low - pad, high + pad, BOTTOM, TOP)
    x = Scale(0.0, float(FOLLOWED_DAYS), 0.0, WIDTH)
    lines = [
        _course_line(place, name, days, x, y, bands)
        for place, (name, days) in enumerate(zip(names, groups, strict=True))
    ]
    last = [
        f"{n} {wording.number(d[-1].middle, wording.decimals(metric))} on day {d[-1].day}"
        for n, d in zip(names, groups, strict=True)
    ]
    return _plot(f"{METRICS[metric].label} by day after surgery, medians: {', '.join(last)}.", x, y, lines)


def _course_line(place: int, name: str, days: Sequence[DayOfGroup], x: Scale, y: Scale, with_band: bool) -> Line:
    known = {one.day: one for one in days}
    hours = [day + 0.5 for day in range(FOLLOWED_DAYS)]
    parts = {
        part: [getattr(known[day], part) if day in known else None for day in range(FOLLOWED_DAYS)]
        for part in ("low", "middle", "high")
    }
    area = band(x, y, hours, parts["low"], parts["high"]) if with_band else ""
    return Line(place, name, line(x, y, hours, parts["middle"]), area)


def _course_rows(metric: str, groups: Sequence[Sequence[DayOfGroup]]) -> Iterator[CourseRow]:
    tables = [{one.day: one for one in days} for days in groups]
    for day in range(FOLLOWED_DAYS):
        if any(day in table for table in tables):
            yield CourseRow(day, tuple(_course_cell(metric, table.get(day)) for table in tables))


def _course_cell(metric: str, one: DayOfGroup | None) -> str:
    if one is None:
        return "too few"
    middle = wording.number(one.middle, wording.decimals(metric))
    return f"{middle} ({wording.span(one.low, one.high, metric)}; n {one.patients})"


def csv_rows(found: Cohort) -> Iterator[tuple[str, ...]]:
    """The curve of each group at its steps: group, day, incidence, interval, at risk."""
    yield ("group", "day", "incidence", "low95", "high95", "at_risk")
    for group in found.groups:
        curve = incidence_curve(group.days, group.ends)
        at_risk = numbers_at_risk(group.days, curve.times)
        name = group_label(found.filter.by, group.name)
        for day, middle, low, high, n in zip(curve.times, curve.middle, curve.low, curve.high, at_risk, strict=True):
            yield (name, f"{day:.3f}", f"{middle:.5f}", f"{low:.5f}", f"{high:.5f}", str(n))
