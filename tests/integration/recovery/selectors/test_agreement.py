"""Devices of patients: what came twice from whom, and how far two sources agree, of readings that may be used."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.models import Batch, Connection, ConsentDecision, Device, Repeated, Sample, Series
from recovery.selectors.agreement import device_quality
from recovery.twin.agreement import FEWEST_PAIRS
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=14)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def episode():
    return factories.make_episode(factories.make_team(), ended=NOW - timedelta(days=10))


def source(episode, name, tier="consumer", metric="heart_rate", **over) -> Series:
    device, _ = Device.objects.get_or_create(
        fhir_id=name, defaults={"patient": episode.patient, "name": name.title(), "tier": tier, "version": "1.0"}
    )
    said = {"code": "8867-4", "unit": "/min", "shape": "number", "source": f"Device/{device.fhir_id}", "tier": tier}
    mark = f"{name}-{metric}-{episode.pk}-{len(over)}"
    return Series.objects.create(patient=episode.patient, metric=metric, template_hash=mark, **said | over)


def read(series, times_and_values, **over):
    batch = Batch.objects.create(channel="test", received_at=NOW)
    Sample.objects.bulk_create(
        Sample(series=series, at_ms=int(at.timestamp() * 1000), value=value, digits=0, batch=batch, **over)
        for at, value in times_and_values
    )


def compared(episode, metric="heart_rate"):
    return device_quality([episode.key], metric, SINCE, NOW).compared


def test_a_watch_is_held_against_the_monitor_beside_it(episode):
    watch, monitor = source(episode, "watch"), source(episode, "monitor", "cleared")
    begun = NOW - timedelta(hours=20)
    read(monitor, [(begun + 10 * k * MINUTE, 70.0) for k in range(100)])
    read(watch, [(begun + 10 * k * MINUTE + timedelta(seconds=50), 72.0 + k % 2) for k in range(100)])
    [one] = compared(episode)
    assert (one.one, one.other, one.patients) == ("Watch", "Monitor", 1)
    assert one.found is not None and one.found.pairs == one.pairs == 100
    assert one.found.bias == pytest.approx(2.5)
    assert one.found.high - one.found.bias == pytest.approx(1.96 * 0.5 * (100 / 99) ** 0.5)


def test_readings_more_than_a_minute_apart_refused_ended_or_of_another_span_are_no_pairs(episode):
    watch, monitor = source(episode, "watch"), source(episode, "monitor", "cleared")
    hourly = source(episode, "hourly", span_ms=3_600_000)
    begun = NOW - timedelta(hours=20)
    read(monitor, [(begun + 10 * k * MINUTE, 70.0) for k in range(30)])
    read(watch, [(begun + 10 * k * MINUTE + timedelta(seconds=61), 70.0) for k in range(10)])
    read(watch, [(begun + 10 * k * MINUTE, 400.0) for k in range(10, 20)])
    read(watch, [(begun + 10 * k * MINUTE, 71.0) for k in range(20, 30)], ended_batch=Batch.objects.first())
    read(hourly, [(begun + 60 * k * MINUTE, 70.0) for k in range(5)])
    assert [one.pairs for one in compared(episode)] == [0, 0, 0]
    assert all(one.found is None for one in compared(episode))


def test_few_pairs_are_counted_and_nothing_is_said_of_them(episode):
    watch, monitor = source(episode, "watch"), source(episode, "monitor", "cleared")
    for series in (watch, monitor):
        read(series, [(NOW - k * timedelta(hours=1), 70.0) for k in range(1, FEWEST_PAIRS)])
    [one] = compared(episode)
    assert (one.pairs, one.found) == (FEWEST_PAIRS - 1, None)


def test_other_units_are_compared_in_the_units_of_the_measure(episode):
    celsius = source(episode, "ear", metric="temperature")
    fahrenheit = source(episode, "patch", "cleared", metric="temperature", scale=5 / 9, shift=-160 / 9)
    times = [NOW - k * timedelta(hours=1) for k in range(1, 41)]
    read(celsius, [(at, 37.0) for at in times])
    read(fahrenheit, [(at, 98.6) for at in times])
    [one] = compared(episode, "temperature")
    assert one.found is not None and one.found.bias == pytest.approx(0.0, abs=1e-9)


def test_what_a_patient_has_withdrawn_is_in_no_figure(episode):
    for series in (source(episode, "watch"), source(episode, "monitor", "cleared")):
        read(series, [(NOW - k * timedelta(hours=1), 70.0) for k in range(1, 60)])
    kept = {"purpose": "care", "data_type": "vitals", "allowed": False, "since": NOW, "said_by": "the patient"}
    ConsentDecision.objects.create(patient=episode.patient, **kept)
    assert compared(episode) == ()


def test_what_came_twice_is_counted_by_device_and_by_who_brought_it(episode):
    watch = source(episode, "watch")
    gateway = Connection.objects.create(name="Gateway", scopes="system/*.c", token_hash="x", created_at=NOW)
    for back, count, connection in ((1, 5, gateway), (2, 7, None), (20, 100, gateway)):
        at = NOW - timedelta(days=back)
        batch = Batch.objects.create(channel="import", received_at=at, connection=connection)
        Repeated.objects.create(series=watch, batch=batch, readings=count)
    [kind] = device_quality([episode.key], "heart_rate", SINCE, NOW).kinds
    assert (kind.name, kind.version, kind.repeated, kind.brought_by) == ("Watch", "1.0", 12, ("Gateway", "import"))


def test_another_persons_devices_are_in_no_figure(episode, django_assert_max_num_queries):
    other = factories.make_episode(factories.make_team("other", "Other"), key="p2", ended=NOW - timedelta(days=3))
    source(other, "theirs")
    assert device_quality([episode.key], "heart_rate", SINCE, NOW).kinds == ()
    assert device_quality([], "heart_rate", SINCE, NOW).compared == ()
    for name in "abcdefgh":
        read(source(episode, name), [(NOW - timedelta(hours=2), 70.0)])
    with django_assert_max_num_queries(7):
        assert len(compared(episode)) == 28
