"""A patient is told that the team has written: once until they look, in waking hours, and not a word of it."""

import json
from datetime import timedelta
from uuid import uuid4

import http_ece
import pytest
from django.core import mail
from django.urls import reverse

from recovery import egress
from recovery.exceptions import Invalid
from recovery.models import (
    ContactChoice,
    MessageNotice,
    Patient,
    PortalInvite,
    PortalPreference,
    PushSubscription,
    User,
)
from recovery.services import message_notices, messaging
from recovery.services.reaching import add_browser
from tests.integration.recovery.services import test_reminders as reminding
from tests.integration.recovery.services.test_reminders import ACTOR, OPENS, PHONE, run, want
from tests.integration.recovery.test_delivering import browser_keys

pytestmark = pytest.mark.django_db
episode, gateway = reminding.episode, reminding.gateway
SECRETS = ("bruise", "swollen", "Ida", "Hartmann", "knee", "Noor")


def write(episode, at=OPENS, *, from_team: bool = True):
    nurse, _ = User.objects.get_or_create(username="noor", defaults={"role": "clinician"})
    return messaging.send_message(
        patient_id=episode.patient_id,
        thread_key=None,
        subject="Your bruise",
        text="Is it still swollen?",
        key=uuid4(),
        author=messaging.Author(nurse, "Noor (clinician)", from_team),
        actor=ACTOR,
        now=at,
    )


def send(at) -> int:
    return message_notices.send_owed(clock=lambda: at)


def test_one_notice_without_a_word_of_it_and_none_again_until_it_was_read(episode):
    want(episode)
    write(episode)
    assert send(OPENS + timedelta(minutes=1)) == 0 and send(OPENS + timedelta(minutes=2)) == 1
    said = mail.outbox[0].subject + mail.outbox[0].body
    assert "Your hospital has written to you" in said and not [one for one in SECRETS if one in said]
    write(episode, OPENS + timedelta(minutes=5))
    assert send(OPENS + timedelta(minutes=9)) == 0 and MessageNotice.objects.filter(ended_as="together").count() == 1
    for notice in MessageNotice.objects.select_related("message__thread"):
        key = notice.message.thread.key
        messaging.mark_read(thread_key=key, by_team=False, words="Ida", actor=ACTOR, now=OPENS)
    write(episode, OPENS + timedelta(hours=1))
    assert send(OPENS + timedelta(hours=2)) == 1 and len(mail.outbox) == 2


def test_who_has_read_it_wants_none_or_said_stop_is_not_told(episode):
    want(episode)
    read = write(episode)
    messaging.mark_read(thread_key=read.thread.key, by_team=False, words="Ida", actor=ACTOR, now=OPENS)
    write(episode, from_team=False)
    assert send(OPENS + timedelta(minutes=5)) == 0 and MessageNotice.objects.get().ended_as == "read"
    write(episode)
    ContactChoice.objects.update(stopped_at=OPENS)
    assert send(OPENS + timedelta(minutes=5)) == 0
    for over in ({"about_messages": False, "stopped_at": None}, {"channel": "none", "about_messages": True}):
        ContactChoice.objects.update(**over)
        count = MessageNotice.objects.count()
        write(episode)
        assert MessageNotice.objects.count() == count and mail.outbox == []


def test_at_night_it_waits_until_the_morning_on_the_patients_clock(episode):
    want(episode)
    night = OPENS.replace(hour=23, minute=30)
    write(episode, night)
    assert MessageNotice.objects.get().not_before == (night + timedelta(days=1)).replace(hour=8, minute=0)


def test_it_speaks_the_patients_language(episode, gateway):
    want(episode, "sms", PHONE)
    user = Patient.objects.get().user
    PortalPreference.objects.create(user=user, language="de", updated_at=OPENS)
    write(episode)
    assert send(OPENS + timedelta(minutes=2)) == 1
    text = next(iter(gateway.taken.values()))["text"]
    assert "Krankenhaus" in text and "/me/messages/" in text and "STOP" in text


