"""Messages: owed in the transaction of their cause, sent at least once, given up aloud, silent about the patient."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid
from recovery.models import Alert, Delivery, LiveEvent, NotificationPreference, PushSubscription
from recovery.notify import hook as hook_door
from recovery.notify import push as push_door
from recovery.notify.message import NotDelivered
from recovery.services import alert_acts, alerting, delivering, escalation, reaching, telling
from tests import factories
from tests.integration.recovery.test_escalation import candidate

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SYSTEM = Actor.system("test")
PATIENT = ("Hartmann", "Ida", "S-4711", "p1", "knee", "Vital signs")
pytestmark = pytest.mark.django_db


class Stopped(BaseException):
    """What kill -9 looks like from inside: nothing after it runs."""


@pytest.fixture
def ward(settings):
    settings.EMAIL_IS_SET_UP = True
    settings.EGRESS_ALLOW_LOOPBACK = True
    team = factories.make_team()
    nurse = factories.make_person("bo", team=team, email="bo@hospital.example")
    episode = factories.make_episode(team, ended=NOW - timedelta(days=3), record_number="S-4711")
    return episode, nurse


def raised(episode, severity="high", now=NOW) -> Alert:
    alerting.apply_candidates(episode=episode, candidates=[candidate(severity)], now=now)
    return Alert.objects.get()


def send_all(now=NOW, send=None) -> int:
    return delivering.deliver_owed(clock=lambda: now, send=send)


def test_a_new_alert_reaches_its_people_by_mail_and_names_nobody(ward):
    raised(ward[0])
    assert send_all() == 1
    letter = mail.outbox[0]
    assert letter.to == ["bo@hospital.example"] and letter.subject == "A patient on your list needs you"
    text = f"{letter.subject} {letter.body} {letter.extra_headers}"
    assert "/notifications/" in text and not any(word in text for word in PATIENT)
    row = Delivery.objects.get()
    assert (row.status, row.sent_at, row.claimed_until) == ("sent", NOW, None)


def test_nobody_without_an_address_is_owed_a_letter(ward):
    ward[1].email = ""
    ward[1].save()
    raised(ward[0])
    assert not Delivery.objects.exists()


def test_what_is_low_is_told_in_the_product_only(ward):
    raised(ward[0], "low")
    assert ward[1].notifications.count() == 1 and not Delivery.objects.exists()


def test_a_crash_between_claim_and_mark_sends_again_and_loses_nothing(ward):
    raised(ward[0])
    seen = []

    def dies(row, message):
        seen.append(message.key)
        raise Stopped

    with pytest.raises(Stopped):
        send_all(send=dies)
    assert send_all(NOW + timedelta(seconds=30)) == 0  # the claim still stands
    assert send_all(NOW + timedelta(seconds=61)) == 1
    assert len(mail.outbox) == 1 and seen == [str(Delivery.objects.get().key)]


def test_a_crash_after_the_claim_and_before_the_message_sends_it_later(ward, monkeypatch):
    raised(ward[0])
    whole = delivering.deliver
    monkeypatch.setattr(delivering, "deliver", lambda *args: (_ for _ in ()).throw(Stopped()))
    with pytest.raises(Stopped):
        send_all()
    monkeypatch.setattr(delivering, "deliver", whole)
    assert send_all(NOW + timedelta(seconds=61)) == 1 and len(mail.outbox) == 1


def test_a_crash_while_an_alert_is_raised_leaves_neither_alert_nor_message(ward, monkeypatch):
    from django.db import transaction

    monkeypatch.setattr(telling, "call_hooks", lambda *args: (_ for _ in ()).throw(Stopped()))
    with pytest.raises(Stopped), transaction.atomic():
        raised(ward[0])
    assert not Alert.objects.exists() and not Delivery.objects.exists()


def test_a_failed_message_is_tried_again_later_and_later_and_given_up_aloud(ward):
    raised(ward[0])

    def refuses(row, message):
        raise NotDelivered("The mail server did not take it.")

    now, waits = NOW, []
    for _ in range(delivering.MOST_ATTEMPTS):
        assert send_all(now, refuses) == 0
        row = Delivery.objects.get()
        waits.append((row.not_before - now).total_seconds())
        now = max(row.not_before, now)
    assert waits[:4] == [10, 20, 40, 80] and max(waits) <= 600
    assert (row.status, row.cause) == ("dead", "The mail server did not take it.")
    assert send_all(now + timedelta(days=1)) == 0
    assert LiveEvent.objects.filter(kind="alert").count() >= 2  # open pages show that it was given up


def test_a_fault_that_nobody_expected_costs_only_its_own_message(ward):
    raised(ward[0])

    def breaks(row, message):
        raise KeyError("secret of a patient")

    send_all(send=breaks)
    assert Delivery.objects.get().cause == "KeyError"
    assert send_all(NOW + MINUTE) == 1


def test_what_was_taken_meanwhile_is_not_sent(ward):
    alert = raised(ward[0])
    alert_acts.acknowledge_alert(alert_key=alert.key, version=1, actor=Actor.of_user(ward[1]), now=NOW)
    assert send_all() == 0 and mail.outbox == []
    assert Delivery.objects.get().status == "off"


def test_after_an_outage_one_letter_speaks_for_all(ward):
    other = factories.make_episode(ward[0].team, key="p2", ended=NOW - timedelta(days=2))
    for episode in (ward[0], other):
        alerting.apply_candidates(episode=episode, candidates=[candidate(), candidate(cause="pain")], now=NOW)
    assert send_all() == 4
    assert [one.subject for one in mail.outbox] == ["2 patients on your list need you"]


@pytest.mark.parametrize(
    ("hour", "until"),
    [(23, datetime(2026, 3, 6, 7, tzinfo=UTC)), (3, datetime(2026, 3, 5, 7, tzinfo=UTC)), (12, None)],
)
def test_quiet_hours_hold_back_what_can_wait(ward, hour, until):
    wish = NotificationPreference(user=ward[1], quiet_from=time(22), quiet_until=time(7))
    now = datetime(2026, 3, 5, hour, tzinfo=UTC)
    assert telling.end_of_quiet(wish, now) == (until or now)


def test_what_is_high_comes_through_quiet_hours_unless_the_person_says_otherwise(ward):
    night = datetime(2026, 3, 5, 23, tzinfo=UTC)
    wish = {"email": True, "push": True, "quiet_from": time(22), "quiet_until": time(7), "actor": SYSTEM, "now": NOW}
    reaching.set_preference(user=ward[1], high_anyway=True, **wish)
    raised(ward[0], now=night)
    assert Delivery.objects.get().not_before == night
    Alert.objects.all().delete()
    reaching.set_preference(user=ward[1], high_anyway=False, **wish)
    raised(ward[0], now=night)
    assert Delivery.objects.get().not_before == datetime(2026, 3, 6, 7, tzinfo=UTC)


def test_who_wants_no_letters_gets_none(ward):
    reaching.set_preference(
        user=ward[1], email=False, push=True, quiet_from=None, quiet_until=None, high_anyway=True, actor=SYSTEM, now=NOW
    )
    raised(ward[0])
    assert not Delivery.objects.exists()


def test_half_of_quiet_hours_is_none(ward):
    with pytest.raises(Invalid):
        reaching.set_preference(
            user=ward[1],
            email=True,
            push=True,
            quiet_from=time(22),
            quiet_until=None,
            high_anyway=True,
            actor=SYSTEM,
            now=NOW,
        )


class Receiver:
    """A push service or a pager: keeps what it was sent, answers what it is told to."""

    def __init__(self, status: int = 201) -> None:
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from threading import Thread

        received = self.received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in/abc"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *args) -> None:
        self.server.shutdown()
        self.server.server_close()


def browser_keys():
    from base64 import urlsafe_b64encode

    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = b"0123456789abcdef"
    return private, secret, *(urlsafe_b64encode(one).decode().rstrip("=") for one in (point, secret))


def test_a_push_message_can_be_opened_by_its_browser_only_and_names_nobody(ward):
    import http_ece
    from joserfc import jwt
    from joserfc.jwk import ECKey

    private, secret, p256dh, auth = browser_keys()
    with Receiver() as receiver:
        reaching.add_browser(user=ward[1], endpoint=receiver.url, p256dh=p256dh, auth=auth, actor=SYSTEM, now=NOW)
        raised(ward[0])
        assert send_all() == 2  # the letter and the push message
        headers, body = receiver.received[0]
    said = http_ece.decrypt(body, private_key=private, auth_secret=secret, version="aes128gcm").decode()
    assert json.loads(said)["title"] == "A patient on your list needs you"
    assert not any(word in said for word in PATIENT) and str(Alert.objects.get().key) not in said
    assert (headers["Urgency"], headers["Content-Encoding"]) == ("high", "aes128gcm")
    token = headers["Authorization"].removeprefix("vapid t=").split(",")[0]
    from django.conf import settings

    claims = jwt.decode(token, ECKey.import_key(settings.VAPID_PRIVATE_KEY)).claims
    assert claims["aud"] == receiver.url.rsplit("/in", 1)[0]
    assert f"k={push_door.public_key()}" in headers["Authorization"]


def test_a_browser_that_has_gone_is_not_tried_again(ward):
    _, _, p256dh, auth = browser_keys()
    with Receiver(410) as receiver:
        reaching.add_browser(user=ward[1], endpoint=receiver.url, p256dh=p256dh, auth=auth, actor=SYSTEM, now=NOW)
        raised(ward[0])
        send_all()
    gone = Delivery.objects.get(channel="push")
    assert (gone.status, gone.cause) == ("dead", "The browser has ended its subscription.")
    assert PushSubscription.objects.get().ended_at is not None


@pytest.mark.parametrize("keys", [("short", "short"), ("!!", "??"), ("", "")])
def test_what_no_browser_gives_is_refused(ward, keys):
    with pytest.raises(Invalid):
        reaching.add_browser(
            user=ward[1], endpoint="http://127.0.0.1:9/", p256dh=keys[0], auth=keys[1], actor=SYSTEM, now=NOW
        )


def test_a_browser_inside_the_house_is_not_called(ward, settings):
    settings.EGRESS_ALLOW_LOOPBACK = False
    _, _, p256dh, auth = browser_keys()
    with pytest.raises(Invalid, match="may not be called"):
        reaching.add_browser(
            user=ward[1], endpoint="https://127.0.0.1/x", p256dh=p256dh, auth=auth, actor=SYSTEM, now=NOW
        )


def test_a_webhook_is_signed_and_says_the_same_id_when_it_is_tried_again(ward):
    with Receiver(500) as broken:
        hook = reaching.add_hook(team=ward[0].team, url=broken.url, actor=SYSTEM, now=NOW)
        raised(ward[0])
        send_all()
        assert Delivery.objects.get(channel="hook").cause == "It answered 500."
        send_all(NOW + MINUTE)
        (headers, first), (_, second) = broken.received
    at, _, given = headers["X-Twinweb-Signature"].partition(",v1=")
    secret = hook_door.secret_of(str(hook.key))
    wanted = hmac.new(secret.encode(), at.removeprefix("t=").encode() + b"." + first, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(given, wanted)
    assert json.loads(first)["id"] == json.loads(second)["id"]
    assert not any(word in first.decode() for word in PATIENT)


def test_a_hook_that_was_removed_gets_nothing_more(ward):
    with Receiver() as receiver:
        hook = reaching.add_hook(team=ward[0].team, url=receiver.url, actor=SYSTEM, now=NOW)
        raised(ward[0])
        reaching.remove_hook(team=ward[0].team, key=hook.key, actor=SYSTEM, now=NOW)
        send_all()
        assert receiver.received == []
    assert Delivery.objects.get(channel="hook").status == "dead"


def test_an_escalation_reaches_outside_too(ward):
    raised(ward[0])
    escalation.escalate_due(now=NOW + 15 * MINUTE)
    assert sorted(Delivery.objects.values_list("reason", flat=True)) == ["escalated", "raised"]


def test_two_clicks_send_one_message(ward):
    alert = raised(ward[0])
    other = factories.make_person("ana", team=ward[0].team)
    given = {"alert_key": alert.key, "user_id": ward[1].pk, "actor": Actor.of_user(other), "now": NOW}
    alert_acts.assign_alert(version=1, **given)
    with pytest.raises(Conflict):
        alert_acts.assign_alert(version=1, **given)
    assert Delivery.objects.filter(reason="assigned").count() == 1
