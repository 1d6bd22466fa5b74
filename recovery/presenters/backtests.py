"""Backtests in words: where a run stands, and the figures of its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.selectors.backtests import Run
from recovery.twin.incidence import LABELS
from recovery.twin.metrics import METRICS

STATES = {
    "queued": ("watch", "Waiting"),
    "running": ("watch", "Running"),
    "done": ("on_track", "Done"),
    "failed": ("act", "Failed"),
    "cancelled": ("no_data", "Cancelled"),
}
OPEN = ("queued", "running")
REPORT_FILES = (
    ("report.html", "The whole report"),
    ("report.json", "All figures (JSON)"),
    ("alerts.csv", "Alerts (CSV)"),
    ("risk.csv", "Risks (CSV)"),
    ("forecast.csv", "Forecasts (CSV)"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One run in the list."""

    key: UUID
    label: str
    state: str
    word: str
    words: str
    progress: int
    asked: str
    folds: str
    is_open: bool
    is_stopping: bool


@dataclass(frozen=True, slots=True)
class ListView:
    rows: tuple[Row, ...]
    exports: tuple[str, ...]
    limit: str
    is_moving: bool


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class RunView:
    run: Row
    lasted: str
    note: str
    is_synthetic: bool
    tiles: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    files: tuple[tuple[str, str], ...]


def list_view(runs: Sequence[Run], exports: Sequence[str], limit: int, zone: ZoneInfo) -> ListView:
    rows = tuple(_row(run, zone) for run in runs)
    return ListView(rows, tuple(exports), f"{limit / 1024**3:.3g} GB", any(row.is_open for row in rows))


def run_view(run: Run, zone: ZoneInfo) -> RunView:
    told = run.figures if run.status == "done" else {}
    return RunView(
        _row(run, zone),
        _lasted(run),
        str(told.get("note", "")),
        bool(told.get("synthetic")),
        _tiles(told) if told else (),
        _tables(told) if told else (),
        REPORT_FILES if told else (),
    )


def _row(run: Run, zone: ZoneInfo) -> Row:
    state, word = STATES[run.status]
    return Row(
        run.key,
        run.label,
        state,
        "Stopping" if run.is_stopping else word,
        run.words,
        run.progress,
        f"{_at(run.created_at, zone)} by {run.asked_name}",
        f"{run.folds} folds" if run.folds else "model as shipped",
        run.status in OPEN,
        run.is_stopping,
    )


def _at(when: datetime, zone: ZoneInfo) -> str:
    return f"{when.astimezone(zone):%-d %b %Y %H:%M}"


def _lasted(run: Run) -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    seconds = int((run.ended_at - run.started_at).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def _tiles(told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    alerts = told["alerts"]
    return (
        (f"{told['subjects']:,}", "operations replayed"),
        (share(alerts["sensitivity"]), "of complications flagged before diagnosis"),
        (rate(alerts["false_alarms_per_patient_day"]), "false alarms per patient-day"),
        (share(alerts["ppv"]), "of alarms were right"),
        (f"{alerts['lead_h'][1]:.0f} h" if alerts["lead_h"] else "–", "median lead before diagnosis"),
    )


def _tables(told: Mapping[str, Any]) -> tuple[Table, ...]:
    risk = tuple(
        (
            f"Day {day}",
            f"{one['n']:,}",
            f"{one['events']:,}",
            area(one["auroc"]),
            area(one["news2_auroc"]),
            number(one.get("calibration_slope")),
        )
        for day, one in told["risk"].items()
    )
    kinds = tuple(
        (LABELS.get(name, name).capitalize(), str(one["n"]), share(one["sensitivity"]), hours(one["lead_h"]))
        for name, one in told["alerts"]["by_complication"].items()
    )
    courses = tuple(
        (_measure(name), f"{one['n']:,}", share(one["coverage90"]), share(one["coverage50"]), _skill(one))
        for name, one in told["forecast"].items()
    )
    return (
        Table(
            "Risk of a first complication within 7 days",
            ("Asked on", "Patients", "Events", "Area under ROC", "NEWS2, same patients", "Calibration slope"),
            risk,
        ),
        Table("By complication", ("Complication", "Number", "Flagged before diagnosis", "Median lead"), kinds),
        Table(
            "Forecasts of day values",
            ("Measure", "Forecasts", "90 % band holds", "50 % band holds", "Skill against carry-forward"),
            courses,
        ),
        Table("Data", ("What was noticed", "Rows"), _problems(told)),
    )


def _measure(name: str) -> str:
    metric, _, lead = name.partition(" ")
    days = lead.removesuffix(" d")
    label = METRICS[metric].label if metric in METRICS else metric
    return f"{label}, {days} {'day' if days == '1' else 'days'} ahead"


def _skill(one: Mapping[str, Any]) -> str:
    skill = one.get("skill_against_carry_forward")
    return "–" if skill is None else f"{round(100 * skill)} %"


def _problems(told: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    found = told["data"]["problems"].items()
    return tuple((kind.replace("_", " "), f"{n:,}") for kind, n in found) or (("nothing out of order", "0"),)


def share(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.0%} ({told[1]:.0%} to {told[2]:.0%})"


def rate(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.3f}"


def area(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.2f} ({told[1]:.2f} to {told[2]:.2f})"


def hours(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[1]:.0f} h"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
