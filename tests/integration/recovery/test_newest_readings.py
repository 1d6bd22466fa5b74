"""A snapshot names the newest reading that it stands on, and when milestones are expected."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.models import Snapshot
from recovery.selectors.fhir_store import get_reading
from recovery.services import refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=75, minutes=20)
STEPS = d.series(metric="steps", unit="/d", span_ms=d.HOUR_MS)


def concluded(*readings: object, packets: tuple = (), now=NOW) -> dict:
    delivery = Delivery("test", readings=readings, packets=packets)  # type: ignore[arg-type]
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=now, atomic=True)
    deliver(delivery=delivery, actor=Actor.system("test"), now=now, atomic=True)
    refresh.refresh_owed(clock=lambda: now)
    return Snapshot.objects.get(current=True).content


def test_the_newest_reading_of_a_metric_is_named_and_can_be_read():
    content = concluded(d.number(0, 70, 80), d.number(1, 74.2, 83), d.number(2, 74.1, 82))
    found = get_reading(content["metrics"]["heart_rate"]["reading"])
    assert found is not None and (found.value, found.at_ms) == (83, d.ms(d.SURGERY_END) + round(74.2 * d.HOUR_MS))


def test_a_reading_that_the_gate_refused_is_not_named():
    content = concluded(d.number(0, 74.2, 83), d.number(1, 74.3, 900))
    found = get_reading(content["metrics"]["heart_rate"]["reading"])
    assert found is not None and found.value == 83


def test_a_less_trusted_reading_of_the_same_hour_is_not_named():
    watch = d.series(source="Device/other")
    content = concluded(d.number(0, 74.2, 83), d.number(1, 74.5, 84, watch))
    found = get_reading(content["metrics"]["heart_rate"]["reading"])
    assert found is not None and found.value == 83


def test_of_a_packet_the_packet_is_named():
    content = concluded(packets=(d.packet(0, 70, [80, 81, None]),))
    found = get_reading(content["metrics"]["heart_rate"]["reading"])
    assert found is not None and found.data == "80 81 E"


def test_milestones_are_expected_of_metrics_that_were_read_and_within_the_pathway():
    days = [d.number(hour + 72, hour + 0.1, 100.0, STEPS) for hour in range(-72, 75)]
    found = {one["key"]: one for one in concluded(*days)["milestones"]}
    assert found.keys() == {"steps_baseline", "steps_1000", "walk_100m"}
    own = found["steps_baseline"]
    assert own["from_day"] == 4 and own["unit"] == "/d"
    for one in found.values():
        assert 0 <= one["reached"] <= one["probability"] <= 1
        assert one["median"] is None or 4 <= one["median"] <= 30


def test_steps_far_above_a_thousand_have_reached_that_milestone():
    days = [d.number(hour + 72, hour + 0.1, 400.0, STEPS) for hour in range(-72, 75)]
    found = {one["key"]: one for one in concluded(*days)["milestones"]}
    assert found["steps_1000"]["achieved"] is True and found["steps_1000"]["target"] == 1000.0


def test_where_half_of_people_like_this_are_is_said_of_milestones_to_come_alone():
    days = [d.number(hour + 72, hour + 0.1, 400.0, STEPS) for hour in range(-72, 75)]
    found = concluded(*days)["milestones"]
    assert {one["key"] for one in found if "usual" in one} == {one["key"] for one in found if not one["achieved"]}
    assert {one["key"]: one["usual"] for one in found if "usual" in one} == {"steps_baseline": None}


def test_without_readings_no_milestone_is_promised():
    assert concluded()["milestones"] == []
