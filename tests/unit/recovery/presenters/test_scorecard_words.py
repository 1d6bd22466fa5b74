"""The scorecard in words: coverage, and skill against the usual course."""

import math

import pytest

from recovery.presenters.patient import scorecard_line
from recovery.selectors.snapshot_json import read_snapshot
from tests import factories


def line(card: dict) -> str:
    said = factories.said()
    said["metrics"]["heart_rate"]["scorecard"] = card
    now = factories.LONG_AGO
    return scorecard_line(read_snapshot(said, made_at=now, data_until=now, model_version="x").metrics["heart_rate"])


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        (0.25, "error 25 % below that of the usual course"),
        (-0.4, "error 40 % above that of the usual course"),
        (0.001, "error as that of the usual course"),
    ],
)
def test_skill_is_said_as_error_beside_the_usual_course(skill, words):
    assert words in line({"n": 40, "coverage90": 0.9, "skill": skill})


@pytest.mark.parametrize("skill", [None, math.nan, "high"])
def test_without_a_skill_only_the_coverage_is_said(skill):
    assert line({"n": 40, "coverage90": 0.9, "skill": skill}).endswith("(40 predictions)")


def test_before_the_first_prediction_nothing_is_said():
    assert line({"n": 0, "coverage90": None, "skill": None}) == ""
