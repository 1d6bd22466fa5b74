"""Interactive figures: the same numbers, small, and valid plotly."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.presenters.figures import figure_json
from recovery.selectors.snapshot import Curve
from recovery.selectors.snapshot_json import read_snapshot
from recovery.selectors.timeline import Observed, RejectedPoint
from tests import factories

END = datetime(2026, 3, 2, 12, tzinfo=UTC)


def heart():
    said = read_snapshot(factories.said(), made_at=END, data_until=END, model_version="v")
    return said.metrics["heart_rate"]


def figure(metric, seen):
    return figure_json(metric, seen, now=END + timedelta(days=30), surgery_end=END, zone=ZoneInfo("UTC"))


def test_a_month_of_hourly_readings_stays_under_60_kb():
    hours = tuple(h + 0.5 for h in range(1000))
    values = tuple(70.123456 + h % 13 for h in range(1000))
    points = tuple(range(0, 38 * 24, 12))
    curve = Curve(tuple(map(float, points)), *([tuple(70.12345 + i for _ in points) for i in range(6)]))
    import dataclasses

    text = figure(dataclasses.replace(heart(), curve=curve), Observed("heart_rate", hours, values))
    assert len(text) < 60_000


def test_the_figure_shows_readings_course_norm_bands_and_refusals_by_name():
    seen = Observed("heart_rate", (1.5,), (80.0,), rejected=(RejectedPoint(3.0, 400.0, "above"),))
    names = [trace.get("name") for trace in json.loads(figure(heart(), seen))["data"]]
    assert {
        "measured",
        "own expected course",
        "usual after this operation",
        "rejected",
        "9 of 10 expected here",
    } <= set(names)


def test_every_colour_can_be_swapped_for_the_dark_theme():
    import re
    from pathlib import Path

    script = Path("static/js/patient.js").read_text()
    used = set(re.findall(r"#[0-9a-f]{6}", figure(heart(), Observed("heart_rate", (1.5,), (80.0,)))))
    assert used <= set(re.findall(r'"(#[0-9a-f]{6})"', script))
