"""A reminder: once, in waking hours, to nobody who has answered; SMS both ways through a gateway on loopback."""

import hashlib
import hmac
import json
import threading
from datetime import time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from recovery.audit import Actor
from recovery.exceptions import Invalid
from recovery.models import CheckInResponse, ContactChoice, Episode, Patient, Reminder, Sample, SmsReceived, User
from recovery.notify import portal_words, sms
from recovery.notify.message import NotDelivered
from recovery.services import outgoing, reminders
from recovery.services.ingestion import deliver
from recovery.services.sms_answers import receive_sms
from tests import deliveries as d
from tests import factories

ACTOR = Actor.system("test")
PHONE = "+491701234567"
SECRET = "a-shared-secret"
OPENS = d.SURGERY_END + timedelta(hours=21)  # day 1, 09:00 UTC: the daily check-in
READY = OPENS + timedelta(hours=1)

pytestmark = pytest.mark.django_db


class Gateway(ThreadingHTTPServer):
    """A real SMS gateway's double: takes each id once, and can be told to fail."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: dict[str, dict] = {}
        self.tries = 0
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tries += 1
        status = self.server.status if self.headers["Authorization"] == "Bearer gateway-token" else 401
        if status == 200:
            self.server.taken.setdefault(self.headers["Idempotency-Key"], said)
        body = json.dumps({"id": f"p-{said['id']}"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def gateway(settings):
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.SMS_GATEWAY_URL = f"http://127.0.0.1:{server.server_port}/send"
    settings.SMS_GATEWAY_TOKEN = "gateway-token"
    settings.EMBEDDED = True
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def episode() -> Episode:
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    Patient.objects.update(user=factories.make_person("ida", "patient"))
    return Episode.objects.select_related("patient").get()


def want(episode: Episode, channel: str = "email", address: str = "ida@example.org", **quiet: time) -> None:
    hours = {"quiet_from": time(21), "quiet_until": time(8)} | quiet
    reminders.set_contact(
        patient_id=episode.patient_id, channel=channel, address=address, actor=ACTOR, now=OPENS, **hours
    )
    if channel == "sms":
        factories.prove_phone(User.objects.get(patient=episode.patient_id), PHONE, OPENS)


def run(now) -> int:
    reminders.plan_reminders(now=now)
    return reminders.send_owed(clock=lambda: now)


def slot() -> str:
    return f"daily-{OPENS.date().isoformat()}"


def answer(episode: Episode) -> None:
    CheckInResponse.objects.create(
        episode=episode,
        slot=slot(),
        questionnaire="daily",
        version="1",
        client_id=uuid4(),
        channel="page",
        document="x",
        answered_at=OPENS,
        received_at=OPENS,
        by_words="Ida",
    )


def test_one_reminder_an_hour_after_opening_and_never_a_second(episode):
    want(episode)
    assert run(OPENS + timedelta(minutes=59)) == 0
    daily = Reminder.objects.filter(slot=slot())
    assert run(READY) == 1 and daily.get().ended_as == "sent"
    assert [run(READY + timedelta(minutes=minute)) for minute in (1, 30)] == [0, 0]
    assert len(mail.outbox) == 1


def test_the_mail_names_nobody_and_nothing_of_health(episode):
    want(episode)
    run(READY)
    text = mail.outbox[0].subject + mail.outbox[0].body
    assert not [word for word in ("Ida", "Hartmann", "knee", "pain", "p1") if word.casefold() in text.casefold()]


def test_who_answers_in_time_is_not_reminded_even_when_it_was_planned(episode):
    want(episode)
    reminders.plan_reminders(now=READY)
    answer(episode)
    assert reminders.send_owed(clock=lambda: READY) == 0
    assert Reminder.objects.get(slot=slot()).ended_as == "answered" and not mail.outbox


def test_who_answered_before_has_no_reminder_planned(episode):
    want(episode)
    answer(episode)
    run(READY)
    assert not Reminder.objects.filter(slot=slot()).exists()


def test_quiet_hours_move_it_and_what_closes_meanwhile_is_not_sent(episode):
    want(episode, quiet_from=time(9), quiet_until=time(20))
    assert run(READY) == 0
    assert Reminder.objects.get(slot=slot()).not_before == OPENS.replace(hour=20)
    want(episode, quiet_from=time(9), quiet_until=time(8, 59))
    Reminder.objects.all().delete()
    assert run(READY) == 0 and not Reminder.objects.filter(slot=slot()).exists()


def test_nobody_is_reminded_who_did_not_ask(episode):
    assert run(READY) == 0 and not Reminder.objects.exists()


def test_a_worker_that_died_costs_two_minutes_and_no_second_sms(episode, gateway):
    want(episode, "sms", "0049 170 123 45 67")
    reminders.plan_reminders(now=READY)
    row = Reminder.objects.get(slot=slot())
    leased = outgoing.lease(reminders.CHECK_INS, row.pk, READY)
    said = str(portal_words.ABOUT_CHECK_IN.sms)
    sms.send_sms(leased.address, said, leased.key)  # sent, and then it dies before marking
    assert reminders.send_owed(clock=lambda: READY + timedelta(seconds=90)) == 0
    assert reminders.send_owed(clock=lambda: READY + timedelta(seconds=121)) == 1
    assert gateway.tries == 2 and len(gateway.taken) == 1
    assert next(iter(gateway.taken.values()))["to"] == PHONE


def test_a_gateway_that_is_down_is_tried_again_and_given_up_loudly(episode, gateway):
    want(episode, "sms", PHONE)
    gateway.status = 503
    now = READY
    for _ in range(8):
        run(now)
        now += timedelta(minutes=40)
    row = Reminder.objects.get(slot=slot())
    assert (row.ended_as, row.attempts, row.sent_at) == ("failed", 5, None) and "503" in row.last_error


def test_a_number_that_the_gateway_refuses_is_not_tried_again(episode, gateway):
    want(episode, "sms", PHONE)
    gateway.status = 422
    run(READY)
    assert Reminder.objects.get(slot=slot()).ended_as == "failed" and gateway.tries == 1


def test_without_a_gateway_there_is_no_sms(episode):
    with pytest.raises(Invalid):
        want(episode, "sms", PHONE)
    with pytest.raises(NotDelivered):
        sms.send_sms(PHONE, "hello", "k")


@pytest.mark.parametrize(("channel", "address"), [("email", "nobody"), ("sms", "0170 1234567"), ("sms", "+49abc")])
def test_an_address_that_cannot_be_one_is_refused(episode, gateway, channel, address):
    with pytest.raises(Invalid):
        want(episode, channel, address)


def receive(text: str, provider_id: str = "", sender: str = PHONE, now=READY) -> str:
    return receive_sms(provider_id=provider_id or str(uuid4()), sender=sender, text=text, now=now)


@pytest.mark.parametrize(("text", "value"), [("4", 4), (" 10 ", 10), ("pain 7!", 7), ("0", 0)])
def test_a_number_is_an_answer_about_pain_and_is_told_back(episode, gateway, text, value):
    want(episode, "sms", PHONE)
    assert str(value) in receive(text)
    sample = Sample.objects.get(series__metric="pain")
    assert (sample.value, sample.series.tier) == (value, "self_report")


def test_the_same_sms_told_twice_counts_once(episode, gateway):
    want(episode, "sms", PHONE)
    assert receive("4", "prov-1") and receive("4", "prov-1", now=READY + timedelta(minutes=3)) == ""
    assert Sample.objects.filter(series__metric="pain").count() == 1 and SmsReceived.objects.count() == 1


def test_great_pain_is_answered_with_whom_to_call(episode, gateway):
    want(episode, "sms", PHONE)
    assert "emergency" in receive("9")


@pytest.mark.parametrize("text", ["11", "4 or 5", "hello", "", "-3.5"])
def test_what_is_no_number_is_told_what_to_do_and_kept_nowhere(episode, gateway, text):
    want(episode, "sms", PHONE)
    assert "0 (no pain) to 10" in receive(text)
    assert not Sample.objects.exists()


@pytest.mark.parametrize("text", ["STOP", "stop please", "Stopp", "توقف"])
def test_stop_is_honoured_until_the_patient_starts_it_again(episode, gateway, text):
    want(episode, "sms", PHONE)
    reminders.plan_reminders(now=READY)
    assert "no more" in receive(text)
    assert reminders.send_owed(clock=lambda: READY) == 0 and Reminder.objects.get(slot=slot()).ended_as == "stopped"
    want(episode, "sms", PHONE)
    assert ContactChoice.objects.get().stopped_at is None


def test_an_unknown_number_learns_nothing(episode, gateway):
    want(episode, "sms", PHONE)
    assert receive("4", sender="+4915100000") == "" and not Sample.objects.exists()


def call(body: bytes, *, secret: str = SECRET, stamp: str = "", sign: bool = True):
    stamp = stamp or str(int(timezone.now().timestamp()))
    mark = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest() if sign else ""
    return Client(enforce_csrf_checks=True).post(
        "/sms/inbound/", body, content_type="application/json", headers={"X-Timestamp": stamp, "X-Signature": mark}
    )


def test_the_webhook_takes_what_is_signed_and_fresh_and_nothing_else(episode, gateway, settings):
    want(episode, "sms", PHONE)
    settings.SMS_INBOUND_SECRET = SECRET
    body = json.dumps({"id": "prov-9", "from": PHONE, "text": "3"}).encode()
    old = str(int((timezone.now() - timedelta(minutes=6)).timestamp()))
    for refused in (call(body, sign=False), call(body, secret="other"), call(body, stamp=old), call(body, stamp="x")):
        assert refused.status_code == 404
    assert "Your 3" in call(body).json()["reply"]
    assert call(body).json()["reply"] == ""
    for broken in (b"{", b"[]", b'{"id": "", "from": "a", "text": "b"}', b'{"id": "1"}'):
        assert call(broken).status_code == 400


def test_without_a_secret_there_is_no_webhook(settings):
    settings.SMS_INBOUND_SECRET = ""
    assert call(b"{}").status_code == 404
