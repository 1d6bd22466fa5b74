"""Every page of the portal x patient, caregiver by scope, stranger and withdrawn caregiver.

A new route under /me/ fails here until it says whom it is for.
"""

from datetime import date
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import AuditEvent, CaregiverContact, CaregiverGrant, ContactChoice, Patient
from recovery.services import grants, messaging
from tests import factories
from tests.integration.recovery.views.test_three_people import FORMS, POST, route_names, url_of

pytestmark = pytest.mark.django_db

SELF, ANY, OPEN = "self", "any", "open"
# name -> the scope that a caregiver needs; self: only the patient; any: every caregiver; open: everybody.
WHOM = {
    "me": "see",
    "me_readings": "see",
    "me_settings": ANY,
    "me_goal_add": SELF,
    "me_goal_rate": SELF,
    "me_goal_drop": SELF,
    "check_in_now": "answer",
    "check_in": "answer",
    "check_in_question": "answer",
    "check_in_care": "answer",
    "check_in_photo": "answer",
    "check_in_photo_drop": "answer",
    "check_in_review": "answer",
    "check_in_done": "answer",
    "check_in_whole": "answer",
    "check_in_outbox": "answer",
    "me_manifest": OPEN,
    "me_worker": OPEN,
    "me_people": ANY,
    "me_person_invite": SELF,
    "me_person_change": SELF,
    "me_person_end": SELF,
    "me_go_in": ANY,
    "me_consent": SELF,
    "me_consent_decide": SELF,
    "me_record": SELF,
    "me_record_take": SELF,
    "me_erasure": SELF,
    "me_erasure_back": SELF,
    "me_messages": "write",
    "me_thread": "write",
    "me_devices": "connect",
    "me_reminders": ANY,
    "me_source_choose": "connect",
    "me_type_in": "connect",
    "me_push_add": ANY,
    "me_push_end": ANY,
    "me_phone_code": ANY,
    "me_vendor": "connect",
    "me_vendor_connect": "connect",
    "me_vendor_back": "connect",
    "me_vendor_end": "connect",
}
# Nothing is there for anybody in this scene: what is told apart is only who is refused before that.
NEEDS_MORE = {"me_thread", "me_go_in", "check_in_photo", "check_in_done"}
BORN = date(1948, 5, 4)


@pytest.fixture
def patient(scene) -> Patient:
    Patient.objects.filter(pk=scene.episode.patient_id).update(birth_date=BORN)
    return Patient.objects.get(pk=scene.episode.patient_id)


