"""Staff come in by one-time links, belong to teams for a time, and are gone at once when they are deactivated."""

from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Gone, Invalid, NotFound
from recovery.models import AuditEvent, StaffInvitation, TeamMembership, User
from recovery.permissions import visible_episodes
from recovery.services import staff
from tests import factories

pytestmark = pytest.mark.django_db
GOOD = "harbour-violin-quartz-9"


def by(scene, who="administrator"):
    user = getattr(scene, who)
    return {"user": user, "actor": Actor.of_user(user), "now": scene.now}


def invite(scene, **over):
    said = {"username": "new", "role": "clinician", "first_name": "Nia", "last_name": "New", "team_keys": ("ward-7",)}
    return staff.invite(**{**said, **over}, **by(scene))


def test_an_invited_person_chooses_a_password_once_and_sees_their_team(scene):
    secret = invite(scene)
    user = staff.accept_invitation(secret=secret, password=GOOD, now=scene.now)
    assert user.check_password(GOOD) and scene.episode in visible_episodes(user, scene.now)
    with pytest.raises(Gone):
        staff.accept_invitation(secret=secret, password=GOOD, now=scene.now)
    assert secret not in str(list(StaffInvitation.objects.values())) + str(list(AuditEvent.objects.values()))


def test_a_link_runs_out_and_a_newer_one_replaces_it(scene):
    first = invite(scene)
    person = User.objects.get(username="new")
    with pytest.raises(Gone):
        staff.invited(secret=first, now=scene.now + staff.INVITATION_LASTS)
    second = staff.send_new_link(person_id=person.pk, **by(scene))
    with pytest.raises(Gone):
        staff.invited(secret=first, now=scene.now)
    assert staff.invited(secret=second, now=scene.now) == person


def test_a_weak_password_is_refused_and_the_link_still_counts(scene):
    secret = invite(scene)
    for weak in ("short", "password1234", "newnewnewnew"[:4]):
        with pytest.raises(Invalid):
            staff.accept_invitation(secret=secret, password=weak, now=scene.now)
    assert staff.accept_invitation(secret=secret, password=GOOD, now=scene.now)


@pytest.mark.parametrize("over", [{"role": "patient"}, {"role": "caregiver"}, {"username": "a b"}, {"username": "OWN"}])
def test_no_patient_and_no_taken_or_odd_name_is_invited(scene, over):
    with pytest.raises(Invalid):
        invite(scene, **over)


def test_an_unknown_team_makes_nobody(scene):
    with pytest.raises(NotFound):
        invite(scene, team_keys=("nowhere",))
    assert not User.objects.filter(username="new").exists()


@pytest.mark.parametrize("who", ["own", "patient"])
def test_only_administrators_manage_staff(scene, who):
    for act in (
        lambda: staff.set_active(person_id=scene.other.pk, is_active=False, **by(scene, who)),
        lambda: staff.send_new_link(person_id=scene.other.pk, **by(scene, who)),
        lambda: staff.add_membership(person_id=scene.own.pk, team_key="ward-9", until=None, **by(scene, who)),
    ):
        with pytest.raises(Forbidden):
            act()


def test_who_is_deactivated_is_gone_from_every_session_and_team_at_once(scene):
    client = scene.client(None)
    client.post(reverse("login"), {"username": "own", "password": factories.PASSWORD})
    assert client.get(reverse("board")).status_code == 200
    staff.set_active(person_id=scene.own.pk, is_active=False, **by(scene))
    assert client.get(reverse("board")).status_code == 302
    assert not TeamMembership.objects.filter(user=scene.own, until=None).exists()
    staff.set_active(person_id=scene.own.pk, is_active=True, **by(scene))
    scene.own.refresh_from_db()
    assert not visible_episodes(scene.own, scene.now + timedelta(seconds=1)).exists()


def test_somebody_always_administers(scene):
    role = {"role": "lead", "is_privacy_officer": False, "is_model_steward": False}
    with pytest.raises(Conflict):
        staff.change_role(person_id=scene.administrator.pk, **role, **by(scene))
    with pytest.raises(Conflict, match="yourself"):
        staff.set_active(person_id=scene.administrator.pk, is_active=False, **by(scene))


def test_a_patient_is_no_staff_to_change(scene):
    role = {"role": "administrator", "is_privacy_officer": False, "is_model_steward": False}
    with pytest.raises(NotFound):
        staff.change_role(person_id=scene.patient.pk, **role, **by(scene))


def test_who_helps_out_sees_the_team_until_the_day_ends(scene):
    until = scene.now + timedelta(days=2)
    staff.add_membership(person_id=scene.other.pk, team_key="ward-7", until=until, **by(scene))
    assert scene.episode in visible_episodes(scene.other, until - timedelta(minutes=1))
    assert scene.episode not in visible_episodes(scene.other, until)


def test_joining_again_replaces_and_ending_ends(scene):
    for _ in range(2):
        staff.add_membership(person_id=scene.own.pk, team_key="ward-7", until=None, **by(scene))
    row = TeamMembership.objects.get(user=scene.own, until=None)
    staff.end_membership(membership_id=row.pk, **(by(scene) | {"now": scene.now + timedelta(hours=1)}))
    assert not visible_episodes(scene.own, scene.now + timedelta(hours=2)).exists()


def test_the_pages_by_hand(scene):
    client = scene.client(None)
    client.post(reverse("login"), {"username": "administrator", "password": factories.PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})
    form = {"first_name": "Nia", "last_name": "New", "username": "nia", "role": "lead", "teams": ["ward-7"]}
    page = client.post(reverse("team_invite"), form).content.decode()
    secret = page.partition("/welcome/#")[2].partition("<")[0]
    assert len(secret) > 40
    assert "Nia New" in client.get(reverse("team")).content.decode()
    guest = scene.client(None)
    short = guest.post(reverse("welcome"), {"secret": secret, "password": "short", "again": "short"})
    assert short.status_code == 422
    done = guest.post(reverse("welcome"), {"secret": secret, "password": GOOD, "again": GOOD}, follow=True)
    assert "Sign in as nia" in done.content.decode()
    again = guest.post(reverse("welcome"), {"secret": secret, "password": GOOD, "again": GOOD})
    assert again.status_code == 410
    pk = User.objects.get(username="nia").pk
    role = client.post(reverse("team_role", kwargs={"pk": pk}), {"role": "clinician", "is_privacy_officer": "on"})
    assert role.status_code == 302 and User.objects.get(pk=pk).is_privacy_officer
    assert "current" in client.get(reverse("team_member", kwargs={"pk": pk})).content.decode()


def test_who_was_not_asked_again_lately_is_asked_before_letting_somebody_in(scene):
    client = scene.client("administrator")  # signed in without having typed a password lately
    answer = client.post(reverse("team_invite"), {"username": "x"})
    assert answer.status_code == 302 and answer["Location"].startswith(reverse("account_reauthenticate"))
