"""Who helps a patient is told as far as the patient lets them, on their own clock, and never once it is over."""

from datetime import date, time, timedelta

import pytest
from django.core import mail

from recovery.exceptions import Invalid
from recovery.models import (
    CaregiverContact,
    CaregiverGrant,
    CaregiverReminder,
    ContactChoice,
    Patient,
    PhoneCode,
    PortalPreference,
    Reminder,
    User,
)
from recovery.selectors.reminders import helper_contact_of
from recovery.services import caregiver_notices, grants, messaging, outgoing, reminders
from recovery.services.sms_answers import receive_sms
from tests import factories
from tests.integration.recovery.services import test_reminders as reminding
from tests.integration.recovery.services.test_reminders import ACTOR, OPENS, PHONE, READY, answer, slot, want
from tests.integration.recovery.views.test_patient_notices import SECRETS, write

pytestmark = pytest.mark.django_db
episode, gateway = reminding.episode, reminding.gateway
BORN = date(1948, 5, 4)
HELD = {"scopes": ("answer", "write"), "told": ("check_ins", "messages")}


def let_in(episode, *, name: str = "anna", **held) -> tuple[CaregiverGrant, User]:
    Patient.objects.filter(pk=episode.patient_id).update(birth_date=BORN)
    grant, token = grants.invite_caregiver(
        patient_id=episode.patient_id, called="Anna", relation="daughter", actor=ACTOR, now=OPENS, **(HELD | held)
    )
    user = grants.accept_invitation(
        token=token, birth_date=BORN, username=name, password="a-long-test-password", actor=ACTOR, now=OPENS
    )
    return grant, user


def reach(user: User, channel: str = "email", address: str = "anna@example.org", **more) -> None:
    said = {"quiet_from": time(21), "quiet_until": time(8), "zone": "UTC"} | more
    caregiver_notices.set_contact(user=user, channel=channel, address=address, actor=ACTOR, now=OPENS, **said)
    if channel == "sms":
        factories.prove_phone(user, address, OPENS)


def run(now) -> int:
    """One turn of the job: how many reminders and notices went to caregivers."""
    reminders.plan_reminders(now=now)
    caregiver_notices.plan_reminders(now=now)
    reminders.send_owed(clock=lambda: now)
    return caregiver_notices.send_owed(clock=lambda: now)


def change(grant: CaregiverGrant, **held) -> None:
    said = HELD | held
    grants.change_scopes(patient_id=grant.patient_id, key=grant.key, actor=ACTOR, now=OPENS, **said)


def ends() -> set[str]:
    return set(CaregiverReminder.objects.filter(slot=slot()).values_list("ended_as", flat=True))


def test_a_caregiver_is_reminded_once_though_the_patient_wants_no_reminders(episode):
    reach(let_in(episode)[1])
    assert run(READY - timedelta(minutes=1)) == 0
    assert [run(READY + timedelta(minutes=minute)) for minute in (0, 1, 30)] == [1, 0, 0]
    (sent,) = mail.outbox
    said = sent.subject + sent.body
    assert sent.to == ["anna@example.org"] and "somebody you help" in said and "/me/people/" in said
    assert not [word for word in (*SECRETS, "Anna", "pain") if word.casefold() in said.casefold()]


def test_both_are_reminded_and_whoever_answers_ends_it_for_both(episode):
    want(episode)
    reach(let_in(episode)[1])
    reminders.plan_reminders(now=READY)
    caregiver_notices.plan_reminders(now=READY)
    answer(episode)
    assert run(READY) == 0 and not mail.outbox
    assert ends() == {"answered"} and Reminder.objects.get(slot=slot()).ended_as == "answered"


@pytest.mark.parametrize(
    "narrowed",
    [{"scopes": ("see", "write")}, {"told": ("messages",)}],
    ids=["may not answer any more", "not told any more"],
)
def test_a_narrowed_grant_sends_nothing_that_was_planned_before(episode, narrowed):
    grant, user = let_in(episode)
    reach(user)
    caregiver_notices.plan_reminders(now=READY)
    change(grant, **narrowed)
    assert run(READY) == 0 and not mail.outbox and ends() == {"stopped"}


