"""What people send, read and judged."""

import pytest

from recovery.check_ins.answers import NotAnAnswer, danger_of, dangers_of, is_enabled, read_answer, score_of
from recovery.check_ins.forms import shipped

DAILY, QOR = shipped("daily"), shipped("qor15")


def q(link_id):
    return DAILY.question(link_id)


@pytest.mark.parametrize(
    ("typed", "kept"), [("37.5", 37.5), ("37,5", 37.5), (" 38 ", 38.0), ("٣٧٫٥", 37.5), ("100.4", 38.0)]
)
def test_a_temperature_is_understood_as_people_write_it(typed, kept):
    assert read_answer(q("temperature"), [typed]) == kept


@pytest.mark.parametrize(
    ("link_id", "typed", "reason"),
    [
        ("temperature", "warm", "number"),
        ("temperature", "12", "range"),
        ("temperature", "nan", "number"),
        ("temperature", "1e999", "number"),
        ("pain", "11", "range"),
        ("pain", "3.5", "whole"),
        ("pain", "", "pick"),
        ("wound", "purple", "pick"),
        ("opioid", "-1", "range"),
    ],
)
def test_what_is_no_answer_is_asked_again_with_its_reason(link_id, typed, reason):
    with pytest.raises(NotAnAnswer) as refused:
        read_answer(q(link_id), [typed])
    assert refused.value.reason == reason


def test_none_of_these_beside_something_is_not_guessed_at():
    with pytest.raises(NotAnAnswer):
        read_answer(q("alarm"), ["none", "chest"])
    assert read_answer(q("alarm"), ["chest", "faint"]) == ["chest", "faint"]


def test_rather_not_say_and_do_not_know_are_told_apart():
    assert read_answer(q("pain"), [], skipped="decline") == {"declined": "asked-declined"}
    assert read_answer(q("pain"), [], skipped="unknown") == {"declined": "asked-unknown"}


@pytest.mark.parametrize(
    ("link_id", "answer", "level"),
    [
        ("alarm", ["chest"], "emergency"),
        ("alarm", ["calf", "breath"], "emergency"),
        ("alarm", ["calf"], "urgent"),
        ("alarm", ["none"], None),
        ("pain", 7, "urgent"),
        ("pain", 6, None),
        ("temperature", 38.1, "urgent"),
        ("temperature", 38.0, None),
        ("wound", "pus", "urgent"),
        ("pain", {"declined": "asked-unknown"}, None),
    ],
)
def test_a_dangerous_answer_is_known_by_its_rule(link_id, answer, level):
    found = danger_of(q(link_id), answer)
    assert (found.level if found else None) == level


def test_a_photo_is_asked_for_only_when_there_is_something_to_see():
    assert is_enabled(q("wound_photo"), {"wound": "pink"})
    assert not is_enabled(q("wound_photo"), {"wound": "dry"})
    assert not is_enabled(q("wound_photo"), {"wound": {"declined": "asked-unknown"}})


def test_emergencies_come_before_the_rest():
    levels = [one.level for one in dangers_of(DAILY, {"pain": 9, "alarm": ["faint"]})]
    assert levels == ["emergency", "urgent"]


def test_a_score_needs_every_answer():
    full = {one.link_id: 10 for one in QOR.questions}
    assert score_of(QOR, full) == 150
    assert score_of(QOR, full | {"qor3": {"declined": "asked-declined"}}) is None
    assert score_of(DAILY, {"pain": 3}) is None
