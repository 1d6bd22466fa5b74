"""The numbers under a chart: source, device, tier, what became of them; and their export."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse

from recovery.audit import Actor
from recovery.models import AuditEvent, Device, Episode
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d

pytestmark = pytest.mark.django_db


@pytest.fixture
def readings(scene):
    """Three heart rates of our patient, one of them impossible."""
    Episode.objects.filter(pk=scene.episode.pk).update(surgery_end=d.SURGERY_END)
    Device.objects.create(fhir_id="watch", patient=scene.episode.patient, name="Wrist watch")
    key = d.series("ours")
    rows = tuple(d.number(i, hour, value, key) for i, (hour, value) in enumerate([(1.0, 80), (2.0, 900), (3.0, 82)]))
    deliver(delivery=Delivery("test", readings=rows), actor=Actor.system("t"), now=scene.now, atomic=True)


def url(scene, name="readings"):
    return reverse(name, kwargs={"key": scene.episode.key, "metric": "heart_rate"})


def test_newest_first_with_device_tier_and_decision(scene, readings):
    rows = scene.client("own").get(url(scene)).context["view"].rows
    assert [row.value for row in rows] == ["82\u00a0/min", "900\u00a0/min", "80\u00a0/min"]
    assert rows[0].source == "Wrist watch · Device/watch" and rows[0].tier == "Consumer wearable"
    assert rows[1].is_refused and rows[1].decision == "Rejected: outside the plausible range 20 to 250"


def test_the_export_holds_every_reading_and_is_audited(scene, readings):
    answer = scene.client("own").get(url(scene, "readings_csv"))
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert [float(row["value"]) for row in rows] == [80.0, 900.0, 82.0]
    assert AuditEvent.objects.get(action="export_readings").detail == {"rows": 3}


def test_readings_that_were_replaced_are_not_shown(scene, readings):
    from recovery.models import Batch, Sample

    later = Batch.objects.create(channel="test", received_at=scene.now + timedelta(seconds=1))
    Sample.objects.filter(value=82).update(ended_batch=later)
    assert len(scene.client("own").get(url(scene)).context["view"].rows) == 2


def test_a_metric_that_does_not_exist_is_not_found(scene):
    assert scene.client("own").get(f"/patients/{scene.episode.key}/readings/shoe-size/").status_code == 404
