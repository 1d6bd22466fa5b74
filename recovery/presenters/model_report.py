"""How the served models do on this unit, in words: calibration, groups, drift, alert burden, coverage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.selectors.models import Report

VERDICTS = {"large": "review", "some": "watch", "little": "on_track", "too few to say": "no_data"}
SIDE = 280
MARGIN = 34


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval in words; blank `value`: withheld or not measured, with the reason."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Point:
    """One tenth in the calibration plot, in pixels, and its words."""

    x: float
    y: float
    top: float
    bottom: float
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    points: tuple[Point, ...]
    highest: str
    side: int
    margin: int


@dataclass(frozen=True, slots=True)
class GroupLine:
    grouping: str
    group: str
    people: str
    slope: str
    ratio: str
    auroc: str
    sensitivity: str


@dataclass(frozen=True, slots=True)
class DriftLine:
    name: str
    side: str
    before: str
    lately: str
    index: str
    state: str
    verdict: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """What the newest report says; `figures` empty: nothing could be judged, `why` says so."""

    made: str
    window: str
    versions: str
    why: str
    figures: tuple[Figure, ...]
    days: tuple[Figure, ...]
    plot: Plot | None
    weeks: tuple[Figure, ...]
    drift: tuple[DriftLine, ...]
    groups: tuple[GroupLine, ...]
    burden: tuple[Figure, ...]
    coverage: tuple[tuple[str, ...], ...]
    decision: tuple[tuple[str, ...], ...]
    reviews: tuple[str, ...]


def report_view(report: Report | None, zone: ZoneInfo) -> ReportView | None:
    if report is None:
        return None
    said = report.content
    risk = said.get("risk") or {}
    overall = risk.get("all")
    return ReportView(
        made=wording.dated(report.made_at, zone),
        window=f"{report.since:%d %b %Y} to {report.until:%d %b %Y}",
        versions=report.model_version,
        why="" if overall else _why(risk),
        figures=tuple(judged_figures(overall)),
        days=tuple(Figure(f"Day {day}", _short(one)) for day, one in (risk.get("days") or {}).items()),
        plot=plot(overall["tenths"]) if overall else None,
        weeks=tuple(Figure(one["week"], estimate(one["ratio"])) for one in said.get("weeks") or ()),
        drift=tuple(_drift(one) for one in said.get("drift") or ()),
        groups=tuple(_groups(said.get("subgroups") or {})),
        burden=tuple(_burden(said.get("burden") or {})),
        coverage=tuple(_coverage(said.get("coverage") or ())),
        decision=tuple(_decision(said.get("decision") or ())),
        reviews=tuple(reviews(said)),
    )


LEAST_HELD, MOST_HELD, LEAST_USEFUL = 0.80, 0.98, 0.10
"""Of a 90 % band, and of judged alerts: the limits of `card_rules.STOP`."""
GAP = 2.0
"""Groups are told apart when observed over expected differs twofold and the intervals do not meet [G: this project's
choice]."""


def reviews(said: Mapping[str, Any]) -> Iterable[str]:
    """What crossed its limit and wants a person's judgement. Nothing is switched off or trained by itself."""
    overall = (said.get("risk") or {}).get("all") or {}
    ratio = overall.get("observed_over_expected")
    if ratio and not ratio["low"] <= 1.0 <= ratio["high"]:
        side = "too low" if ratio["value"] > 1 else "too high"
        yield f"Risks are {side} here: observed over expected {estimate(ratio)}."
    for one in (said.get("weeks") or ())[-4:]:
        week = one["ratio"]
        if week and not week["low"] <= 1.0 <= week["high"]:
            yield f"Week {one['week']} is outside its control limits: observed over expected {estimate(week)}."
    for one in said.get("drift") or ():
        if one["verdict"] == "large":
            yield f"{one['name']} has moved a lot against the months before (index {one['index']:.2f})."
    for one in said.get("coverage") or ():
        if not LEAST_HELD <= one["coverage90"] <= MOST_HELD:
            yield f"{one['metric']}: the 90 % band held {one['coverage90']:.0%} of readings."
    useful = (said.get("burden") or {}).get("useful")
    if useful and useful["high"] < LEAST_USEFUL:
        yield f"Alerts judged useful: {estimate(useful)}."
    yield from _gaps(said.get("subgroups") or {})


def _gaps(groupings: Mapping[str, Any]) -> Iterable[str]:
    for name, rows in groupings.items():
        found = [(one["group"], (one.get("figures") or {}).get("observed_over_expected")) for one in rows]
        known = sorted(((ratio, group) for group, ratio in found if ratio), key=lambda pair: float(pair[0]["value"]))
        if len(known) < 2:
            continue
        (least, under), (most, over) = known[0], known[-1]
        if most["value"] > GAP * least["value"] and most["low"] > least["high"]:
            yield f"By {name}: observed over expected is {estimate(most)} for {over}, {estimate(least)} for {under}."


