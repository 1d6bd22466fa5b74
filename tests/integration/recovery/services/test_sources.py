"""What a patient types in is a reading like any other, and of two devices the chosen one is believed everywhere."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Forbidden, Invalid
from recovery.models import Episode, Sample, Series
from recovery.selectors.sources import rivals_of, sources_of
from recovery.selectors.timeline import observed
from recovery.services import consents, refresh, sources
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.services.readings import Window, load_samples, series_of
from recovery.twin.metrics import METRICS
from tests import deliveries as d

ACTOR = Actor.system("test")
NOW = d.SURGERY_END + timedelta(hours=30)

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode() -> Episode:
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    watch, ring = (d.series(source=f"Device/{name}") for name in ("a-watch", "b-ring"))
    readings = [d.number(hour, hour, 80.0, watch) for hour in range(1, 29)]
    readings += [d.number(100 + hour, hour, 90.0, ring) for hour in range(1, 20)]
    deliver(delivery=Delivery("test", readings=tuple(readings)), actor=ACTOR, now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)
    return Episode.objects.select_related("patient").get()


def type_in(episode: Episode, kind: str, text: str, at=NOW - timedelta(minutes=10)) -> None:
    sources.report_reading(patient_id=episode.patient_id, kind=kind, text=text, at=at, actor=ACTOR, now=NOW)


def choose(episode: Episode, source: str) -> None:
    sources.choose_source(patient_id=episode.patient_id, metric="heart_rate", source=source, actor=ACTOR, now=NOW)


@pytest.mark.parametrize(("source", "early"), [("", 85.0), ("Device/a-watch", 80.0), ("Device/b-ring", 90.0)])
def test_the_chosen_source_is_what_the_page_and_the_twin_read(episode, source, early):
    choose(episode, source)
    seen = observed(episode, NOW)["heart_rate"]
    loaded = load_samples(episode, series_of(episode), Window(-100.0, 30.0))["heart_rate"]
    assert seen.values[0] == early and seen.values[-1] == 80.0
    early_values = {value for hour, value in zip(loaded.hours, loaded.values, strict=True) if hour < 10}
    assert (early in early_values) or source == ""
    assert len(early_values) == (2 if source == "" else 1)


def test_a_choice_makes_the_twin_anew(episode):
    before = Episode.objects.get().snapshots.get(current=True).content["metrics"]["heart_rate"]["curve"]
    choose(episode, "Device/b-ring")
    refresh.refresh_owed(clock=lambda: NOW)
    assert Episode.objects.get().snapshots.get(current=True).content["metrics"]["heart_rate"]["curve"] != before


def test_a_device_that_is_not_theirs_cannot_be_chosen(episode):
    with pytest.raises(Invalid):
        choose(episode, "Device/somebody-elses")


def test_each_source_says_its_newest_reading_and_what_can_be_chosen(episode):
    seen = sources_of(episode.patient_id, NOW)
    assert [one.source for one in seen] == ["Device/a-watch", "Device/b-ring"]
    assert seen[0].newest == d.SURGERY_END + timedelta(hours=28) and seen[0].heard == NOW
    (rivals,) = rivals_of(episode.patient_id, seen)
    assert (rivals.metric, len(rivals.sources), rivals.chosen) == ("heart_rate", 2, "")


@pytest.mark.parametrize(
    ("kind", "text", "metric", "canonical"),
    [
        ("temperature", "37,25", "temperature", 37.3),
        ("temperature_f", "100.4", "temperature", 38.0),
        ("heart_rate", "72", "heart_rate", 72.0),
    ],
)
def test_a_reading_typed_in_is_a_report_of_the_patient_in_the_metrics_unit(episode, kind, text, metric, canonical):
    type_in(episode, kind, text)
    series = Series.objects.get(tier="self_report")
    sample = Sample.objects.get(series=series)
    assert series.metric == metric
    assert sample.value * series.scale + series.shift == pytest.approx(canonical, abs=0.06)


def test_steps_typed_in_cover_their_day(episode):
    type_in(episode, "steps", "3120", NOW - timedelta(days=2))
    assert Series.objects.get(metric="steps").span_ms == 24 * d.HOUR_MS


def test_the_same_reading_twice_is_one(episode):
    type_in(episode, "temperature", "37.0")
    type_in(episode, "temperature", "37.0")
    assert Sample.objects.filter(series__tier="self_report").count() == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("temperature", "98.6"),
        ("temperature_f", "37"),
        ("heart_rate", "0"),
        ("temperature", "hot"),
        ("pain", "11"),
        ("spo2", "97"),
        ("temperature", "NaN"),
        ("heart_rate", "1e400"),
    ],
)
def test_what_no_body_can_have_is_asked_about_at_once(episode, kind, text):
    with pytest.raises(Invalid):
        type_in(episode, kind, text)
    assert not Series.objects.filter(tier="self_report").exists()


@pytest.mark.parametrize("ago", [timedelta(hours=-1), timedelta(days=8)])
def test_a_reading_of_tomorrow_or_of_last_month_is_refused(episode, ago):
    with pytest.raises(Invalid):
        type_in(episode, "temperature", "37.0", NOW - ago)


def test_steps_of_a_day_that_is_not_over_are_refused(episode):
    with pytest.raises(Invalid):
        type_in(episode, "steps", "100", NOW - timedelta(hours=5))


def test_what_was_withdrawn_is_not_taken_at_our_own_door(episode):
    consents.decide(
        patient_id=episode.patient_id, choices={("care", "vitals"): False}, said_by="Ida", actor=ACTOR, now=NOW
    )
    with pytest.raises(Forbidden):
        type_in(episode, "temperature", "37.0")


def test_what_a_source_gives_is_told_in_the_order_of_the_catalogue_however_it_came(episode):
    two = (d.series(metric="temperature"), d.series(metric="spo2"))
    readings = tuple(d.number(300 + i, 28, 37.0 + 60 * i, one) for i, one in enumerate(two))
    deliver(delivery=Delivery("test", readings=readings), actor=ACTOR, now=NOW, atomic=True)
    told = {one.source: one.metrics for one in sources_of(episode.patient_id, NOW)}
    order = [key for key in METRICS if key in told[two[0].source]]
    assert list(told[two[0].source]) == order and len(order) > 1
