"""A phone is somebody's once they typed in its code: until then nothing goes there, and its words are nobody's."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from recovery.exceptions import Invalid
from recovery.models import AuditEvent, PhoneCode, PortalPreference, Reminder, Sample, User
from recovery.services import phones, reminders
from tests import factories
from tests.integration.recovery.services.test_reminders import (  # noqa: F401  (fixtures)
    ACTOR,
    OPENS,
    PHONE,
    READY,
    episode,
    gateway,
    receive,
    run,
    slot,
)

pytestmark = pytest.mark.django_db
CONTACT = {"quiet_from": "21:00", "quiet_until": "08:00", "channel": "sms", "address": "0049 170 1234567"}


@pytest.fixture
def ida(episode, gateway) -> User:  # noqa: F811
    hours = {"quiet_from": OPENS.replace(hour=21).time(), "quiet_until": OPENS.replace(hour=8).time()}
    patient = episode.patient_id
    reminders.set_contact(patient_id=patient, channel="sms", address=PHONE, actor=ACTOR, now=OPENS, **hours)
    return User.objects.get(patient=patient)


def send(user: User, at=OPENS, number: str = PHONE) -> None:
    phones.send_code(user=user, number=number, actor=ACTOR, now=at)


def type_in(user: User, code: str, at=OPENS) -> None:
    phones.prove(user=user, number=PHONE, code=code, actor=ACTOR, now=at)


def codes(gateway) -> list[str]:  # noqa: F811
    return [re.search(r"\d{6}", one["text"])[0] for one in gateway.taken.values() if re.search(r"\d{6}", one["text"])]


def test_nothing_is_sent_to_a_phone_before_its_code_was_typed_in(ida, gateway):  # noqa: F811
    assert run(READY) == 0 and Reminder.objects.get(slot=slot()).ended_as == "stopped" and not gateway.taken
    Reminder.objects.all().delete()
    send(ida)
    assert [one["to"] for one in gateway.taken.values()] == [PHONE]
    type_in(ida, f" {codes(gateway)[0][:3]} {codes(gateway)[0][3:]} ")
    assert run(READY) == 1 and len(gateway.taken) == 2


def test_what_a_phone_of_nobody_says_is_nobodys_but_stop_is_honoured(ida):
    assert receive("7") == "" and not Sample.objects.exists()
    assert "no more" in receive("STOP")
    factories.prove_phone(ida, PHONE, OPENS)
    assert "Your 7" in receive("7") and run(READY) == 0


def test_a_code_is_good_once_for_a_while_and_for_five_tries(ida, gateway):  # noqa: F811
    send(ida)
    (code,) = codes(gateway)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    with pytest.raises(Invalid, match="too old"):
        type_in(ida, code, OPENS + phones.LASTS)
    for _ in range(phones.TRIES):
        with pytest.raises(Invalid, match="not the code"):
            type_in(ida, wrong)
    with pytest.raises(Invalid, match="too often"):
        type_in(ida, code)
    assert not PhoneCode.objects.filter(proven_at__isnull=False).exists()
    send(ida, OPENS + phones.PAUSE)
    type_in(ida, codes(gateway)[1], OPENS + phones.PAUSE)
    type_in(ida, "", OPENS + phones.PAUSE)  # sent twice
    assert list(AuditEvent.objects.filter(action="phone_proven").values_list("entity", flat=True)) == [f"User/{ida.pk}"]


def test_the_code_of_one_person_or_number_is_not_anothers(ida, gateway):  # noqa: F811
    other = factories.make_person("otto", "patient")
    send(ida)
    send(other)
    with pytest.raises(Invalid, match="not the code"):
        type_in(other, codes(gateway)[0])
    with pytest.raises(Invalid, match="too old"):
        phones.prove(user=ida, number="+4915100000", code=codes(gateway)[0], actor=ACTOR, now=OPENS)


def test_nobody_floods_a_phone_not_even_with_several_accounts(ida, gateway):  # noqa: F811
    other = factories.make_person("otto", "patient")
    send(ida)
    with pytest.raises(Invalid, match="wait a minute"):
        send(ida, OPENS + timedelta(seconds=59))
    for number in range(1, phones.CODES_A_DAY):
        send(other if number % 2 else ida, OPENS + number * timedelta(minutes=2))
    for user in (ida, other):
        with pytest.raises(Invalid, match="many codes"):
            send(user, OPENS + timedelta(hours=1))
    assert len(gateway.taken) == phones.CODES_A_DAY
    send(ida, OPENS + phones.A_DAY + timedelta(hours=1))
    assert PhoneCode.objects.filter(user=ida).count() == 1


def test_a_gateway_that_is_away_costs_no_code(ida, gateway):  # noqa: F811
    gateway.status = 503
    for _ in range(phones.CODES_A_DAY + 1):
        with pytest.raises(Invalid, match="could not send"):
            send(ida)
    assert not PhoneCode.objects.exists()


def test_the_code_is_kept_as_a_digest_and_speaks_the_persons_language(ida, gateway):  # noqa: F811
    PortalPreference.objects.create(user=ida, language="de", updated_at=OPENS)
    send(ida)
    (said,) = gateway.taken.values()
    assert "Code" in said["text"] and "Minuten" in said["text"]
    row = PhoneCode.objects.get()
    assert len(row.digest) == 64 and codes(gateway)[0] not in row.digest
    assert PHONE not in str(list(AuditEvent.objects.values_list("detail", "entity")))


def test_a_patient_chooses_sms_types_the_code_and_is_told_so(episode, gateway):  # noqa: F811
    client = Client()
    client.force_login(User.objects.get(patient=episode.patient_id))
    page = client.post(reverse("me_reminders"), CONTACT, follow=True).content.decode()
    assert "Is this your phone?" in page and PHONE in page and "We have sent a code" in page
    where = reverse("me_phone_code")
    assert "just sent a code" in client.post(where, follow=True).content.decode()
    assert "not the code we sent" in client.post(where, {"code": "no"}, follow=True).content.decode()
    page = client.post(where, {"code": codes(gateway)[0]}, follow=True).content.decode()
    assert "This phone is yours" in page and "Is this your phone?" not in page
    assert client.post(where, {"code": "1"}).status_code == 302
    again = client.post(reverse("me_reminders"), CONTACT, follow=True).content.decode()
    assert "We have sent a code" not in again and len(gateway.taken) == 1