def _decision(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for one in rows:
        yield (
            f"{one['threshold'] * 100:.0f} in 100",
            str(one["acted_on"]),
            f"{one['model'] * 100:+.1f}",
            f"{one['everyone'] * 100:+.1f}",
        )


def _why(risk: Mapping[str, Any]) -> str:
    return (
        f"Too few people to judge: {risk.get('rows', 0)} looks at patients, of which {risk.get('open', 0)} are not a"
        f" week old, {risk.get('other_version', 0)} are of another version and {risk.get('abstained', 0)} gave no"
        " number. Twenty people with a finished week are needed."
    )


def judged_figures(one: Mapping[str, Any] | None) -> Iterable[Figure]:
    """Figures of one set of predictions, each with interval or the reason why it is missing."""
    if not one:
        return
    yield Figure("People, predictions, events", f"{one['people']}, {one['rows']}, {one['events']}")
    few = "too few events"
    yield Figure("Discrimination (AUROC)", estimate(one.get("auroc")) or few)
    yield Figure("Calibration slope (1 is right)", estimate(one.get("slope")) or few)
    yield Figure("Observed over expected (1 is right)", estimate(one.get("observed_over_expected")) or few)
    yield Figure("Brier score", "" if one.get("brier") is None else f"{one['brier']:.3f}")


def estimate(one: Mapping[str, float] | None) -> str:
    """A figure with its 95 % interval."""
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})" if one else ""


def _short(one: Mapping[str, Any] | None) -> str:
    if not one:
        return "under 20 people: withheld"
    area = estimate(one.get("auroc"))
    return f"{one['events']} events in {one['people']} people" + (f"; AUROC {area}" if area else "; too few events")


def trained_groups(said: Mapping[str, Any]) -> Iterable[GroupLine]:
    for name, found in (said.get("subgroups") or {}).items():
        for group, one in found.items():
            yield _group(name, group, one, "")


def _groups(said: Mapping[str, Any]) -> Iterable[GroupLine]:
    for name, rows in said.items():
        for one in rows:
            sensitivity = estimate(one.get("sensitivity"))
            if sensitivity:
                sensitivity += f", {one['ill']} ill"
            yield _group(name, one["group"], one.get("figures"), sensitivity or "too few ill")


def _group(name: str, group: str, one: Mapping[str, Any] | None, sensitivity: str) -> GroupLine:
    if one is None:
        return GroupLine(name, group, "under 20", "withheld", "withheld", "withheld", "withheld")
    few = "too few events"
    if "coverage90" in one:
        held = f"its 90 % band held {one['coverage90']:.0%} of {one['readings']} readings"
        return GroupLine(name, group, str(one["people"]), "no risk", held, "no risk", sensitivity)
    return GroupLine(
        name,
        group,
        str(one["people"]),
        estimate(one.get("slope")) or few,
        estimate(one.get("observed_over_expected")) or few,
        estimate(one.get("auroc")) or few,
        sensitivity,
    )


def _drift(one: Mapping[str, Any]) -> DriftLine:
    def side(count: int, median: float | None) -> str:
        return f"{count}" if median is None else f"{count}, median {median:.3g}"

    return DriftLine(
        one["name"],
        "what the model reads" if one["side"] == "input" else "what the model says",
        side(one["before"], one["median_before"]),
        side(one["lately"], one["median_lately"]),
        "" if one["index"] is None else f"{one['index']:.2f}",
        VERDICTS[one["verdict"]],
        one["verdict"].capitalize(),
    )


def _burden(one: Mapping[str, Any]) -> Iterable[Figure]:
    if not one:
        return
    yield Figure("Patient-days followed", f"{one['patient_days']:g}")
    by = ", ".join(f"{count} {name}" for name, count in sorted(one["by_severity"].items())) or "none"
    yield Figure("Alerts", f"{one['alerts']} ({by})")
    yield Figure(
        "Alarms (high and medium) per patient-day", estimate(one.get("alarms_per_patient_day")) or "no patient-day"
    )
    yield Figure("Judged useful", estimate(one.get("useful")) or "nobody has said yet")
    yield Figure(
        "A true problem, of those resolved", estimate(one.get("ppv")) or f"too few resolved ({one['resolved']})"
    )


def _coverage(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for one in rows:
        skill = "" if one["skill"] is None else f"{one['skill']:+.0%}"
        yield (
            one["metric"],
            str(one["twins"]),
            str(one["readings"]),
            f"{one['coverage90']:.0%}",
            f"{one['coverage50']:.0%}",
            skill,
            str(one["fallback"]),
        )


def plot(tenths: Iterable[Mapping[str, Any]]) -> Plot | None:
    """Observed against predicted, on one scale from 0 to the highest of both."""
    rows = list(tenths)
    if not rows:
        return None
    top = max(max(one["predicted"], one["observed"]["high"]) for one in rows)

    def x(value: float) -> float:
        return round(MARGIN + SIDE * value / top, 1)

    def y(value: float) -> float:
        return round(SIDE + 8 - SIDE * value / top, 1)

    points = tuple(
        Point(
            x(one["predicted"]),
            y(one["observed"]["value"]),
            y(one["observed"]["high"]),
            y(one["observed"]["low"]),
            f"predicted {one['predicted']:.1%}, observed {one['events']} of {one['n']}",
        )
        for one in rows
    )
    return Plot(points, f"{top:.0%}", SIDE, MARGIN)
