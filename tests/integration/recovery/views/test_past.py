"""The patient's page as known earlier: read only, greyed, audited."""

from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.models import AuditEvent, ConsentDecision, Episode, Snapshot
from tests import factories
from tests.integration.recovery.views.test_patient import MILESTONE

pytestmark = pytest.mark.django_db


def url(scene, as_of: str, episode: Episode | None = None) -> str:
    return reverse("patient", kwargs={"key": (episode or scene.episode).key}) + f"?as_of={as_of}"


def test_it_says_as_known_when_and_offers_nothing_to_do(scene):
    factories.make_reading(scene.episode, 82.0, hour=5.0)
    said = scene.client("own").get(url(scene, "0.5")).content.decode()
    assert "As known on" in said and "Computed now from the readings" in said
    assert 'method="post"' not in said.partition("<main")[2].partition("</main>")[0]


def test_a_snapshot_of_that_time_is_shown_to_the_letter(scene):
    at = scene.now - timedelta(hours=12)
    Snapshot.objects.filter(episode=scene.episode).update(current=False)
    factories.make_snapshot(scene.episode, at, factories.said(sentence="Quiet then."))
    asked = (at + timedelta(minutes=70)).strftime("%Y-%m-%dT%H:%MZ")
    said = scene.client("own").get(url(scene, asked))
    assert "Quiet then." in said.content.decode()
    assert AuditEvent.objects.get(action="view_patient_past").detail["as_of"].startswith("20")


def test_milestones_are_those_expected_then(scene):
    at = scene.now - timedelta(hours=12)
    scene.episode.snapshots.update(current=False, content=factories.said(milestones=[MILESTONE]))
    factories.make_snapshot(scene.episode, at, factories.said(milestones=[MILESTONE | {"late": 12, "usual": 5}]))
    asked = (at + timedelta(minutes=70)).strftime("%Y-%m-%dT%H:%MZ")
    said = scene.client("own").get(url(scene, asked)).content.decode()
    assert "Day 6 to 12" in said and "Half of people like this by day 5." in said and "Day 6 to 9" not in said


@pytest.mark.parametrize("asked", ["99", "soon", "nan", "1e999", "2999-01-01T00:00", "0001-01-01T00:00:00-23:59"])
def test_what_cannot_be_read_or_is_not_past_never_breaks(scene, asked):
    assert scene.client("own").get(url(scene, asked)).status_code in (200, 302)


def test_a_strangers_past_does_not_exist(scene):
    assert scene.client("own").get(url(scene, "0.5", scene.foreign)).status_code == 404
    assert scene.client("patient").get(url(scene, "0.5")).status_code == 404


def test_before_anything_was_received_it_says_so(scene):
    assert "Nothing was known then" in scene.client("own").get(url(scene, "0.1")).content.decode()


def test_what_the_patient_has_withdrawn_since_is_shown_of_no_time(scene):
    """Neither in a snapshot served then, nor rebuilt, nor as a single reading."""
    reading = factories.make_reading(scene.episode, 82.0, hour=5.0)
    single = reverse("reading", kwargs={"key": scene.episode.key, "metric": "heart_rate", "reading": reading})
    later = (scene.now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%MZ")
    client = scene.client("own")
    for address in (url(scene, "0.5"), url(scene, later)):
        assert "Heart rate" in client.get(address).content.decode()
    assert client.get(single).status_code == 200
    ConsentDecision.objects.create(
        patient=scene.episode.patient,
        purpose="care",
        data_type="vitals",
        allowed=False,
        since=scene.now,
        said_by="x",
    )
    for address in (url(scene, "0.5"), url(scene, later)):
        assert 'id="m-heart_rate"' not in client.get(address).content.decode()
    assert client.get(single).status_code == 404
