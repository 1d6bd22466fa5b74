"""report.html: what a hospital's quality office reads. Self-contained with report.css beside it; no script, no inline
style, so that the strictest content policy shows it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from integrations.backtest import figures
from integrations.backtest.figures import MEASURE_WORDS
from integrations.fhir.codes import MEASURES
from recovery.twin.incidence import LABELS
from recovery.twin.metrics import METRICS
from recovery.twin.risk import ABSTENTIONS

CSS = "report.css"
PROBLEM_WORDS = {
    "not_readable": "lines that are not JSON",
    "not_usable": "rows with a value or element that cannot be read",
    "wrong_type": "rows in a file of another type",
    "no_patient": "rows without a patient",
    "unknown_patient": "patients with rows but without a Patient resource",
    "duplicate": "rows sent again (counted once, from their first arrival)",
    "late": "readings that arrived more than a day after they were measured (used from their arrival on)",
    "before_measured": "readings that arrived before they were measured (used from when they were measured)",
    "fahrenheit": "readings in degrees Fahrenheit (converted)",
    "not_followed": "readings of a code or unit that the twin does not follow",
    "no_value": "Observations without a number",
    "not_measured": "Observations cancelled or entered in error",
    "no_time": "rows without a time",
    "no_operation": "procedures that are no finished operation known to the twin",
    "no_operation_in_time": "patients without an operation that the twin knows",
    "later_operation": "patients with more than one operation (the first is replayed)",
    "file_cut_short": "files that break off",
    "after_until": "rows after the end that was asked for",
}
LIMITS = (
    "A replay tells what the product would have said, not what would have happened had somebody listened: treatment"
    " followed the hospital's own judgement, and an alarm that nobody saw changed nothing.",
    "An alarm counts as true from 6 hours before the recorded onset of a complication until 10 days after its"
    " diagnosis; a complication counts as flagged when an alarm of medium or high severity came between 6 hours before"
    " onset and diagnosis. Diagnoses are those recorded in the export: what was never recorded makes a false alarm.",
    "NEWS2 is computed from worn sensors without blood pressure, oxygen and consciousness unless these are in the"
    " export, so it is partial; a ward's own NEWS2 from bedside rounds may do better.",
    "Forecasts are judged on days without a complication, since they are forecasts of ordinary recovery.",
    "Subgroup figures are exploratory: intervals overlap widely where groups are small.",
    "Decision support for qualified staff; not a cleared medical device, not a primary alarm.",
)


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Writes report.html and report.css into `folder`."""
    css = resources.files("integrations.backtest").joinpath(CSS).read_text(encoding="utf-8")
    (folder / CSS).write_text(css, encoding="utf-8")
    (folder / "report.html").write_text(html(report), encoding="utf-8")


def html(report: Mapping[str, Any]) -> str:
    """The whole page."""
    sections = (
        _head(report),
        _what(report),
        _quality(report["data"]),
        _alarms(report),
        _complications(report),
        _risk(report),
        _subgroups(report["subgroups"]),
        _forecast(report["forecast"]),
        _limits(report),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Backtest of {escape(report['cohort'])}</title>"
        f'<link rel="stylesheet" href="{CSS}"></head><body>{"".join(sections)}</body></html>\n'
    )


def _head(report: Mapping[str, Any]) -> str:
    label = ""
    if report["synthetic"]:
        label = (
            '<p class="synthetic"><strong>Synthetic data.</strong> No real person is in this export: the figures test'
            " the machinery and are no evidence about patients.</p>"
        )
    until = f", until {escape(report['until'])}" if report["until"] else ""
    return (
        f"<header><h1>Backtest of {escape(report['cohort'])}{until}</h1>"
        f"<p>{report['subjects']} operations from {report['first_surgery'][:10]} to {report['last_surgery'][:10]},"
        f" replayed in the order in which data arrived, looked at every {report['looks_every_h']} h when something was"
        f" new.</p>{label}</header><main>{_summary(report)}"
    )


def _summary(report: Mapping[str, Any]) -> str:
    alerts = report["alerts"]
    day = next((report["risk"][d] for d in ("4", "2", "1") if report["risk"].get(d, {}).get("auroc")), None)
    tiles = [
        (_share(alerts["sensitivity"]), "of complications flagged before diagnosis"),
        (_rate(alerts["false_alarms_per_patient_day"]), "false alarms per patient-day"),
        (_share(alerts["ppv"]), "of alarms were right"),
        (_hours(alerts["lead_h"]), "median lead before diagnosis"),
    ]
    if day:
        tiles.append((_area(day["auroc"]), "area under the ROC curve, complication within 7 days"))
    cells = "".join(f"<li><b>{value}</b><span>{escape(words)}</span></li>" for value, words in tiles)
    return f'<ul class="tiles">{cells}</ul>'


