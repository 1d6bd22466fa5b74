"""A ward with two teams, and a stranger's patient beside ours; everybody can be signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from recovery.models import Alert, Episode, Patient, User
from tests import factories
from twinweb.env import example_watch


@dataclass
class Scene:
    """`episode` is our patient's, entrusted to the team of `own`; `foreign` belongs to the team of `other`."""

    now: datetime
    episode: Episode
    foreign: Episode
    alert: Alert
    foreign_alert: Alert
    own: User
    other: User
    patient: User
    administrator: User

    def client(self, who: str | None) -> Client:
        client = Client(headers={"host": "localhost"})
        if who is not None:
            client.force_login(getattr(self, who))
        return client


@pytest.fixture
def scene(db, settings) -> Scene:
    settings.WEARABLE_PROVIDERS = [example_watch()]
    return make_scene()


def make_scene() -> Scene:
    now = timezone.now()
    ours, theirs = factories.make_team(), factories.make_team("ward-9", "Ward 9")
    ended = now - timedelta(hours=24)
    episode = factories.make_episode(ours, key="ours", ended=ended, family_name="Hartmann", record_number="S-1")
    foreign = factories.make_episode(theirs, key="foreign", ended=ended, given_name="Zoltan", family_name="Quill")
    for one in (episode, foreign):
        factories.make_snapshot(one, now - timedelta(minutes=3), factories.said())
    people = {
        "own": factories.make_person("own", team=ours),
        "other": factories.make_person("other", team=theirs),
        "patient": factories.make_person("patient", "patient"),
        "administrator": factories.make_person("administrator", "administrator"),
    }
    Patient.objects.filter(pk=episode.patient_id).update(user=people["patient"])
    alerts = [factories.make_alert(one, now) for one in (episode, foreign)]
    return Scene(now, episode, foreign, *alerts, **people)
