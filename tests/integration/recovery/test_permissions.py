"""Closed by default: own team, other team, the patient, and those who must stay outside."""

from datetime import UTC, datetime

import pytest

from recovery.exceptions import Forbidden, NotFound
from recovery.permissions import (
    check_user_can,
    check_user_can_administer,
    user_can,
    visible_alerts,
    visible_episodes,
    visible_patients,
)
from tests.people import make_ward

NOW = datetime(2026, 3, 5, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("person", "sees"),
    [("own", True), ("patient", True), ("other", False), ("administrator", False), ("former", False)],
)
def test_a_patient_is_visible_to_the_own_team_and_to_themself_only(person, sees):
    ward = make_ward()
    user = getattr(ward, person)
    assert visible_patients(user, NOW).exists() is sees
    assert visible_episodes(user, NOW).exists() is sees
    assert user_can(user, "view", ward.episode.patient, NOW) is sees


@pytest.mark.parametrize(("person", "acts"), [("own", True), ("patient", False), ("other", False)])
def test_only_the_own_team_acts(person, acts):
    ward = make_ward()
    assert user_can(getattr(ward, person), "act", ward.episode.patient, NOW) is acts


def test_a_stranger_is_told_that_there_is_no_such_patient():
    ward = make_ward()
    with pytest.raises(NotFound):
        check_user_can(ward.other, "view", ward.episode.patient, NOW)


def test_a_patient_who_may_see_but_not_act_is_told_so():
    ward = make_ward()
    with pytest.raises(Forbidden):
        check_user_can(ward.patient, "act", ward.episode.patient, NOW)


def test_who_left_the_team_had_access_until_then():
    ward = make_ward()
    assert visible_patients(ward.former, datetime(2026, 1, 15, tzinfo=UTC)).exists()


def test_a_disabled_user_sees_nothing():
    ward = make_ward()
    ward.own.is_active = False
    assert not visible_patients(ward.own, NOW).exists()
    assert not visible_episodes(ward.own, NOW).exists()


def test_alerts_are_for_staff():
    ward = make_ward()
    ward.episode.alerts.create(
        cause="news2", kind="physiological", severity="high", headline="x", raised_at=NOW, last_hit_at=NOW
    )
    assert visible_alerts(ward.own, NOW).count() == 1
    for user in (ward.other, ward.patient, ward.administrator):
        assert visible_alerts(user, NOW).count() == 0


def test_only_an_administrator_administers():
    ward = make_ward()
    check_user_can_administer(ward.administrator)
    for user in (ward.own, ward.patient):
        with pytest.raises(Forbidden):
            check_user_can_administer(user)
