"""One-time links: who has the link and the date of birth comes in, once; everybody else learns nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recovery.exceptions import Conflict, Invalid
from recovery.models import AuditEvent, Patient, PortalInvite
from recovery.services import invites
from recovery.services.invites import NotOpened, TooManyTries
from tests import factories

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
BORN = date(1948, 5, 4)
PASSWORD = "three-plain-words"


@pytest.fixture
def patient(db) -> Patient:
    return factories.make_episode(factories.make_team(), key="ours", birth_date=BORN).patient


def made(patient, now=NOW):
    return invites.invite(patient_id=patient.pk, channel="print", actor=factories.ACTOR, now=now)


def opened(code, born=BORN, now=NOW, source="10.0.0.1"):
    typed = invites.plain_code(code)
    return invites.open_invite(code=typed, birth_date=born, source=source, actor=factories.ACTOR, now=now)


def accepted(invite, now=NOW, name="ida-1", password=PASSWORD):
    return invites.accept(key=str(invite.key), username=name, password=password, actor=factories.ACTOR, now=now)


def test_the_link_and_the_date_of_birth_make_a_sign_in(patient):
    _made, code = made(patient)
    user = accepted(opened(code))
    patient.refresh_from_db()
    assert patient.user == user and user.role == "patient" and user.check_password(PASSWORD)


def test_only_a_digest_of_the_code_is_kept(patient):
    _made, code = made(patient)
    assert code not in str(list(PortalInvite.objects.values())) + str(list(AuditEvent.objects.values()))


def test_a_code_is_read_from_paper_as_people_type_it(patient):
    _made, code = made(patient)
    typed = " ".join(code[at : at + 4] for at in range(0, 16, 4)).lower().replace("0", "o").replace("1", "l")
    assert opened(typed).opened_at == NOW


def test_a_link_is_dead_after_use_and_after_a_week_and_when_revoked(patient):
    _made, code = made(patient)
    with pytest.raises(NotOpened):
        opened(code, now=NOW + timedelta(days=7, minutes=1))
    found = opened(code)
    accepted(found)
    for again in (lambda: opened(code), lambda: accepted(found, name="ida-2")):
        with pytest.raises(NotOpened):
            again()
    _second, code = made(patient)
    assert invites.revoke(patient_id=patient.pk, actor=factories.ACTOR, now=NOW) == 1
    with pytest.raises(NotOpened):
        opened(code)


def test_a_new_link_ends_the_one_before(patient):
    _first, old = made(patient)
    _second, new = made(patient)
    with pytest.raises(NotOpened):
        opened(old)
    assert opened(new)


def test_five_wrong_dates_end_the_link_even_for_the_right_one(patient):
    _made, code = made(patient)
    for day in range(1, 6):
        with pytest.raises(NotOpened):
            opened(code, date(1950, 1, day), source=f"10.0.0.{day}")
    with pytest.raises(NotOpened):
        opened(code)
    assert PortalInvite.objects.get().revoked_at is not None


def test_what_never_was_and_a_wrong_date_are_told_apart_nowhere(patient):
    _made, code = made(patient)
    said = []
    for typed, born in (("NOSUCHCODE", BORN), (code, date(1950, 1, 1)), (code, None)):
        with pytest.raises(NotOpened) as refused:
            opened(typed, born)
        said.append(refused.value.message)
    assert len(set(said)) == 1


def test_twenty_wrong_tries_from_one_place_close_it_for_a_quarter_of_an_hour(patient):
    _made, code = made(patient)
    for number in range(20):
        with pytest.raises(NotOpened):
            opened(f"GUESS{number}")
    with pytest.raises(TooManyTries):
        opened(code)
    assert opened(code, source="10.9.9.9")
    assert invites.forget_tries(now=NOW + timedelta(minutes=16)) == 20


def test_who_forgot_the_password_is_let_in_by_a_new_link_under_the_same_name(patient):
    user = accepted(opened(made(patient)[1]))
    again = accepted(opened(made(patient)[1]), name="other", password="four-other-plain-words")
    assert again.pk == user.pk and again.username == "ida-1" and again.check_password("four-other-plain-words")


def test_an_opened_link_waits_half_an_hour_for_the_password(patient):
    found = opened(made(patient)[1])
    with pytest.raises(NotOpened):
        accepted(found, now=NOW + timedelta(minutes=31))


@pytest.mark.parametrize("password", ["short", "password1234", "hartmann-hartmann"])
def test_a_weak_password_leaves_the_link_alive(patient, password):
    patient.family_name = "hartmann-hartmann"
    patient.save()
    found = opened(made(patient)[1])
    with pytest.raises(Invalid):
        accepted(found, password=password)
    assert accepted(found).username == "ida-1"


def test_nobody_is_invited_without_a_date_of_birth_or_after_death(patient):
    Patient.objects.filter(pk=patient.pk).update(birth_date=None)
    with pytest.raises(Invalid):
        made(patient)
    Patient.objects.filter(pk=patient.pk).update(birth_date=BORN, died_at=NOW)
    with pytest.raises(Conflict):
        made(patient)
