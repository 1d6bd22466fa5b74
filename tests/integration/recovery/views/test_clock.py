"""The hospital's clock: what a page prints and what is typed into it are local times, across daylight saving too."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def berlin(settings):
    settings.HOSPITAL_TIME_ZONE = "Europe/Berlin"


@pytest.mark.parametrize(
    "ended", [datetime(2026, 3, 2, 12, 30, tzinfo=UTC), datetime(2026, 3, 28, 23, 30, tzinfo=UTC)], ids=str
)
def test_a_plan_that_is_sent_back_as_it_was_shown_moves_no_operation(scene, ended):
    episode = scene.episode
    episode.surgery_end = ended
    episode.save()
    client, key = scene.client("own"), {"key": episode.key}
    page = client.get(reverse("plan", kwargs=key)).content.decode()
    shown = re.search(r'name="end" required value="([^"]+)"', page).group(1)
    assert shown == ended.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")
    client.post(reverse("plan_move", kwargs=key), {"end": shown, "reason": "looked at it again"})
    episode.refresh_from_db()
    assert episode.surgery_end == ended


def test_pages_print_the_hospitals_time_of_what_was_stored(scene, django_user_model):
    own = django_user_model.objects.get(pk=scene.own.pk)
    own.last_login = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    own.save()
    page = scene.client("administrator").get(reverse("team_member", args=[own.pk])).content.decode()
    assert "00:30" in page and "22:30" not in page
