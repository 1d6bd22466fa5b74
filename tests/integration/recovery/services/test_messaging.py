"""Messages arrive once, are read once, and stand in the record."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Document, Message, Patient, Thread
from recovery.selectors.messages import answer_by, inbox, staff_thread, thread_of, unread_of, waiting_for
from recovery.services import messaging
from recovery.services.ingestion import deliver
from tests import deliveries as d
from tests import factories

ACTOR = Actor.system("test")
NOW = d.SURGERY_END + timedelta(hours=22)  # a Tuesday, 10:00

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    team = factories.make_team()
    patient = Patient.objects.get()
    patient.episodes.update(team=team)
    user = factories.make_person("ida", "patient")
    Patient.objects.update(user=user)
    return patient, user, factories.make_person("nurse", team=team)


def send(
    patient, user, *, team=False, thread=None, text="Is a little bleeding usual?", key=None, now=NOW, subject="Wound"
):
    return messaging.send_message(
        patient_id=patient.pk,
        thread_key=thread,
        subject=subject,
        text=text,
        key=key or uuid4(),
        author=messaging.Author(user, user.username, team),
        actor=ACTOR,
        now=now,
    )


def test_a_question_waits_until_the_team_answers(people):
    patient, user, nurse = people
    asked = send(patient, user)
    assert waiting_for(nurse, NOW) == 1 and asked.thread.waiting_since == NOW
    more = send(patient, user, thread=asked.thread.key, now=NOW + timedelta(minutes=5))
    assert Thread.objects.get().waiting_since == NOW
    send(patient, nurse, team=True, thread=more.thread.key, text="Yes, a little.", now=NOW + timedelta(minutes=9))
    assert waiting_for(nurse, NOW) == 0 and unread_of(patient.pk) == 1
    assert len(inbox(nurse, NOW, "all").threads) == 1 and not inbox(nurse, NOW).threads


def test_sending_twice_is_one_message(people):
    patient, user, _nurse = people
    key = uuid4()
    first, second = send(patient, user, key=key), send(patient, user, key=key)
    assert first.pk == second.pk and Message.objects.count() == 1 and Thread.objects.count() == 1


def test_the_key_of_anothers_message_is_refused(people):
    patient, user, nurse = people
    key = send(patient, user).key
    with pytest.raises(Conflict):
        send(patient, nurse, team=True, key=key)


def test_reading_is_told_once_with_who_and_when(people):
    patient, user, nurse = people
    asked = send(patient, user)
    later = NOW + timedelta(minutes=7)
    read = {"thread_key": asked.thread.key, "by_team": True, "actor": ACTOR}
    assert messaging.mark_read(**read, words="Noor Haddad (clinician)", now=later) == 1
    assert messaging.mark_read(**read, words="Somebody else", now=later + timedelta(hours=1)) == 0
    (message,) = thread_of(patient.pk, asked.thread.key, for_team=False).messages
    assert (message.read_at, message.read_by) == (later, "Noor Haddad (clinician)")


def test_reading_ones_own_words_marks_nothing(people):
    patient, user, _nurse = people
    asked = send(patient, user)
    assert messaging.mark_read(thread_key=asked.thread.key, by_team=False, words="Ida", actor=ACTOR, now=NOW) == 0


def test_each_message_is_a_communication_of_the_record(people):
    patient, user, _nurse = people
    asked = send(patient, user)
    said = json.loads(Document.objects.get(type="Communication").content)
    assert said["payload"] == [{"contentString": "Is a little bleeding usual?"}]
    assert said["subject"] == {"reference": "Patient/p1"} and "received" not in said
    messaging.mark_read(thread_key=asked.thread.key, by_team=True, words="Noor", actor=ACTOR, now=NOW)
    assert "received" in json.loads(Document.objects.get(type="Communication").content)


def test_an_answer_is_promised_in_watch_hours(people):
    patient, _user, _nurse = people
    friday_evening = NOW + timedelta(days=3, hours=7, minutes=30)  # Friday 17:30; the team looks until 18:00
    assert answer_by(patient.pk, NOW) == NOW + timedelta(hours=4)
    assert answer_by(patient.pk, friday_evening) == friday_evening.replace(hour=11, minute=30) + timedelta(days=3)


def test_a_strangers_conversation_does_not_exist(people):
    patient, user, _nurse = people
    asked = send(patient, user)
    other = factories.make_person("other", team=factories.make_team("ward-9", "Ward 9"))
    with pytest.raises(NotFound):
        staff_thread(other, asked.thread.key, NOW)
    second = factories.make_episode(key="p2").patient
    with pytest.raises(NotFound):
        send(second, user, thread=asked.thread.key)
    with pytest.raises(NotFound):
        thread_of(second.pk, asked.thread.key, for_team=False)


@pytest.mark.parametrize(("text", "subject"), [("", "x"), ("   ", "x"), ("a" * 4001, "x"), ("hello", " \n ")])
def test_nothing_too_long_and_without_a_subject_is_refused_and_nothing_kept(people, text, subject):
    patient, user, _nurse = people
    with pytest.raises(Invalid):
        send(patient, user, text=text, subject=subject)
    assert not Thread.objects.exists() and not Document.objects.filter(type="Communication").exists()


def test_too_many_messages_in_an_hour_wait(people, monkeypatch):
    monkeypatch.setattr(messaging, "MOST_AN_HOUR", 3)
    patient, user, _nurse = people
    thread = send(patient, user).thread.key
    for number in range(2):
        send(patient, user, thread=thread, text=f"and {number}")
    with pytest.raises(Conflict):
        send(patient, user, thread=thread)
    assert send(patient, user, thread=thread, now=NOW + timedelta(hours=2)).pk


def test_the_team_may_say_that_no_answer_is_needed(people):
    patient, user, nurse = people
    asked = send(patient, user, text="Thank you!")
    messaging.settle(thread_key=asked.thread.key, actor=ACTOR, now=NOW)
    assert waiting_for(nurse, NOW) == 0
