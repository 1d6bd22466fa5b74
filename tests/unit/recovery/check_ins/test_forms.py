"""Questionnaires as they are asked: the shipped ones complete in every language they claim, others read or refused."""

import pytest

from integrations.fhir import validation
from recovery.check_ins.forms import SHIPPED, read_form, shipped, shipped_text
from recovery.exact_json import loads
from recovery.exceptions import Invalid
from recovery.pathway_plan import DEFAULT_PLAN


def item(link_id="q1", kind="boolean", **more):
    return {"linkId": link_id, "text": "Are you well?", "type": kind, **more}


def form(*items, **more):
    return {"resourceType": "Questionnaire", "id": "own", "status": "active", "item": list(items), **more}


@pytest.mark.parametrize("key", SHIPPED)
def test_a_shipped_form_is_valid_fhir(key):
    assert validation.check(loads(shipped_text(key)), "Questionnaire") == "Questionnaire"


def test_every_questionnaire_of_the_shipped_plan_is_shipped():
    assert {one.questionnaire for one in DEFAULT_PLAN.check_ins} <= set(SHIPPED)


def test_the_daily_set_is_complete_in_three_languages():
    assert shipped("daily").languages == {"en", "de", "ar"}


def test_an_instrument_is_offered_only_in_the_language_it_was_given_in():
    qor = shipped("qor15")
    assert qor.languages == {"en"} and "Stark" in qor.notice and len(qor.questions) == 15


def test_a_translation_that_lacks_one_text_is_no_translation():
    content = loads(shipped_text("daily"))
    del content["item"][1]["_text"]["extension"][0]
    assert read_form("daily", content).languages == {"en", "ar"}


def test_every_danger_names_its_source():
    assert all(rule.source for one in shipped("daily").questions for rule in one.dangers)


@pytest.mark.parametrize(
    "items",
    [
        [item(kind="reference")],
        [item(repeats=True)],
        [item(item=[item("q2")])],
        [item(), item()],
        [item(kind="choice")],
        [],
        [item(kind="group", item=[item("g", "group", item=[item("deep")])])],
    ],
    ids=["kind", "repeats", "nested", "twice", "no-options", "empty", "deep"],
)
def test_what_cannot_be_asked_verbatim_is_refused_whole(items):
    with pytest.raises(Invalid):
        read_form("own", form(*items))


def test_a_hospitals_own_instrument_is_read_with_its_group_and_licence():
    inside = item("k1", "integer", text="Twisting on your knee")
    read = read_form("koos", form(item("g1", "group", text="Pain", item=[inside]), copyright="HSS", version="2"))
    assert read.questions[0].preface("en") == "Pain" and read.questions[0].group == ("g1", "Pain")
    assert (read.notice, read.canonical) == ("HSS", "Questionnaire/own|2")


def test_questions_keep_their_numbers_by_which_phones_without_a_connection_hand_in_their_answers():
    kept = ["alarm", "pain", "wound", "wound_photo", "temperature", "nausea", "mobility", "sleep", "bowel", "opioid"]
    assert [one.link_id for one in shipped("daily").questions] == [*kept, "walking_aid"]
