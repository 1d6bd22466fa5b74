"""Every time that a patient reads is of their own clock, also far from the hospital."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import Episode
from recovery.pathway_plan import Watch
from recovery.presenters.check_ins import looked_at
from recovery.selectors.portal_home import home_of
from recovery.services import messaging

pytestmark = pytest.mark.django_db
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NO_HOURS_HERE = "These are the hours of the hospital"


@pytest.fixture
def far_away(scene, settings):
    settings.HOSPITAL_TIME_ZONE = BERLIN.key
    Episode.objects.filter(pk=scene.episode.pk).update(time_zone=NEW_YORK.key)
    return scene


def test_messages_are_shown_by_the_patients_clock_and_by_the_wards_to_the_nurse(far_away):
    at = far_away.now.replace(minute=17) - timedelta(hours=2)
    sent = messaging.send_message(
        patient_id=far_away.episode.patient_id,
        thread_key=None,
        subject="Your bruise",
        text="Is it still swollen?",
        key=uuid4(),
        author=messaging.Author(far_away.own, "Noor", from_team=True),
        actor=Actor.system("test"),
        now=at,
    )
    theirs, ours = (f"{at.astimezone(zone):%H:%M}" for zone in (NEW_YORK, BERLIN))
    patient, nurse = far_away.client("patient"), far_away.client("own")
    for page in (reverse("me_messages"), reverse("me_thread", args=[sent.thread.key])):
        said = patient.get(page).content.decode()
        assert theirs in said and ours not in said, page
    assert ours in nurse.get(reverse("staff_thread", args=[sent.thread.key])).content.decode()


def test_when_somebody_looks_again_is_told_by_the_patients_clock():
    """Monday 08:00 in Berlin is Monday 03:00 in New York."""
    friday = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
    said = looked_at((Watch((0, 1, 2, 3, 4), "08:00", "18:00"),), friday, BERLIN, NEW_YORK)
    assert "Mon 9 Mar, 03:00" in said


def test_watch_hours_say_whose_they_are_where_the_clocks_differ(far_away):
    client = far_away.client("patient")
    has_hours = bool(home_of(far_away.episode.patient_id, "en", far_away.now).watch)
    assert has_hours and NO_HOURS_HERE in client.get(reverse("me")).content.decode()
    Episode.objects.filter(pk=far_away.episode.pk).update(time_zone=BERLIN.key)
    assert NO_HOURS_HERE not in client.get(reverse("me")).content.decode()