def caregiver(patient: Patient, *scopes: str, name: str = "anna") -> tuple[CaregiverGrant, Client]:
    actor, now = Actor.system("test"), patient.episodes.get().surgery_end
    grant, token = grants.invite_caregiver(
        patient_id=patient.pk, called="Anna", relation="daughter", scopes=scopes, actor=actor, now=now
    )
    user = grants.accept_invitation(
        token=token, birth_date=BORN, username=name, password="a-long-test-password", actor=actor, now=now
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return grant, client


def ask(client: Client, scene, name: str):
    url = url_of(name, scene)
    return client.post(url, FORMS.get(name, {})) if name in POST else client.get(url)


def portal_routes(scene) -> set[str]:
    return {name for name in route_names() if url_of(name, scene).startswith("/me/")}


def test_every_portal_route_says_whom_it_is_for(scene):
    assert portal_routes(scene) == set(WHOM)


@pytest.mark.parametrize("scope", ["see", "answer", "write", "connect"])
def test_a_caregiver_gets_what_their_scope_opens_and_nothing_else(scene, patient, scope):
    _grant, client = caregiver(patient, scope)
    for name, whom in WHOM.items():
        status = ask(client, scene, name).status_code
        is_theirs = whom in (scope, ANY, OPEN)
        if name == "me" and scope != "see":
            assert status == 302, name  # shown to what they may do
        elif name not in NEEDS_MORE:
            assert (status != 404) == is_theirs, (name, status)


def test_the_patient_gets_every_page_of_their_own(scene):
    client = scene.client("patient")
    gone = {name for name in WHOM if name not in POST and ask(client, scene, name).status_code == 404}
    assert gone <= NEEDS_MORE


def test_a_stranger_who_is_a_patient_sees_their_own_portal_and_nothing_of_ours(scene):
    user = factories.make_person("stranger", "patient")
    Patient.objects.filter(pk=scene.foreign.patient_id).update(user=user)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for name in WHOM:
        assert "Hartmann" not in ask(client, scene, name).content.decode(), name


@pytest.mark.parametrize("who", ["own", "other", "administrator"])
def test_staff_have_no_portal(scene, who):
    client = scene.client(who)
    for name, whom in WHOM.items():
        if whom != OPEN:
            assert ask(client, scene, name).status_code == 404, name


def test_a_withdrawn_caregiver_is_signed_out_at_the_next_click_on_any_route(scene, patient):
    grant, client = caregiver(patient, "see", "answer", "write", "connect")
    assert client.get(reverse("me_people")).status_code == 200
    scene.client("patient").post(reverse("me_person_end", args=[grant.key]))
    for name, whom in WHOM.items():
        answer = ask(client, scene, name)
        if whom != OPEN:
            assert answer.status_code == 302 and answer["Location"].startswith(reverse("login")), name


def test_a_caregiver_withdrawn_by_one_patient_finds_only_the_other(scene, patient):
    other = Patient.objects.get(pk=scene.foreign.patient_id)
    Patient.objects.filter(pk=other.pk).update(birth_date=BORN)
    grant, client = caregiver(patient, "see", "write")
    _second, token = grants.invite_caregiver(
        patient_id=other.pk,
        called="Anna",
        relation="friend",
        scopes=["see"],
        actor=Actor.system("test"),
        now=scene.episode.surgery_end,
    )
    assert client.post(reverse("join", args=[token]), {"birth_date": BORN.isoformat()}).status_code == 302
    client.post(reverse("me_go_in", args=[grant.key]))
    assert "Hartmann" in client.get(reverse("me_people")).content.decode()
    scene.client("patient").post(reverse("me_person_end", args=[grant.key]))
    for name in WHOM:
        assert "Hartmann" not in ask(client, scene, name).content.decode(), name
    assert client.get(reverse("me_messages")).status_code == 404


def test_what_a_caregiver_does_says_as_what(scene, patient):
    _grant, client = caregiver(patient, "see", "write")
    client.get(reverse("me_messages"))
    row = AuditEvent.objects.get(action="view_messages")
    assert (row.actor_name, row.detail) == ("anna", {"as": "daughter"})


def test_an_invitation_shows_its_link_once_and_lets_in_who_knows_the_birthday(scene, patient):
    sent = {"called": "Ben", "relation": "son", "scopes": ["write"]}
    page = scene.client("patient").post(reverse("me_person_invite"), sent)
    link = page.context["link"]
    stranger = Client(headers={"host": "localhost"})
    assert "Hartmann" not in stranger.get(link).content.decode()
    form = {"birth_date": "1950-01-01", "username": "ben", "password": "a-long-test-password"}
    wrong = stranger.post(link, form)
    assert wrong.status_code == 400 and "date of birth" in wrong.content.decode()
    assert stranger.post(link, form | {"birth_date": BORN.isoformat()})["Location"] == reverse("me_people")
    assert stranger.get(reverse("me_messages")).status_code == 200
    assert Client(headers={"host": "localhost"}).get(link).status_code == 404
    assert link not in scene.client("patient").get(reverse("me_people")).content.decode()


def test_a_form_with_something_missing_keeps_what_was_typed(scene):
    page = scene.client("patient").post(reverse("me_person_invite"), {"called": "Ben", "relation": "son"})
    assert page.status_code == 400 and 'value="Ben"' in page.content.decode()


def test_a_patient_says_what_each_helper_is_told_and_unless_said_that_is_check_ins(scene, patient):
    client = scene.client("patient")
    page = client.get(reverse("me_people")).content.decode()
    assert 'value="check_ins" checked' in page and 'value="messages" checked' not in page
    grant, _helper = caregiver(patient, "answer", "write")
    assert "We tell them when a check-in waits." in client.get(reverse("me_people")).content.decode()
    sent = {"scopes": ["answer", "write"], "told": ["messages"]}
    assert client.post(reverse("me_person_change", args=[grant.key]), sent).status_code == 302
    grant.refresh_from_db()
    assert (grant.told_check_ins, grant.told_messages) == (False, True)
    sent["told"] = ["everything"]
    assert client.post(reverse("me_person_change", args=[grant.key]), sent).status_code == 400


def test_a_helper_says_how_they_are_told_and_reads_for_whom_it_is(scene, patient):
    _grant, client = caregiver(patient, "answer")
    page = client.get(reverse("me_reminders")).content.decode()
    assert "Hartmann" in page and "We tell you when a check-in waits." in page
    sent = {
        "channel": "email",
        "address": "nobody",
        "quiet_from": "21:00",
        "quiet_until": "08:00",
        "zone": "Asia/Dubai",
    }
    refused = client.post(reverse("me_reminders"), sent)
    assert refused.status_code == 400 and "<option selected>Asia/Dubai" in refused.content.decode()
    sent["address"] = "anna@example.org"
    assert client.post(reverse("me_reminders"), sent).status_code == 302
    kept = CaregiverContact.objects.get()
    assert (kept.channel, kept.address, kept.zone) == ("email", "anna@example.org", "Asia/Dubai")
    assert not ContactChoice.objects.exists(), "how the patient is reached is not hers to say"
    assert client.post(reverse("me_reminders"), sent | {"zone": "Mars/Olympus"}).status_code == 400


def test_a_helper_of_several_reads_who_waits_since_no_notice_names_anybody(scene, patient):
    _grant, client = caregiver(patient, "answer", "write")
    other = Patient.objects.get(pk=scene.foreign.patient_id)
    Patient.objects.filter(pk=other.pk).update(birth_date=BORN)
    _second, token = grants.invite_caregiver(
        patient_id=other.pk,
        called="Anna",
        relation="friend",
        scopes=["write"],
        actor=Actor.system("test"),
        now=scene.episode.surgery_end,
    )
    client.post(reverse("join", args=[token]), {"birth_date": BORN.isoformat()})
    messaging.send_message(
        patient_id=patient.pk,
        thread_key=None,
        subject="Your bruise",
        text="Is it still swollen?",
        key=uuid4(),
        author=messaging.Author(scene.own, "Noor", from_team=True),
        actor=Actor.system("test"),
        now=scene.now,
    )
    page = client.get(reverse("me_people")).content.decode()
    assert "Quill" in page and "Hartmann" in page and "a new message" in page and "swollen" not in page
