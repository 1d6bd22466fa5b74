"""A patient lets somebody in, and out again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import AuditEvent, CaregiverGrant, Patient, User
from recovery.permissions import visible_episodes, visible_patients
from recovery.selectors.portal_people import grants_of, invitation_of, subject_of
from recovery.services import grants
from tests import factories

NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)
BORN = date(1948, 5, 4)
ACTOR = Actor.system("test")
PASSWORD = "a-long-test-password"

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    episode = factories.make_episode(factories.make_team(), birth_date=BORN)
    person = factories.make_person("ida", "patient")
    Patient.objects.filter(pk=episode.patient_id).update(user=person)
    return Patient.objects.get(pk=episode.patient_id)


def invite(patient: Patient, *scopes: str, called: str = "Anna") -> tuple[CaregiverGrant, str]:
    return grants.invite_caregiver(
        patient_id=patient.pk, called=called, relation="daughter", scopes=scopes or ("see",), actor=ACTOR, now=NOW
    )


def accept(token: str, *, born: date = BORN, name: str = "anna", user: User | None = None, now: datetime = NOW) -> User:
    return grants.accept_invitation(
        token=token, birth_date=born, username=name, password=PASSWORD, user=user, actor=ACTOR, now=now
    )


def test_a_caregiver_sees_the_patient_from_acceptance_on_and_nobody_else(patient):
    stranger = factories.make_episode(factories.make_team(), key="p2")
    _grant, token = invite(patient)
    user = accept(token)
    assert user.role == "caregiver"
    assert list(visible_patients(user, NOW)) == [patient]
    assert stranger not in visible_episodes(user, NOW)
    assert not visible_episodes(user, NOW - timedelta(seconds=1)).exists()


def test_a_caregiver_who_may_not_see_sees_nothing_but_may_write(patient):
    user = accept(invite(patient, "write")[1])
    assert not visible_episodes(user, NOW).exists()
    assert subject_of(user, "write", NOW).patient_id == patient.pk
    with pytest.raises(NotFound):
        subject_of(user, "see", NOW)


def test_ending_shuts_the_door_and_the_account_at_once(patient):
    grant, token = invite(patient, "see", "write")
    user = accept(token)
    later = NOW + timedelta(minutes=1)
    grants.end_grant(patient_id=patient.pk, key=grant.key, actor=ACTOR, now=later)
    user.refresh_from_db()
    assert not user.is_active and not visible_patients(user, later).exists()
    with pytest.raises(NotFound):
        subject_of(user, None, later)
    grants.end_grant(patient_id=patient.pk, key=grant.key, actor=ACTOR, now=later)
    assert AuditEvent.objects.filter(action="caregiver_ended").count() == 1


def test_a_caregiver_of_two_keeps_the_other(patient):
    other = factories.make_episode(factories.make_team(), key="p2", birth_date=BORN).patient
    grant, token = invite(patient)
    user = accept(token)
    accept(invite(other)[1], user=user)
    grants.end_grant(patient_id=patient.pk, key=grant.key, actor=ACTOR, now=NOW + timedelta(minutes=1))
    user.refresh_from_db()
    assert user.is_active
    assert list(visible_patients(user, NOW + timedelta(minutes=2))) == [other]


def test_a_link_works_once_and_for_a_week(patient):
    _grant, token = invite(patient)
    accept(token)
    with pytest.raises(NotFound):
        accept(token, name="eve")
    _grant, late = invite(patient, called="Ben")
    with pytest.raises(NotFound):
        accept(late, name="ben", now=NOW + timedelta(days=7))
    assert [one.state for one in grants_of(patient.pk, NOW + timedelta(days=8))] == ["open", "expired"]


def test_five_wrong_birthdays_end_the_link_even_for_the_right_one(patient):
    _grant, token = invite(patient)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(grants.WrongAnswer) as refusal:
            accept(token, born=date(1950, 1, 1))
        assert refusal.value.left == left
    with pytest.raises(NotFound):
        accept(token)
    with pytest.raises(NotFound):
        invitation_of(token, NOW)
    assert AuditEvent.objects.filter(action="caregiver_refused", outcome="refused").count() == 5


def test_nobody_comes_in_to_a_patient_whose_birthday_is_not_known(patient):
    Patient.objects.filter(pk=patient.pk).update(birth_date=None)
    with pytest.raises(grants.WrongAnswer):
        accept(invite(patient)[1])


def test_a_weak_password_or_a_taken_name_leaves_the_link_as_it_was(patient):
    _grant, token = invite(patient)
    factories.make_person("anna")
    with pytest.raises(Invalid, match="taken"):
        accept(token)
    with pytest.raises(Invalid):
        grants.accept_invitation(token=token, birth_date=BORN, username="anna2", password="short", actor=ACTOR, now=NOW)
    assert accept(token, name="anna3").username == "anna3"


def test_the_secret_of_a_link_is_not_kept(patient):
    grant, token = invite(patient)
    assert token not in str(CaregiverGrant.objects.filter(pk=grant.pk).values().get())


def test_staff_or_patients_do_not_become_caregivers_by_a_link(patient):
    nurse = factories.make_person("nurse")
    with pytest.raises(Invalid, match="sign out"):
        accept(invite(patient)[1], user=nurse)


def test_the_scopes_are_what_the_patient_last_said(patient):
    grant, token = invite(patient, "see", "answer")
    user = accept(token)
    grants.change_scopes(patient_id=patient.pk, key=grant.key, scopes=["answer"], actor=ACTOR, now=NOW)
    assert not visible_episodes(user, NOW).exists()
    assert subject_of(user, "answer", NOW).called == "Anna"


@pytest.mark.parametrize("scopes", [(), ("everything",), ("see", "administer")])
def test_a_grant_of_nothing_or_of_something_unknown_is_refused(patient, scopes):
    with pytest.raises(Invalid):
        grants.invite_caregiver(
            patient_id=patient.pk, called="Anna", relation="daughter", scopes=scopes, actor=ACTOR, now=NOW
        )


def test_another_patients_grant_does_not_exist(patient):
    grant, _token = invite(patient)
    other = factories.make_episode(factories.make_team(), key="p2").patient
    for act in (grants.end_grant, grants.change_scopes):
        more = {"scopes": ["see"]} if act is grants.change_scopes else {}
        with pytest.raises(NotFound):
            act(patient_id=other.pk, key=grant.key, actor=ACTOR, now=NOW, **more)


def test_a_patient_has_eight_people_at_most(patient):
    for number in range(8):
        invite(patient, called=f"Person {number}")
    with pytest.raises(Conflict):
        invite(patient, called="One more")