def _what(report: Mapping[str, Any]) -> str:
    models = report["models"]
    trained = [f"{key}: {value}" for key, value in models["risk_trained_on"].items() if isinstance(value, str | int)]
    pairs = [
        ("Expected course", models["population"]),
        ("Risk model", f"{models['risk']} ({models['risk_evidence']})"),
        ("Hypotheses", models["hypotheses"]),
        ("Alert policy", models["policy"]),
        ("How it was judged", report["note"]),
        ("Trained on", ", ".join(trained)),
        ("Rows written", ", ".join(f"{n} {name}" for name, n in report["rows"].items())),
        ("Source", report["source"] or "not stated"),
    ]
    body = "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in pairs)
    return f"<section><h2>What was replayed</h2><dl>{body}</dl></section>"


def _quality(data: Mapping[str, Any]) -> str:
    lines = [[name, f"{n:,}", f"{data['used'].get(name, 0):,}"] for name, n in data["lines"].items()]
    problems = [[PROBLEM_WORDS.get(kind, kind), f"{n:,}"] for kind, n in data["problems"].items()]
    named = [[PROBLEM_WORDS.get(one["kind"], one["kind"]), one["row"], one["reason"]] for one in data["named"][:200]]
    told = _table(("What was noticed", "How many"), problems) if problems else "<p>Nothing was out of order.</p>"
    more = ""
    if named:
        body = _table(("Kind", "Row", "Reason"), named)
        more = f"<details><summary>Rows by name (the first of each kind)</summary>{body}</details>"
    return (
        f"<section><h2>Data quality</h2>{_table(('Resource', 'Lines', 'Used'), lines)}{told}"
        f"<p>Nothing of this stops a replay: a row that cannot be used costs only itself.</p>{more}</section>"
    )


def _alarms(report: Mapping[str, Any]) -> str:
    alerts = report["alerts"]
    rows = [["whole policy", *_alarm_cells(alerts)]]
    rows += [[cause.replace("_", " "), *_alarm_cells(found)] for cause, found in report["by_cause"].items()]
    news = [
        [
            f"NEWS2 of {p['threshold']:g} or more",
            _percent(p["sensitivity"]),
            "",
            _percent(p["ppv"]),
            f"{p['false_alarms_per_patient_day']:.3f}",
            str(p["alarms"]),
        ]
        for p in report["burden"].get("news2", ())
        if p["threshold"] in (3, 5, 7)
    ]
    head = ("Alarms", "Flagged before diagnosis", "Median lead", "Right", "False per patient-day", "Number")
    low = sum(one["n"] for one in report["alerts_raised"] if one["severity"] == "low")
    return (
        "<section><h2>Alarms: what they find and what they cost</h2>"
        f"{_side_by_side([figures.burden(report['burden'], alerts), figures.lead_times(alerts['lead_bins'])])}"
        f"{figures.legend(report['burden'])}"
        f"{_table(head, rows + news)}<p>Besides, {low} notices of low severity, which are information and not alarms."
        " A bare threshold does not repeat its alarm for 12 h; the policy closes an alert with hysteresis.</p>"
        "</section>"
    )


def _alarm_cells(found: Mapping[str, Any]) -> list[str]:
    return [
        _share(found["sensitivity"]),
        _hours(found["lead_h"]),
        _share(found["ppv"]),
        _rate(found["false_alarms_per_patient_day"]),
        str(found["alarms"]),
    ]


def _complications(report: Mapping[str, Any]) -> str:
    risks = report["risk_by_outcome"]
    rows = []
    for outcome, found in report["alerts"]["by_complication"].items():
        area = risks.get(outcome, {}).get("2", {}).get("auroc")
        rows.append(
            [
                LABELS.get(outcome, outcome),
                str(found["n"]),
                _share(found["sensitivity"]),
                _hours(found["lead_h"]),
                _area(area),
            ]
        )
    head = ("Complication", "Number", "Flagged before diagnosis", "Median lead", "Area under ROC, day 2")
    return f"<section><h2>By complication</h2>{_table(head, rows) if rows else '<p>None was recorded.</p>'}</section>"


