"""A message of the team is read by a person: who helps the patient reads for themself alone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import CaregiverGrant, Document, Patient
from recovery.selectors.messages import unread_of
from recovery.services import messaging
from tests.integration.recovery.views.test_portal_people import BORN, caregiver

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")


@pytest.fixture
def letter(scene):
    """What the team wrote to our patient, of which nobody knows yet."""
    return messaging.send_message(
        patient_id=scene.episode.patient_id,
        thread_key=None,
        subject="Your bruise",
        text="Is it still swollen?",
        key=uuid4(),
        author=messaging.Author(scene.own, "Noor", from_team=True),
        actor=ACTOR,
        now=scene.now,
    )


def test_a_helper_who_opens_a_message_leaves_it_new_to_the_patient_and_the_team_sees_who_read(scene, letter):
    patient = Patient.objects.get(pk=scene.episode.patient_id)
    Patient.objects.filter(pk=patient.pk).update(birth_date=BORN)
    _grant, anna = caregiver(patient, "see", "write")
    at, own, listed = reverse("me_thread", args=[letter.thread.key]), scene.client("patient"), reverse("me_messages")
    team = scene.client("own"), reverse("staff_thread", args=[letter.thread.key])

    assert "1 new" in anna.get(listed).content.decode()
    anna.get(at)
    letter.refresh_from_db()
    assert letter.read_at is None and "received" not in Document.objects.get(type="Communication").content
    assert "1 new" not in anna.get(listed).content.decode() and unread_of(patient.pk) == 1
    assert "1 new" in own.get(listed).content.decode()
    said = team[0].get(team[1]).content.decode()
    assert "Not read by the patient yet; read by Anna (daughter) for" in said

    page = own.get(at).content.decode()
    assert "Read by Anna (daughter)" in page, "the patient sees who else has read it"
    letter.refresh_from_db()
    assert letter.read_at is not None and unread_of(patient.pk) == 0
    assert f"Read by {patient.name}, " in team[0].get(team[1]).content.decode()


def test_what_the_patient_has_read_before_is_no_news_to_who_comes_later_and_what_comes_then_is(scene, letter):
    patient = Patient.objects.get(pk=scene.episode.patient_id)
    Patient.objects.filter(pk=patient.pk).update(birth_date=BORN)
    scene.client("patient").get(reverse("me_thread", args=[letter.thread.key]))
    grant, _token = caregiver(patient, "write")
    CaregiverGrant.objects.filter(pk=grant.pk).update(accepted_at=letter.sent_at + timedelta(minutes=1))
    helper = CaregiverGrant.objects.get(pk=grant.pk).user
    assert unread_of(patient.pk, helper) == 0
    letter.pk, letter.key, letter.read_at = None, uuid4(), None
    letter.sent_at += timedelta(minutes=2)
    letter.save()
    assert unread_of(patient.pk, helper) == 1
