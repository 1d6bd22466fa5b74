"""The live feed at the real door: stored once, held when it is sent again, whatever it is."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from integrations.simulator import feed, resources, volunteer
from integrations.simulator.accounts import TOKEN_FILE
from integrations.simulator.feed import Window
from integrations.simulator.ward import HOUR, Ward, remembered
from recovery.exact_json import dumps
from recovery.models import Owed, Sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward(tmp_path: Path, settings) -> Ward:
    settings.DATA_DIR = tmp_path
    call_command("seed_demo", "--patients", "2", stdout=None)
    found = remembered(tmp_path)
    assert found is not None
    return found


@pytest.fixture
def post(ward: Ward, client: Client, tmp_path: Path):
    token = (tmp_path / TOKEN_FILE).read_text().strip()

    def send(made: list[resources.Json]) -> Counter[str]:
        """How often each status was answered."""
        answer = client.post(
            "/fhir",
            dumps(resources.bundle(made)),
            content_type="application/fhir+json",
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.content
        return Counter(entry["response"]["status"][:3] for entry in answer.json()["entry"])

    return send


@pytest.mark.parametrize(
    ("begin", "end", "whole_hour"),
    [
        (timedelta(0), timedelta(minutes=1), False),
        (timedelta(0), HOUR, True),
        (6 * HOUR, 7 * HOUR, True),
    ],
    ids=["a minute in seconds", "an hour as packets", "a later hour"],
)
def test_a_window_is_stored_once_and_held_when_it_is_sent_again(
    ward: Ward, post, begin: timedelta, end: timedelta, whole_hour: bool
) -> None:
    window = Window(ward.anchor + begin, ward.anchor + end, whole_hour)
    made = feed.readings_in(ward, ward.members, window, every=10)
    assert made
    before = Sample.objects.count()
    assert post(made) == {"201": len(made)}
    after = Sample.objects.count()
    assert after > before
    assert post(made) == {"200": len(made)}
    assert Sample.objects.count() == after
    assert Owed.objects.filter(kind="twin").count() == 2


def test_the_volunteers_next_day_is_put_under_its_own_id(ward: Ward, post) -> None:
    people = [
        one
        for one in volunteer.sent_between(ward, volunteer.first_sent(ward), ward.anchor - 15 * 24 * HOUR)
        if one["resourceType"] != "Observation"
    ]
    assert post(people) == {"201": 3}
    day = volunteer.sent_between(ward, ward.anchor, ward.anchor + 24 * HOUR)
    assert {one["code"]["coding"][0]["code"] for one in day} >= {"41950-7", "40443-4"}
    assert post(day) == {"201": len(day)}
    assert post(day) == {"200": len(day)}
