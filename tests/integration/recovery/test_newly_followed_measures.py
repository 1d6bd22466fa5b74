"""Readings received before the twin followed their measure are read by it after the upgrade, once, under their ids."""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from integrations.fhir import codes
from integrations.fhir.streams import units
from recovery.audit import Actor
from recovery.models import Sample, Series, UnmappedCode
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery, SeriesKey
from tests import deliveries as d

pytestmark = pytest.mark.django_db
upgrade = import_module("recovery.migrations.0010_readings_of_newly_followed_measures")
NOW = d.SURGERY_END + timedelta(hours=75)
LOINC = "http://loinc.org"


def send(series, hour: float, value: float) -> None:
    delivery = Delivery("test", readings=(d.number(0, hour, value, series),))
    deliver(delivery=delivery, actor=Actor.system("test"), now=NOW, atomic=True)


def blood(code: str, unit: str, metric: str = "", scale: float = 1.0) -> SeriesKey:
    own = {"system": LOINC, "code": code, "unit": unit, "template": f'{{"code":"{code}","unit":"{unit}"}}'}
    return replace(d.series(metric=metric, source="laboratory", scale=scale), tier="cleared", **own)


def creatinine(metric: str = "", scale: float = 1.0) -> SeriesKey:
    return blood("2160-0", "umol/L", metric, scale)


@pytest.fixture
def enrolled():
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=NOW, atomic=True)


def test_a_series_from_before_is_read_and_the_next_reading_goes_on_into_it(enrolled):
    send(creatinine(), 20, 80.0)
    held = Series.objects.get(code="2160-0")
    upgrade.read(apps, None)
    send(creatinine("creatinine", upgrade.UNITS["creatinine"]["umol/L"][0]), 44, 88.0)
    (row,) = Series.objects.filter(code="2160-0")
    assert (row.pk, row.metric) == (held.pk, "creatinine")
    assert Sample.objects.filter(series=row).count() == 2 and row.scale == pytest.approx(1 / 88.42)


def test_the_same_reading_sent_again_after_the_upgrade_is_one_reading(enrolled):
    send(creatinine(), 20, 80.0)
    upgrade.read(apps, None)
    send(creatinine("creatinine", upgrade.UNITS["creatinine"]["umol/L"][0]), 20, 80.0)
    assert Sample.objects.filter(series__code="2160-0").count() == 1


def test_what_a_person_mapped_and_what_does_not_convert_is_left_as_it_is(enrolled):
    send(creatinine(), 20, 80.0)
    Series.objects.filter(code="2160-0").update(metric="pain")
    send(blood("1988-5", "nmol/L"), 20, 5.0)
    upgrade.read(apps, None)
    assert set(Series.objects.filter(code__in=("2160-0", "1988-5")).values_list("metric", flat=True)) == {"pain", ""}


def test_the_upgrade_can_be_taken_back_and_waits_for_nobody_to_map_the_code(enrolled):
    send(creatinine(), 20, 80.0)
    UnmappedCode.objects.create(system=LOINC, code="14682-9", unit="umol/L", readings=3, first_seen=NOW, last_seen=NOW)
    before = Series.objects.filter(code="2160-0").values_list("pk", "template_hash").get()
    upgrade.read(apps, None)
    assert not UnmappedCode.objects.exists()
    upgrade.unread(apps, None)
    assert Series.objects.filter(code="2160-0", metric="").values_list("pk", "template_hash").get() == before


def test_the_frozen_table_reads_each_code_and_unit_as_the_door_does():
    for coding, metric in upgrade.METRICS.items():
        measure = codes.MEASURES[coding]
        assert measure.metric == metric
        for unit, factors in upgrade.UNITS[metric].items():
            assert units.conversion(unit, measure.unit, measure.substance) == factors