def phone_of(episode, name: str = "one"):
    private, secret, p256dh, auth = browser_keys()
    add_browser(
        user=Patient.objects.get(pk=episode.patient_id).user,
        endpoint=f"https://push.example.com/{name}",
        actor=ACTOR,
        now=OPENS,
        p256dh=p256dh,
        auth=auth,
    )
    return private, secret


@pytest.fixture
def outside(monkeypatch):
    """What the push service was sent, and what it answers."""
    calls: list[bytes] = []
    status = {"is": 201}

    def call(there, *, body, headers, **_more):
        calls.append(body)
        return egress.Answer(status["is"], {}, b"")

    there = egress.Destination("https", "push.example.com", 443, "/x", "192.0.2.1")
    monkeypatch.setattr(egress, "check_url_may_be_called", lambda *_args: there)
    monkeypatch.setattr("recovery.services.reaching.check_url_may_be_called", lambda *_args: there)
    monkeypatch.setattr(egress, "call", call)
    return calls, status


def test_a_phone_is_woken_for_a_check_in_and_a_message_and_only_it_can_read_them(episode, outside):
    calls, _status = outside
    with pytest.raises(Invalid):
        want(episode, "push", "")
    private, secret = phone_of(episode)
    want(episode, "push", "")
    write(episode, OPENS + timedelta(hours=1))
    assert run(OPENS + timedelta(hours=1)) == 1 and send(OPENS + timedelta(hours=2)) == 1
    said = [
        json.loads(http_ece.decrypt(one, private_key=private, auth_secret=secret, version="aes128gcm")) for one in calls
    ]
    assert [one["title"] for one in said] == ["Your check-in is open", "Your hospital has written to you"]
    assert [one["url"] for one in said] == ["/me/", "/me/messages/"]
    assert not [one for one in SECRETS if one in str(said)]


def test_a_phone_that_is_gone_is_not_tried_again_and_a_second_one_is_enough(episode, outside):
    _calls, status = outside
    phone_of(episode)
    want(episode, "push", "")
    write(episode)
    status["is"] = 410
    assert send(OPENS + timedelta(minutes=2)) == 0
    assert PushSubscription.objects.get().ended_at and MessageNotice.objects.get().ended_as == "failed"
    phone_of(episode, "two")
    status["is"] = 201
    write(episode)
    assert send(OPENS + timedelta(minutes=5)) == 1


def test_a_patients_phone_is_added_and_ended_on_their_page(scene, outside):
    _private, _secret, p256dh, auth = browser_keys()
    keys = {"endpoint": "https://push.example.com/x", "p256dh": p256dh, "auth": auth}
    client = scene.client("patient")
    assert client.post(reverse("me_push_add"), keys).status_code == 200
    sent = {"channel": "push", "quiet_from": "21:00", "quiet_until": "08:00", "about_messages": "on"}
    assert client.post(reverse("me_reminders"), sent).status_code == 302
    assert ContactChoice.objects.get().channel == "push"
    client.post(reverse("me_push_end"))
    assert not PushSubscription.objects.filter(ended_at=None).exists()
    assert "By a message on this phone" in client.get(reverse("me_reminders")).content.decode(), (
        "what is chosen is shown"
    )


def test_an_invite_goes_by_sms_with_the_link_and_no_name(scene, gateway, settings):
    Patient.objects.filter(pk=scene.episode.patient_id).update(birth_date="1948-05-04")
    where = reverse("portal_access", args=[scene.episode.key])
    page = scene.client("own").post(where, {"channel": "sms", "phone": "0049 170 1234567"}).content.decode()
    assert "The link was sent" in page
    (said,) = gateway.taken.values()
    assert said["to"] == PHONE and "/invite/" in said["text"] and "Hartmann" not in said["text"]
    assert PortalInvite.objects.get().channel == "sms"
    made = PortalInvite.objects.get().pk
    assert scene.client("own").post(where, {"channel": "sms", "phone": "12"}).status_code == 400
    settings.SMS_GATEWAY_URL = ""
    assert scene.client("own").post(where, {"channel": "sms", "phone": PHONE}).status_code == 409
    assert PortalInvite.objects.get(revoked_at=None).pk == made, "what cannot be sent ends no link that stands"