def _risk(report: Mapping[str, Any]) -> str:
    rows = []
    for day, told in report["risk"].items():
        rows.append(
            [
                f"day {day}",
                str(told["n"]),
                str(told["events"]),
                _area(told["auroc"]),
                _area(told["news2_auroc"]),
                _number(told.get("calibration_slope")),
                f"{told['mean_predicted']:.1%} / {told['observed']:.1%}",
                _number(told.get("brier_skill")),
            ]
        )
    head = (
        "Asked on",
        "Patients",
        "Events",
        "Area under ROC",
        "NEWS2, same patients",
        "Calibration slope",
        "Predicted / observed",
        "Brier skill",
    )
    drawn = [
        figures.calibration(day, told) + figures.roc(day, told) for day, told in report["risk"].items() if "roc" in told
    ]
    silent = [[ABSTENTIONS.get(why, why), str(n)] for why, n in report["abstained"].items()]
    quiet = f"<h3>When no risk was given</h3>{_table(('Why', 'Times'), silent)}" if silent else ""
    return (
        "<section><h2>Risk of a first complication within 7 days</h2>"
        f"{_table(head, rows)}{_side_by_side(drawn)}{quiet}</section>"
    )


def _subgroups(groups: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            f"{one['attribute']}: {one['value']}",
            str(one["subjects"]),
            str(one["complications"]),
            _interval(one["sensitivity"]),
            _interval(one["false_alarms_per_patient_day"], 3),
            _interval(one["auroc"]),
            _number(one["expected_over_observed"]),
        ]
        for one in groups
    ]
    head = (
        "Group",
        "Patients",
        "Complications",
        "Flagged before diagnosis",
        "False alarms per patient-day",
        "Area under ROC",
        "Expected / observed",
    )
    return (
        f"<section><h2>Subgroups</h2>{_table(head, rows)}<p>With 95 % intervals (Wilson, Poisson, Hanley–McNeil)."
        " Risk figures pool the landmark days.</p></section>"
    )


def _forecast(cells: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, told in cells.items():
        metric, _, lead = name.partition(" ")
        label = METRICS[metric].label if metric in METRICS else metric
        rows.append(
            [
                label,
                lead.replace(" d", ""),
                str(told["n"]),
                _interval(told["coverage90"]),
                _interval(told["coverage50"]),
                f"{told['crps']:.3g}",
                _percent(told.get("skill_against_carry_forward")),
                _percent(told["skill_against_population_curve"]),
            ]
        )
    head = (
        "Measure",
        "Days ahead",
        "Forecasts",
        "90 % band holds",
        "50 % band holds",
        "CRPS",
        "Skill against carry-forward",
        "Skill against population curve",
    )
    body = _table(head, rows) if rows else "<p>No forecast could be judged.</p>"
    return (
        f"<section><h2>Forecasts of day values</h2>{body}<p>Made 3, 7 and 14 days after surgery. Skill is one less the"
        " ratio of CRPS; carry-forward is the mean of the last three days with the spread of its own errors.</p>"
        "</section>"
    )


def _limits(report: Mapping[str, Any]) -> str:
    followed = ", ".join(sorted({measure.label for measure in MEASURES.values() if measure.metric}))
    body = "".join(f"<li>{escape(one)}</li>" for one in LIMITS)
    words = ", ".join(MEASURE_WORDS.get(name, name) for name in report["burden"])
    return (
        f"<section><h2>Limits and clinical standing</h2><ul>{body}<li>Measures followed: {escape(followed)}.</li>"
        f"<li>Curves of bare thresholds: {escape(words)}.</li></ul></section></main>"
    )


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _side_by_side(drawings: Sequence[str]) -> str:
    return f'<div class="figures">{"".join(drawings)}</div>'


def _share(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.0%}"


def _rate(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.3f}"


def _area(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[0]:.2f} ({told[1]:.2f}–{told[2]:.2f})"


def _interval(told: Sequence[float] | None, places: int = 2) -> str:
    return "–" if told is None else f"{told[0]:.{places}f} ({told[1]:.{places}f}–{told[2]:.{places}f})"


def _hours(told: Sequence[float] | None) -> str:
    return "–" if told is None else f"{told[1]:.0f} h"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{round(100 * value)}%"
