"""Privacy officers are told of every emergency access, reminded while it is overdue, and never of a name."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from recovery.models import EmergencyAccess
from recovery.notify.message import NotDelivered
from recovery.permissions import REVIEW_WITHIN
from recovery.selectors.emergencies import accesses_to_review
from recovery.services import privacy
from tests import factories

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
NAMES = ("Hartmann", "Ida", "S-4711", "stranger", "lift", "knee")
pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings):
    settings.EMAIL_IS_SET_UP = True
    factories.make_person("pia", is_privacy_officer=True, email="pia@hospital.example")
    factories.make_person("root", "administrator", email="root@hospital.example")
    factories.make_person("other", email="other@hospital.example")
    return factories.make_episode(factories.make_team(), ended=NOW - timedelta(days=3), record_number="S-4711").patient


def opened(patient, who="stranger", at=NOW) -> EmergencyAccess:
    user = factories.User.objects.filter(username=who).first() or factories.make_person(who)
    return EmergencyAccess.objects.create(
        user=user, patient=patient, reason="collapsed in the lift", opened_at=at, until=at + timedelta(hours=1)
    )


def tell(now=NOW, **over) -> int:
    return privacy.tell_officers(clock=lambda: now, **over)


def test_every_officer_gets_one_letter_that_names_nobody_and_no_second_one(house):
    access = opened(house)
    assert tell() == 2 and {one.to[0][:4] for one in mail.outbox} == {"pia@", "root"}
    for letter in mail.outbox:
        said = f"{letter.subject} {letter.body} {letter.extra_headers}"
        assert "/emergency/review/" in said and not any(name in said for name in NAMES)
    access.refresh_from_db()
    assert (access.told_at, access.telling_until) == (NOW, None)
    assert tell(NOW + timedelta(hours=1)) == 0


def test_nobody_is_told_of_their_own_access(house):
    opened(house, who="pia")
    assert tell() == 1 and mail.outbox[0].to == ["root@hospital.example"]


def test_an_overdue_review_is_reminded_of_once_a_day_until_somebody_has_spoken(house):
    access = opened(house)
    tell()
    late = NOW + REVIEW_WITHIN
    assert tell(late - timedelta(minutes=1)) == 0
    assert tell(late) == 2 and "overdue" in mail.outbox[-1].body
    assert tell(late + timedelta(hours=23)) == 0 and tell(late + timedelta(hours=24)) == 2
    officer = factories.User.objects.get(username="pia")
    assert accesses_to_review(officer, late)[0][0].is_overdue
    EmergencyAccess.objects.update(verdict="approved", reviewed_at=late, reviewed_by=officer)
    assert tell(late + timedelta(days=9)) == 0
    assert access.user_id != officer.pk


def test_one_whose_address_fails_does_not_make_the_others_hear_it_twice(house):
    opened(house)
    heard = []

    def send(address, message):
        if address.startswith("pia"):
            raise NotDelivered("full")
        heard.append(address)

    assert tell(send=send) == 1 and tell(NOW + timedelta(hours=1), send=send) == 0
    assert heard == ["root@hospital.example"]


def test_a_mail_server_that_is_away_or_a_crash_in_between_costs_two_minutes_and_no_letter(house):
    opened(house)

    def away(address, message):
        raise NotDelivered("away")

    def crash(address, message):
        raise KeyboardInterrupt

    assert tell(send=away) == 0
    assert tell(NOW + timedelta(minutes=1)) == 0, "still claimed"
    with pytest.raises(KeyboardInterrupt):
        tell(NOW + timedelta(minutes=2), send=crash)
    assert tell(NOW + timedelta(minutes=4)) == 2


def test_without_a_mail_server_nothing_is_marked_as_told(house, settings):
    settings.EMAIL_IS_SET_UP = False
    access = opened(house)
    assert tell() == 0
    access.refresh_from_db()
    assert access.told_at is None and access.telling_until is None
