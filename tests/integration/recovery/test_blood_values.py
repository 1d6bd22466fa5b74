"""Blood values from the door to the snapshot: with a course of their own, in any order, and no fault of a device."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.models import Alert, Episode, Snapshot, Twin
from recovery.services import refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery, NumberReading
from recovery.services.served_models import population
from recovery.services.twinning import rebuild
from tests import deliveries as d

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=75, minutes=20)
CRP = replace(d.series(metric="crp", unit="mg/L", source="laboratory"), tier="cleared", code="1988-5")
MORNINGS = ((-5.0, 4), (18.0, 74), (42.0, 131), (66.0, 118))


def bring(*readings: NumberReading) -> None:
    deliver(delivery=Delivery("test", readings=readings), actor=Actor.system("test"), now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)


def bring_all(mornings=MORNINGS) -> dict:
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=NOW, atomic=True)
    bring(d.number(0, 74.0, 80), *(d.number(i + 1, hour, value, CRP) for i, (hour, value) in enumerate(mornings)))
    return Snapshot.objects.get(current=True).content


def test_a_blood_value_has_a_course_a_band_and_the_usual_course_of_the_operation():
    crp = bring_all()["metrics"]["crp"]
    assert (crp["now"], crp["unit"], crp["label"]) == (118.0, "mg/L", "C-reactive protein")
    assert crp["low90"] < crp["expected"] < crp["high90"] and crp["norm"] is not None
    assert len(crp["curve"]["hours"]) == len(crp["curve"]["q50"]) > 5 and crp["hours_since"] == pytest.approx(
        9.33, abs=0.1
    )


def test_values_that_arrive_late_and_one_by_one_give_the_twin_that_a_rebuild_gives():
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=NOW, atomic=True)
    for index, (hour, value) in enumerate(reversed(MORNINGS)):
        bring(d.number(index, hour, value, CRP))
    stored = Twin.objects.get().state["metrics"]["crp"]
    rebuilt = rebuild(Episode.objects.get(), NOW, population()).fold.state.to_plain()["metrics"]["crp"]
    assert stored["memory"] == rebuilt["memory"] and stored["last_reading_hour"] == rebuilt["last_reading_hour"]


def test_a_slip_of_the_laboratory_is_refused_explained_and_no_fault_of_the_wristband():
    crp = bring_all((*MORNINGS[:3], (66.0, 1180)))["metrics"]["crp"]
    (refused,) = [one for one in crp["gates"]["recent"] if one["decision"] == "rejected"]
    assert refused["value"] == 1180.0 and "ten times too high, so it would be 118 mg/L" in refused["reason"]
    assert not Alert.objects.filter(kind="device_fault").exists()
