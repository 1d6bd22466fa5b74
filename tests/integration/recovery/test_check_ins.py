"""Check-ins: kept while one thinks, told at once where dangerous, stored exactly once whatever happens on the way."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection, connections

from recovery.check_ins.answers import dangers_of
from recovery.check_ins.forms import shipped, shipped_text
from recovery.check_ins.told import Telling, resources
from recovery.exact_json import dumps, loads
from recovery.exceptions import Conflict
from recovery.models import Alert, AuditEvent, CheckInDraft, CheckInResponse, Document, Owed, Sample
from recovery.photos import Photo
from recovery.ports import ports
from recovery.selectors import check_ins as found
from recovery.services import check_ins, ingestion
from recovery.services.check_ins import AlreadySent, Attempt
from tests import factories

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
ENDED = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLOT = "daily-2026-03-05"
FORM = shipped("daily")
WELL = {"alarm": ["none"], "pain": 3, "wound": "dry", "temperature": 36.9}


@pytest.fixture
def episode(db):
    return enrolled()


def enrolled():
    made = factories.make_episode(factories.make_team(), key="ours", ended=ENDED)
    Document.objects.create(
        type="Patient",
        fhir_id="ours",
        content='{"resourceType":"Patient","id":"ours"}',
        updated_at=ENDED,
        patient=made.patient,
    )
    return made


def send(episode, answers, *, client_id=None, slot=SLOT, at=NOW, now=NOW, channel="portal"):
    client_id = client_id or uuid4()
    telling = Telling(FORM, answers, client_id, "ours", check_ins.believed(at, now), "en", "")
    return check_ins.send(
        episode=episode,
        form=FORM,
        attempt=Attempt(slot, client_id, answers, at, channel, "Ida Hartmann"),
        delivery=ports().delivery_of(resources(telling), "check-in"),
        document=str(client_id),
        actor=factories.ACTOR,
        user_id=None,
        now=now,
    )


def draft(episode, slot=SLOT, now=NOW):
    return check_ins.open_draft(episode=episode, slot=slot, asked=["alarm", "pain", "wound"], now=now)


def answer(episode, link_id, given, now=NOW):
    held, question = draft(episode), FORM.question(link_id)
    return check_ins.keep_answer(draft=held, form=FORM, question=question, answer=given, actor=factories.ACTOR, now=now)


def stored() -> tuple[int, int, int]:
    responses = Document.objects.filter(type="QuestionnaireResponse").count()
    return CheckInResponse.objects.count(), responses, Sample.objects.count()


def test_answers_become_a_response_readings_and_work_for_the_twin(episode):
    assert send(episode, WELL).is_new
    assert stored() == (1, 1, 2)
    assert set(Sample.objects.values_list("series__metric", flat=True)) == {"pain", "temperature"}
    assert Owed.objects.filter(kind="twin", key=episode.pk).exists()
    assert AuditEvent.objects.get(action="check_in").detail["channel"] == "portal"


def test_the_same_attempt_any_number_of_times_is_one_response(episode):
    client_id = uuid4()
    first = send(episode, WELL, client_id=client_id)
    for _ in range(3):
        again = send(episode, WELL, client_id=client_id, now=NOW + timedelta(hours=2))
        assert not again.is_new and again.response.pk == first.response.pk
    assert stored() == (1, 1, 2)


def test_a_second_tab_is_told_what_the_first_sent(episode):
    first = send(episode, WELL)
    second = send(episode, WELL | {"pain": 5})
    assert not second.is_new and second.response.answers["pain"] == 3 == first.response.answers["pain"]
    assert stored() == (1, 1, 2)


def test_a_danger_in_a_second_attempt_is_not_lost_with_it(episode):
    send(episode, WELL)
    send(episode, WELL | {"alarm": ["breath"]}, channel="outbox")
    assert Alert.objects.get().severity == "high" and stored()[0] == 1
    send(episode, WELL | {"alarm": ["breath"]}, channel="outbox")
    assert Alert.objects.get().hits == 1


def test_nothing_is_stored_when_the_door_refuses_or_the_server_dies_in_the_middle(episode, monkeypatch):
    held = draft(episode)

    def dies(**_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(ingestion, "deliver", dies)
        send(episode, WELL | {"alarm": ["chest"]}, client_id=held.client_id)
    assert stored() == (0, 0, 0) and not Alert.objects.exists()
    assert CheckInDraft.objects.get().client_id == held.client_id
    assert send(episode, WELL, client_id=held.client_id).is_new and stored() == (1, 1, 2)


def test_a_dangerous_answer_is_an_alert_before_anything_is_sent(episode):
    assert answer(episode, "alarm", ["chest"], NOW).level == "emergency"
    alert = Alert.objects.get()
    assert (alert.cause, alert.severity, alert.raised_at) == ("check_in_alarm", "high", NOW)
    assert "Chest pain" in alert.because[0]["text"] and stored()[0] == 0


def test_the_team_is_told_once_of_what_is_answered_and_then_sent(episode):
    answer(episode, "pain", 8)
    answer(episode, "pain", 9)
    send(episode, WELL | {"pain": 9}, client_id=CheckInDraft.objects.get().client_id)
    assert Alert.objects.get().hits == 1
    assert CheckInResponse.objects.get().dangers == [{"question": "pain", "level": "urgent"}]


def test_what_becomes_graver_is_told_again(episode):
    answer(episode, "alarm", ["calf"])
    assert Alert.objects.get().severity == "medium"
    answer(episode, "alarm", ["calf", "chest"])
    assert Alert.objects.get().severity == "high"


def test_answers_wait_a_day_and_no_longer(episode):
    answer(episode, "pain", 4)
    assert draft(episode, now=NOW + timedelta(hours=23)).answers["given"] == {"pain": 4}
    assert draft(episode, now=NOW + timedelta(hours=48)).answers["given"] == {}
    assert check_ins.drop_old_drafts(now=NOW + timedelta(hours=80)) == 1


def test_what_was_sent_is_not_begun_again(episode):
    send(episode, WELL)
    with pytest.raises(AlreadySent):
        draft(episode)


def test_a_draft_that_was_sent_elsewhere_takes_no_more_answers(episode):
    held = draft(episode)
    send(episode, WELL, client_id=held.client_id)
    question = FORM.question("pain")
    with pytest.raises(Conflict):
        check_ins.keep_answer(draft=held, form=FORM, question=question, answer=3, actor=factories.ACTOR, now=NOW)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (NOW - timedelta(hours=5), NOW - timedelta(hours=5)),
        (NOW + timedelta(minutes=2), NOW + timedelta(minutes=2)),
        (NOW + timedelta(days=400), NOW),
        (NOW - timedelta(days=30), NOW),
        (datetime.min.replace(tzinfo=UTC), NOW),
    ],
)
def test_a_phones_clock_is_believed_within_reason(episode, said, kept):
    assert send(episode, WELL, at=said).response.answered_at == kept


def test_a_retaken_photo_leaves_nothing_behind(episode):
    held, question = draft(episode), FORM.question("wound_photo")
    for jpeg in (b"one", b"two"):
        check_ins.keep_photo(draft=held, question=question, photo=Photo(jpeg, 9, 9), now=NOW)
    assert bytes(held.photos.get().jpeg) == b"two"
    check_ins.drop_photo(draft=held, question=question, now=NOW)
    assert not held.photos.exists()
    assert "wound_photo" not in CheckInDraft.objects.get().answers["given"]


def test_nobody_is_reminded_of_what_they_answered(episode):
    user = factories.make_person("ida", "patient")
    episode.patient.user = user
    episode.patient.save()
    assert [one.slot.name for one in found.waiting(NOW)] == [SLOT, "qor15-2026-03-05"]
    send(episode, WELL)
    assert [one.slot.name for one in found.waiting(NOW)] == ["qor15-2026-03-05"]
    user.is_active = False
    user.save()
    assert found.waiting(NOW) == ()


def test_an_instrument_is_not_asked_in_a_language_it_does_not_have(episode):
    assert [one.questionnaire for one in found.open_now(episode, "en", NOW)] == ["daily", "qor15"]
    assert [one.questionnaire for one in found.open_now(episode, "ar", NOW)] == ["daily"]


def test_a_hospitals_own_questionnaire_is_asked_when_its_pathway_names_it(episode):
    item = {"linkId": "k1", "text": "Twisting on your knee", "type": "boolean"}
    own = {"resourceType": "Questionnaire", "id": "koos-jr", "status": "active", "item": [item]}
    ingestion.deliver(delivery=ports().delivery_of([own], "test"), actor=factories.ACTOR, now=NOW, atomic=True)
    assert found.form_of("koos-jr").questions[0].words("en") == "Twisting on your knee"
    assert found.form_of("no-such") is None


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_one_response():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: see the attempts one after another")
    episode, results, barrier = enrolled(), [], Barrier(10)

    def race():
        try:
            barrier.wait()
            results.append(send(episode, WELL).is_new)
        finally:
            connections.close_all()

    threads = [Thread(target=race) for _ in range(10)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    assert sorted(results) == [False] * 9 + [True] and stored() == (1, 1, 2)


def test_dangers_of_what_no_longer_applies_do_not_count():
    assert dangers_of(FORM, {"alarm": ["none"], "wound": "dry"}) == ()


@pytest.mark.parametrize(
    ("over", "is_theirs"),
    [({}, True), ({"experimental": True}, False), ({"status": "draft"}, False), ({"item": "short"}, False)],
    ids=["compared", "not compared", "draft", "other questions"],
)
def test_a_hospital_replaces_the_text_of_an_instrument_and_the_scoring_stays(episode, over, is_theirs):
    content = loads(shipped_text("qor15"))
    assert content["experimental"] is True and "NOT compared" in content["description"], "never called verbatim"
    short = content["item"][:1]
    content |= {"experimental": False, "version": "ward-1"} | over | ({"item": short} if "item" in over else {})
    content["item"][0]["item"][0]["text"] = "As printed"
    Document.objects.create(
        type="Questionnaire", fhir_id="qor15", content=dumps(content), updated_at=NOW, patient_id=None
    )
    form = found.form_of("qor15")
    assert (form.questions[0].words("en") == "As printed") is is_theirs
    assert form.score == shipped("qor15").score and len(form.questions) == 15
