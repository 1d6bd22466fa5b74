"""Few questions, and those worth most."""

import pytest

from recovery.check_ins.asking import MOST_A_DAY, aid_is_due, choose, kept, next_question
from recovery.check_ins.forms import shipped

DAILY, QOR = shipped("daily"), shipped("qor15")
SAFETY = {"alarm", "pain", "wound"}


def ask(day=1, worth=None, procedure="knee_replacement"):
    return choose(DAILY, day=day, worth=worth or {}, procedure=procedure)


def test_never_more_than_seven_and_always_the_safety_questions():
    for day in range(31):
        asked = ask(day, {"temperature": 0.4, "sleep": 0.2}, "colectomy_open")
        assert len(asked) <= MOST_A_DAY and set(asked) >= SAFETY


def test_a_reading_that_teaches_the_twin_most_is_asked_for_first():
    assert "temperature" in ask(worth={"temperature": 0.3}) and "temperature" not in ask()
    assert "sleep" in ask(worth={"sleep": 0.3})


def test_what_takes_turns_is_asked_at_least_every_third_day():
    for link_id in ("nausea", "mobility", "opioid"):
        days = [day for day in range(12) if link_id in ask(day, {"temperature": 0.3})]
        assert max(b - a for a, b in zip(days, days[1:], strict=False)) <= 3


def test_bowels_are_asked_about_only_after_surgery_of_the_belly():
    assert not any("bowel" in ask(day) for day in range(9))
    assert any("bowel" in ask(day, procedure="colectomy_open") for day in range(3))


def test_the_walking_aid_is_asked_for_where_it_is_worth_something_and_legs_or_back_were_operated_on():
    assert "walking_aid" in ask(worth={"walking_aid": 0.2}) and "walking_aid" not in ask()
    assert not any("walking_aid" in ask(day, {"walking_aid": 0.2}, "colectomy_open") for day in range(9))


@pytest.mark.parametrize(
    ("procedure", "given", "due"),
    [
        ("hip_fracture", [], True),
        ("spinal_fusion", [(6, "74566002")], False),
        ("knee_replacement", [(7, "74566002")], True),
        ("knee_replacement", [(8, "266731002"), (1, {"declined": "asked-unknown"})], False),
        ("knee_replacement", [(1, "not-walking")], False),
        ("knee_replacement", [(2, "not-walking")], True),
        ("cardiac", [], False),
    ],
)
def test_the_walking_aid_is_due_weekly_and_sooner_for_who_does_not_walk_yet(procedure, given, due):
    assert aid_is_due(procedure, given) is due


def test_an_instrument_is_asked_whole_and_in_its_order():
    assert choose(QOR, day=3, worth={}, procedure="") == tuple(one.link_id for one in QOR.questions)


def test_going_back_skips_nothing_and_a_question_that_no_longer_applies_is_not_sent():
    asked = ("alarm", "pain", "wound", "wound_photo", "mobility")
    given = {"alarm": ["none"], "pain": 2, "wound": "dry", "wound_photo": "p1", "mobility": "bed"}
    assert "wound_photo" not in kept(DAILY, asked, given)
    del given["alarm"]
    assert next_question(DAILY, asked, given, "mobility").link_id == "alarm"
