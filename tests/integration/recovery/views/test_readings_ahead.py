"""A reading dated ahead of the clock waits: said where people look, in nobody's way, and in the twin when its time is
here."""

from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import Episode, Sample, Snapshot
from recovery.presenters.portal_devices import device_cards
from recovery.selectors.sources import sources_of
from recovery.services import refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.twin.clocks import AHEAD_H, hours_ahead
from tests import deliveries as d

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")


@pytest.fixture
def now(scene):
    Episode.objects.filter(pk=scene.episode.pk).update(surgery_end=scene.now - timedelta(hours=40))
    scene.episode.refresh_from_db()
    return scene.now


def send(scene, hours_from_now, value=80.0, source="Device/watch", at=None):
    zero = (scene.now - d.SURGERY_END) / timedelta(hours=1)
    key = d.series(scene.episode.patient.fhir_id, source=source)
    rows = tuple(d.number(i, zero + hour, value, key) for i, hour in enumerate(hours_from_now))
    deliver(delivery=Delivery("test", readings=rows), actor=ACTOR, now=at or scene.now, atomic=True)


def heart_rate(scene, at):
    refresh.refresh_owed(clock=lambda: at)
    return Snapshot.objects.get(current=True, episode=scene.episode).content["metrics"]["heart_rate"]


def test_it_is_in_no_twin_until_its_time_and_then_by_itself(scene, now):
    send(scene, [-2.5, -1.5])
    send(scene, [3.2], value=120.0)
    before = heart_rate(scene, now)
    assert (before["now"], before["hours_since"]) == (80.0, 1.5)
    later = now + timedelta(hours=3.5)
    refresh.owe_silent(now=later)
    after = heart_rate(scene, later)
    assert after["now"] == 120.0 and after["hours_since"] == pytest.approx(0.3, abs=0.01)


def test_a_watch_a_year_ahead_silences_no_silence(scene, now):
    send(scene, [-30.0])
    send(scene, [24.0 * 365])
    assert heart_rate(scene, now)["hours_since"] == 30.0


@pytest.mark.parametrize(("minutes", "held"), [(4, False), (6, True), (180, True)])
def test_the_list_and_the_page_of_the_reading_say_why_it_is_held_out(scene, now, minutes, held):
    send(scene, [-1.0, minutes / 60.0])
    where = {"key": scene.episode.key, "metric": "heart_rate"}
    rows = scene.client("own").get(reverse("readings", kwargs=where)).context["view"].rows
    assert len(rows) == 2 and rows[0].is_refused == held and not rows[1].is_refused
    assert rows[0].decision.startswith("Held out: dated") == held
    page = scene.client("own").get(reverse("reading", kwargs=where | {"reading": rows[0].id})).content.decode()
    assert ("Held out: dated" in page) == held and "before the time that it bears" in page
    export = scene.client("own").get(reverse("readings_csv", kwargs=where)).content.decode()
    assert ("ahead of the clock" in export) == held and Sample.objects.count() == 2


def test_data_quality_says_whose_readings_wait(scene, now):
    send(scene, [-1.0, 2.0, 3.0])
    page = scene.client("own").get(reverse("quality"), {"metric": "heart_rate"})
    assert page.context["view"].lines[0].held_out == "2 readings dated up to 3 h ahead of the clock: held out"
    assert page.context["found"].readings == 1 and "2 readings lie ahead of the clock now" in page.content.decode()


def test_the_patient_reads_that_the_clock_is_ahead_not_a_time_to_come(scene, now):
    send(scene, [-5.0])
    send(scene, [2.0, 30.0])
    send(scene, [-1.0, 4.0], source="Device/ring")
    send(scene, [4.0], source="Device/new")
    seen = {one.source: one for one in sources_of(scene.episode.patient_id, now)}
    assert (
        seen["Device/watch"].newest == pytest.approx(now - timedelta(hours=5), abs=timedelta(seconds=1))
        and seen["Device/new"].newest is None
    )
    cards = device_cards(tuple(seen.values()), now, now.tzinfo)
    assert {one.source: card.state for one, card in zip(seen.values(), cards, strict=True)} == {
        "Device/watch": "clock",
        "Device/ring": "working",
        "Device/new": "clock",
    }


def test_what_clocks_may_differ_is_no_fault():
    edge = AHEAD_H * 3_600_000
    assert (hours_ahead(edge, 0.0), hours_ahead(-1e9, 0.0)) == (0.0, 0.0) and hours_ahead(edge + 1, 0.0) > AHEAD_H
