"""Small charts of the board: the metric that matters, in two queries whatever the sensors' rate."""

from datetime import timedelta

import pytest
from django.db.models import Q

from recovery.models import Episode
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.snapshot_json import read_snapshot
from recovery.selectors.sparks import metric_that_matters, sparks_of
from tests import deliveries as d
from tests import factories

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=98)


def said(**deviations):
    heart = factories.said()["metrics"]["heart_rate"]
    metrics = {key: heart | {"deviation": z} for key, z in deviations.items()}
    return read_snapshot(factories.said(metrics=metrics), made_at=NOW, data_until=NOW, model_version="v")


def test_the_metric_that_strays_most_is_drawn():
    assert metric_that_matters(said(heart_rate=0.5, spo2=-2.0, temperature=1.0)).key == "spo2"


def test_without_curves_nothing_is_drawn():
    empty = read_snapshot(factories.said(metrics={}), made_at=NOW, data_until=NOW, model_version="v")
    assert metric_that_matters(empty) is None


def test_a_page_of_rows_costs_two_queries(django_assert_num_queries):
    factories.make_ward(NOW, factories.STORIES[:3])
    episodes = list(Episode.objects.all())
    found = current_snapshots(Q(episode__in=episodes))
    with django_assert_num_queries(2):
        sparks = sparks_of(episodes, found, NOW)
    assert all(len(spark.values) > 5 for spark in sparks.values())
    assert all(hour <= spark.now_hour for spark in sparks.values() for hour in spark.hours)
