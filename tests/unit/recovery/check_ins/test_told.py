"""Answers as FHIR resources: valid, mirroring the questionnaire, with ids that make telling twice harmless."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from integrations.fhir import validation
from integrations.fhir.documents.gait_aids import observed_aid
from recovery.check_ins.forms import shipped
from recovery.check_ins.told import Telling, resources
from recovery.exact_json import dumps, loads

CLIENT = UUID("2f3c9a3e-0d5a-4a57-9d0f-6f1f1f0a7b11")
NOW = datetime(2026, 3, 3, 9, 5, tzinfo=UTC)


def told(key, answers, by_words="", photos=None):
    telling = Telling(shipped(key), answers, CLIENT, "p1", NOW, "de", by_words, photos or {})
    found = [loads(dumps(one)) for one in resources(telling)]
    for one in found:
        validation.check(one)
    return found


def test_answers_are_one_response_and_an_observation_for_each_measurement():
    response, pain, temperature = told("daily", {"alarm": ["none"], "pain": 4, "temperature": 37.4})
    assert response["questionnaire"].endswith("/daily|2") and response["id"] == str(CLIENT)
    assert (pain["valueQuantity"]["value"], pain["valueQuantity"]["code"]) == (4, "{score}")
    assert str(temperature["valueQuantity"]["value"]) == "37.4"
    assert pain["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{CLIENT}"}]


@pytest.mark.parametrize(
    ("answer", "aid"),
    [("266731002", "frame"), ("74566002", "crutches"), ("360006004", "stick"), ("no-aid", "none"), ("not-walking", "")],
)
def test_a_walking_aid_is_told_as_the_hospital_would_tell_it(answer, aid):
    response, said = told("daily", {"walking_aid": answer})
    assert response["item"][0]["answer"][0]["valueCoding"]["code"] == answer
    assert said["code"]["coding"][0]["code"] == "98181-1" and "valueQuantity" not in said
    found = observed_aid(said)
    assert (found.key if found else "") == (f"gait_aid.{aid}" if aid else "")


def test_a_walking_aid_that_was_not_said_is_no_observation():
    assert len(told("daily", {"walking_aid": {"declined": "asked-unknown"}})) == 1


def test_what_was_not_said_is_told_as_not_said():
    (response,) = told("daily", {"pain": {"declined": "asked-declined"}})
    assert response["item"][0]["extension"][0]["valueCode"] == "asked-declined" and "answer" not in response["item"][0]


def test_an_instruments_groups_and_its_score_are_told():
    answers = {one.link_id: 9 for one in shipped("qor15").questions}
    response, score = told("qor15", answers)
    assert [one["linkId"] for one in response["item"]] == ["partA", "partB"]
    assert score["valueQuantity"]["value"] == 135 and score["code"]["coding"][0]["code"] == "qor-15"


def test_a_caregiver_answers_in_their_own_name():
    (response,) = told("daily", {"alarm": ["none"]}, by_words="Anna (daughter) for Ida")
    assert response["author"] == {"display": "Anna (daughter) for Ida"}
    assert response["source"] == {"reference": "Patient/p1"}


def test_a_photo_is_a_media_that_the_response_names():
    media, response = told(
        "daily", {"wound": "pink", "wound_photo": f"{CLIENT}-ab"}, photos={f"{CLIENT}-ab": b"\xff\xd8"}
    )
    assert media["resourceType"] == "Media" and media["subject"] == {"reference": "Patient/p1"}
    assert response["item"][1]["answer"][0]["valueAttachment"]["url"] == f"Media/{CLIENT}-ab"
