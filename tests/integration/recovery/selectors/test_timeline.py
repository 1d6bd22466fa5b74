"""Observed points are the twin's own measurements; a gap stays a gap; what was withdrawn is gone."""

from datetime import timedelta

import numpy as np
import pytest

from recovery.audit import Actor
from recovery.models import Batch, Episode, Sample
from recovery.selectors import timeline
from recovery.services import readings, refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.twin.measurement import measure
from recovery.twin.metrics import METRICS
from tests import deliveries as d
from tests import factories

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=75, minutes=20)


def send(*rows, packets=()) -> Episode:
    if not Episode.objects.exists():
        deliver(delivery=d.enrolment(), actor=Actor.system("t"), now=NOW, atomic=True)
    deliver(delivery=Delivery("test", tuple(rows), tuple(packets)), actor=Actor.system("t"), now=NOW, atomic=True)
    return Episode.objects.get()


def test_points_are_what_the_twin_was_given():
    ward_now = NOW
    factories.make_ward(ward_now, factories.STORIES[1:2])
    episode = Episode.objects.get()
    seen = timeline.observed(episode, ward_now)
    window = readings.Window(-7 * 24.0, readings.hour_of(episode, ward_now.timestamp() * 1000))
    given = readings.load_samples(episode, readings.series_of(episode), window)
    assert seen.keys() == given.keys()
    for key, samples in given.items():
        told = measure(METRICS[key], samples, window.until_hour).measurements
        np.testing.assert_allclose(seen[key].values, told.value)
        np.testing.assert_allclose(seen[key].hours, (told.start + told.end) / 2.0)


def test_an_hourly_point_is_the_median_of_its_hour():
    episode = send(*(d.number(i, 5 + i / 10, value) for i, value in enumerate((80, 90, 70))))
    seen = timeline.observed(episode, NOW)["heart_rate"]
    assert (seen.hours, seen.values, seen.worn_hours) == ((5.5,), (80.0,), (5,))


def test_units_are_canonical():
    fahrenheit = d.series(metric="temperature", unit="[degF]", scale=5 / 9, shift=-160 / 9)
    seen = timeline.observed(send(d.number(0, 5.0, 98.6, fahrenheit, 1)), NOW)["temperature"]
    assert seen.values == pytest.approx((37.0,))


def test_a_gap_has_no_point():
    seen = timeline.observed(send(d.number(0, 5.0, 80), d.number(1, 9.0, 82)), NOW)["heart_rate"]
    assert seen.hours == (5.5, 9.5)


def test_a_refused_reading_is_shown_apart_with_its_reason():
    (refused,) = timeline.observed(send(d.number(0, 5.0, 900)), NOW)["heart_rate"].rejected
    assert refused.value == 900.0 and "above 250" in refused.reason


def test_a_withdrawn_reading_is_gone():
    episode = send(d.number(0, 5.0, 80), d.number(1, 6.0, 82))
    later = Batch.objects.create(channel="test", received_at=NOW)
    Sample.objects.filter(value=82).update(ended_batch=later)
    assert timeline.observed(episode, NOW)["heart_rate"].hours == (5.5,)


def test_a_day_worn_too_little_is_named_and_has_no_total():
    steps = d.series(metric="steps", unit="{steps}")
    rows = [d.number(i, hour + 0.5, 100, steps) for i, hour in enumerate([*range(20), *range(24, 30)])]
    seen = timeline.observed(send(*rows), NOW)["steps"]
    assert (seen.hours, seen.values) == ((12.0,), (2000.0,))
    assert (1, 6) in seen.incomplete_days


def test_readings_after_now_are_not_shown():
    assert timeline.observed(send(d.number(0, 80.0, 80)), NOW) == {}


def test_a_metric_has_at_most_1000_points():
    rows = [d.number(i, i + 0.5, 70 + i % 9) for i in range(2500)]
    episode = send(*rows)
    seen = timeline.observed(episode, d.SURGERY_END + timedelta(hours=2600))["heart_rate"]
    assert len(seen.values) <= timeline.MAX_POINTS
    assert 70.0 <= min(seen.values) <= max(seen.values) <= 78.0


def test_an_episode_without_surgery_has_nothing_to_draw():
    episode = send(d.number(0, 5.0, 80))
    episode.surgery_end = None
    assert timeline.observed(episode, NOW) == {}


def test_the_page_says_what_the_snapshot_says(client, settings):
    """Promise 1: chart and snapshot cannot disagree about the newest value."""
    episode = send(*(d.number(i, hour + 0.2, 70 + hour % 5) for i, hour in enumerate(range(-24, 75))))
    refresh.refresh_owed(clock=lambda: NOW)
    heart = episode.snapshots.get().content["metrics"]["heart_rate"]
    assert timeline.observed(episode, NOW)["heart_rate"].values[-1] == heart["now"]
