"""What patients are told: plain, kind, and never more reassuring than the readings."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from recovery.presenters.portal import own_view
from recovery.selectors.people import Operation, Person
from recovery.selectors.portal import OwnPage
from recovery.selectors.snapshot_json import read_snapshot
from tests import factories

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def view(state="on_track", *, alert=False, answered=False, scores=(), **heart):
    content = factories.said(state, scores=list(scores))
    content["metrics"]["heart_rate"] |= heart
    return of(read_snapshot(content, made_at=NOW, data_until=NOW, model_version="v"), alert=alert, answered=answered)


def of(said, *, alert=False, answered=False):
    person = Person("Ida Hartmann", None, "female", "S-1", True, "", None)
    operation = Operation(uuid4(), "knee_replacement", "Total knee replacement", END, None, "active", "Ward 7")
    return own_view(OwnPage(1, person, operation, said, {}, alert, answered), NOW, ZoneInfo("UTC"))


def words(shown) -> str:
    return " ".join([shown.sentence, shown.team_line, *(f"{m.verdict} {m.usual} {m.label}" for m in shown.metrics)])


def test_readings_on_course_are_as_expected_for_that_day():
    assert view().sentence == "Your readings are as expected for you on day 1."


def test_a_reading_off_course_is_named():
    assert view(now=120.0).sentence == "It is day 1. Your heart rate is worth a look: see below."


@pytest.mark.parametrize("state", ["act", "review"])
def test_nothing_reassures_while_the_team_is_asked_to_look(state):
    assert "as expected" not in view(state, alert=True).sentence


def test_a_grave_reading_on_its_own_course_is_not_called_expected():
    news = {"name": "NEWS2", "value": 2, "items": [{"name": "pulse", "points": 2, "value": 118.0}]}
    shown = view(scores=[news])
    assert shown.metrics[0].verdict == "Please ask your care team about this reading."
    assert "as expected" not in shown.sentence


def test_old_readings_reassure_nobody():
    shown = view(hours_since=40.0)
    assert shown.sentence == "It is day 1. We have no fresh readings from you."
    assert shown.metrics[0].verdict == "No reading lately."


def test_the_team_line_says_only_what_is_true():
    assert view().team_line == "Ward 7 can see these readings."
    assert view(alert=True).team_line == "Ward 7 has this on its list; nobody has answered yet."
    assert view(alert=True, answered=True).team_line == "Ward 7 has seen this."


def test_a_patient_is_shown_no_risk_and_no_jargon():
    said = words(view("act", alert=True, now=130.0)).lower()
    assert not any(word in said for word in ("risk", "in 100", "complication", "abnormal", "band", "news2"))


def test_the_operation_reads_as_part_of_the_sentence():
    assert view().operation == "total knee replacement"


def test_severe_pain_is_never_as_expected():
    heart = factories.said()["metrics"]["heart_rate"]
    pain = heart | {
        "label": "Pain",
        "unit": "{score}",
        "now": 9.0,
        "low50": 6.0,
        "high50": 9.0,
        "low90": 5.0,
        "high90": 10.0,
    }
    content = factories.said(metrics={"pain": pain})
    shown = of(read_snapshot(content, made_at=NOW, data_until=NOW, model_version="v"))
    assert "lot of pain" in shown.metrics[0].verdict and "as expected" not in shown.sentence


def test_a_patient_is_not_sent_to_a_blood_value_that_their_page_does_not_show():
    content = factories.said()
    content["metrics"]["crp"] = content["metrics"]["heart_rate"] | {"label": "C-reactive protein", "now": 300.0}
    shown = of(read_snapshot(content, made_at=NOW, data_until=NOW, model_version="v"))
    assert shown.sentence == "Your readings are as expected for you on day 1."
    assert [one.key for one in shown.metrics] == ["heart_rate"]