def test_an_ended_grant_sends_nothing_not_even_what_was_tried_before(episode, monkeypatch):
    grant, user = let_in(episode)
    reach(user)
    write(episode, OPENS)
    monkeypatch.setattr(outgoing.EmailMessage, "send", lambda _mail: 0)  # the mail server is away
    assert run(READY) == 0 and ends() == {""}
    monkeypatch.undo()
    grants.end_grant(patient_id=grant.patient_id, key=grant.key, actor=ACTOR, now=READY)
    assert run(READY + timedelta(hours=1)) == 0 and not mail.outbox and ends() == {"stopped"}
    assert write(episode, READY) and not grant.message_notices.exclude(ended_as="stopped").exists()


def test_a_patient_who_died_has_nobody_reminded(episode):
    reach(let_in(episode)[1])
    caregiver_notices.plan_reminders(now=READY)
    Patient.objects.update(died_at=READY)
    assert run(READY) == 0 and ends() == {"stopped"}


def test_quiet_hours_are_those_of_where_the_caregiver_lives(episode):
    """09:00 UTC is 04:00 in New York: the check-in that opened then is told at 08:00 there."""
    user = let_in(episode)[1]
    reach(user, zone="America/New_York")
    want(episode, address="ida@example.org")
    assert run(READY) == 0 and len(mail.outbox) == 1, "the patient's own clock is not hers"
    assert CaregiverReminder.objects.get(slot=slot()).not_before == OPENS.replace(hour=13)
    with pytest.raises(Invalid):
        reach(user, zone="Mars/Olympus")
    assert helper_contact_of(user, OPENS).zone == "America/New_York"


def test_of_messages_only_who_may_read_them_and_is_let_is_told_once_until_they_were_read(episode):
    grant, user = let_in(episode, told=("check_ins",))
    reach(user)
    write(episode)
    assert not grant.message_notices.exists(), "not unless the patient says so"
    change(grant)
    said = write(episode, OPENS + timedelta(minutes=1))
    assert run(OPENS + timedelta(minutes=2)) == 0 and run(OPENS + timedelta(minutes=3)) == 1
    text = mail.outbox[0].subject + mail.outbox[0].body
    assert "somebody you help" in text and not [one for one in SECRETS if one in text]
    write(episode, OPENS + timedelta(minutes=5))
    assert run(OPENS + timedelta(minutes=8)) == 0 and len(mail.outbox) == 1
    assert grant.message_notices.filter(ended_as="together").count() == 1
    messaging.mark_read_by_helper(thread_key=said.thread.key, user=user, words="Anna", now=OPENS)
    assert not messaging.mark_read_by_helper(thread_key=said.thread.key, user=user, words="Anna", now=OPENS)
    late = write(episode, OPENS + timedelta(minutes=9))
    messaging.mark_read(thread_key=late.thread.key, by_team=False, words="Ida", actor=ACTOR, now=OPENS)
    assert run(OPENS + timedelta(minutes=12)) == 0 and grant.message_notices.get(message=late).ended_as == "read"


def test_a_couple_that_shares_a_phone_hears_it_once(episode, gateway):
    want(episode, "sms", PHONE)
    reach(let_in(episode)[1], "sms", PHONE)
    assert run(READY) == 0 and len(gateway.taken) == 1 and ends() == {"together"}
    ContactChoice.objects.update(channel="none")
    CaregiverReminder.objects.all().delete()
    assert run(READY) == 1


def receive(text: str, provider_id: str) -> str:
    return receive_sms(provider_id=provider_id, sender=PHONE, text=text, now=READY)


def test_stop_from_a_caregivers_phone_is_honoured_in_their_language_and_answers_for_nobody(episode, gateway):
    user = let_in(episode)[1]
    reach(user, "sms", PHONE)
    PortalPreference.objects.create(user=user, language="de", updated_at=OPENS)
    assert "melden Sie sich an" in receive("4", "p-1")
    assert "Erinnerungen" in receive("STOP", "p-3") and CaregiverContact.objects.get().stopped_at == READY
    assert run(READY) == 0 and not gateway.taken
    reach(user, "sms", PHONE)
    assert CaregiverContact.objects.get().stopped_at is None


def test_who_may_only_see_is_told_of_nothing(episode):
    grant, user = let_in(episode, scopes=("see", "connect"))
    reach(user)
    write(episode)
    assert run(READY) == 0 and not grant.reminders.exists() and not grant.message_notices.exists()


def test_who_helps_nobody_any_more_leaves_no_address_here(episode):
    grant, user = let_in(episode)
    reach(user)
    factories.prove_phone(user, PHONE, OPENS)
    grants.end_grant(patient_id=grant.patient_id, key=grant.key, actor=ACTOR, now=READY)
    assert not CaregiverContact.objects.exists() and not PhoneCode.objects.exists()
