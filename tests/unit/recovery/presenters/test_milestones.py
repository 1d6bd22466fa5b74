"""Milestones in words: never more sure than the distribution, silent where nothing was read."""

from datetime import UTC, datetime

import pytest

from recovery.presenters.milestones import milestones_view
from recovery.selectors.snapshot_json import read_snapshot
from tests import factories

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
NOTE = {"key": "walk_100m", "label": "Walks 100 m in a day, in all", "metric": "heart_rate", "unit": "/min"}
NOTE |= {"target": 200.0, "direction": "up", "from_day": 4, "early": 6, "median": 7, "late": 9, "probability": 0.99}
NOTE |= {"reached": 0.01, "achieved": False, "personal": True, "source": "made up for a test"}


def view(*notes, usual=None, **over):
    content = factories.said(milestones=[NOTE | one for one in notes or [{}]], **over)
    said = read_snapshot(content, made_at=AT, data_until=AT, model_version="m")
    return milestones_view(said, usual or {})


def only(**over):
    return view(over, usual={"walk_100m": 8}).lines[0]


def test_a_distribution_is_a_span_a_middle_and_where_people_like_this_are():
    line = only()
    assert line.sentence == "Day 6 to 9 (8 of 10 chances), middle day 7."
    assert line.usual == "Half of people like this by day 8." and not line.note
    assert (line.range_start, line.range_width, line.middle_at, line.usual_at) == ("66.7%", "33.3%", "77.8%", "88.9%")


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"late": None, "probability": 0.54}, "As likely before as after day 7; 54 in 100 that it comes within"),
        ({"early": None, "median": None, "late": None, "probability": 0.004}, "Fewer than 1 in 100 that it comes"),
        ({"early": 4, "median": 4, "late": 26, "reached": 0.765}, "76 in 100 that it is reached by day 4. Day 4 to 26"),
        ({"early": 7, "late": 7}, "Day 7, 8 of 10 chances."),
    ],
)
def test_what_is_not_sure_says_how_sure_it_is(over, words):
    assert only(**over).sentence.startswith(words)


def test_what_is_reached_is_said_and_drawn_no_more():
    line = only(achieved=True, early=4, median=4, late=4)
    assert line.is_reached and line.sentence == "Reached." and line.range_width == "" and line.usual == ""


def test_few_own_readings_are_said():
    assert "too few own readings" in only(personal=False).note


def test_people_like_this_of_whom_fewer_than_half_arrive_have_no_day():
    assert view(usual={"walk_100m": None}).lines[0].usual == (
        "Fewer than half of people like this reach it within the pathway."
    )
    assert view().lines[0].usual == "", "what an older snapshot does not say is not made up"


def test_the_nearest_to_come_stands_first_and_the_gist_names_it():
    seen = view(
        {"key": "a", "label": "Far", "median": 20, "late": None},
        {"key": "b", "label": "Done", "achieved": True},
        {"key": "c", "label": "Never", "early": None, "median": None, "late": None},
        {"key": "d", "label": "Near"},
    )
    assert [line.label for line in seen.lines] == ["Near", "Far", "Never", "Done"]
    assert seen.gist == "1 of 4 reached; next: Near, about day 7" and seen.last_day == 20


def test_nothing_read_and_a_withdrawn_measure_show_nothing():
    assert milestones_view(None, {}) is None and view(metrics={}) is None
    assert view({"metric": "steps"}) is None
    assert view({"key": "off_opioids", "metric": "opioid use", "unit": "", "target": None}).lines[0].target == ""
