"""The server-drawn chart: gaps stay gaps, refused readings are hollow, the sentence says what the picture shows."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.presenters import geometry
from recovery.presenters.chart import at_its_time, band_place, draw, summary
from recovery.selectors.snapshot import Curve, MetricSaid
from recovery.selectors.snapshot_json import read_snapshot
from recovery.selectors.timeline import Observed, RejectedPoint
from tests import factories

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
NUMBER = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


def heart(**over) -> MetricSaid:
    content = factories.said()
    said = read_snapshot(content, made_at=END, data_until=END, model_version="v")
    return replace(said.metrics["heart_rate"], **over)


def drawn(metric: MetricSaid, seen: Observed | None = None):
    return draw(metric, seen, now_hour=24.0, surgery_end=END, zone=UTC_ZONE)


def test_without_a_curve_nothing_is_drawn():
    assert drawn(heart(curve=None)) is None


def test_each_reading_is_one_dot():
    chart = drawn(heart(), Observed("heart_rate", (1.0, 2.0, 3.0), (80.0, 81.0, 79.0)))
    assert chart.dots.count("M") == 3


def test_a_missing_value_breaks_the_line_instead_of_becoming_zero():
    x = geometry.Scale(0, 4, 0, 1000)
    path = geometry.line(x, geometry.Scale(0, 10, 100, 0), (0, 1, 2, 3), (5.0, None, 5.0, 6.0))
    assert path.count("M") == 2 and "L1000" not in path


def test_a_refused_reading_is_hollow_and_stays_inside_the_drawing():
    seen = Observed("heart_rate", rejected=(RejectedPoint(5.0, 900.0, "above 250"),))
    (dot,) = drawn(heart(), seen).hollow
    assert 0.0 <= float(dot.y) <= 190.0


def test_hours_with_readings_are_drawn_as_stretches():
    assert geometry.runs([3, 4, 5, 9]) == [(3, 6), (9, 10)]


def test_the_sentence_gives_value_unit_band_and_place():
    assert summary(heart(), Observed("heart_rate")) == (
        "Heart rate: latest 82\u00a0/min, expected 71 to 89 (90 % band); on own course."
    )


@pytest.mark.parametrize(
    ("now", "place"),
    [
        (60.0, "below own 90 % band"),
        (72.0, "inside own 90 % band"),
        (80.0, "on own course"),
        (95.0, "above own 90 % band"),
    ],
)
def test_a_reading_is_placed_against_its_own_bands(now, place):
    assert band_place(heart(now=now)) == place


def test_an_old_reading_is_not_judged():
    assert band_place(heart(hours_since=30.0)) == ""


def test_a_daily_total_is_compared_with_its_own_day():
    curve = Curve(
        (12.0, 36.0), (100.0, 900.0), (200.0, 1000.0), (300.0, 1100.0), (400.0, 1200.0), (500.0, 1300.0), (None, None)
    )
    steps = heart(key="steps", now=320.0, low90=900.0, high90=1300.0, curve=curve)
    assert band_place(steps) == "below own 90 % band"
    assert band_place(at_its_time(steps, 12.0)) == "on own course"


def test_the_table_says_what_the_picture_shows_day_by_day():
    seen = Observed("heart_rate", (1.0, 2.0, 25.0), (80.0, 84.0, 90.0), worn_hours=(1, 2, 25))
    rows = drawn(heart(), seen).rows
    assert [row.day for row in rows][:2] == ["0", "1"]
    assert rows[0].measured == "82\u00a0/min" and rows[0].covered == "2 of 24 h"
    assert rows[0].date == "Mon 2 Mar"


def test_before_the_first_reading_the_course_alone_is_drawn():
    chart = drawn(heart(now=None, hours_since=None))
    assert chart.dots == "" and chart.middle
    assert chart.summary == "Heart rate: no readings yet; the expected course is drawn."


def test_whole_numbers_get_whole_ticks():
    pain = heart(key="pain", unit="{score}")
    assert all("." not in tick.label for tick in drawn(pain).y_ticks)


@given(st.lists(NUMBER, min_size=1, max_size=40), NUMBER, NUMBER)
def test_no_input_puts_a_dot_outside_the_drawing_or_writes_nan(values, low, high):
    curve = Curve((0.0, 48.0), (low, None), (low, low), (low, high), (high, high), (high, None), (None, None))
    seen = Observed("heart_rate", tuple(float(i) for i in range(len(values))), tuple(values))
    chart = drawn(heart(curve=curve, low90=low, high90=high, now=values[-1]), seen)
    text = chart.dots + chart.band90 + chart.middle
    assert "nan" not in text and "inf" not in text
    heights = [float(y) for y in re.findall(r"[ML][\d.-]+ ([\d.-]+)", text)]
    assert all(-1.0 <= y <= 191.0 for y in heights)


@given(NUMBER, st.floats(min_value=0.001, max_value=1e6))
def test_ticks_lie_inside_and_rise(low, width):
    ticks = geometry.nice_ticks(low, low + width)
    assert all(
        low - 1e-6 * width - 1e-9 * abs(low) <= tick <= low + width * (1 + 1e-6) + 1e-9 * abs(low) for tick in ticks
    )
    assert ticks == sorted(ticks) and len(ticks) <= 6 and all(map(math.isfinite, ticks))


def test_ten_thousand_hours_make_a_small_drawing():
    hours = tuple(float(h) for h in range(1000))
    chart = draw(
        heart(curve=Curve((0.0, 1000.0), *([(60.0, 60.0)] * 6))),
        Observed("heart_rate", hours, tuple(70.0 + h % 7 for h in hours)),
        now_hour=1000.0,
        surgery_end=END - timedelta(days=42),
        zone=UTC_ZONE,
    )
    assert len(chart.dots) < 16_000
