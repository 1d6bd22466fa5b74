"""The milestone of taking no opioids any more: from drug documents to the snapshot and its Goal."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.models import Episode, Finding, Owed, Snapshot
from recovery.ports import ports
from recovery.selectors.fhir_plans import plans_said
from recovery.services import refresh
from recovery.services.factors import known_at
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")
NOW = d.SURGERY_END + timedelta(days=2)
MINE = {"subject": {"reference": "Patient/p1"}}


@pytest.fixture
def episode() -> Episode:
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    rows = tuple(d.number(hour, hour, 80.0) for hour in range(1, 40))
    deliver(delivery=Delivery("test", readings=rows), actor=ACTOR, now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)
    return Episode.objects.select_related("patient").get()


def at(hours: float) -> str:
    return (d.SURGERY_END + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def send(*resources):
    deliver(delivery=ports().delivery_of(resources, "test"), actor=ACTOR, now=NOW, atomic=True)


def order(drug="Oxycodone", name="o", **more):
    said = {"resourceType": "MedicationRequest", "id": name, "status": "active", "intent": "order", **MINE}
    return said | {"medicationCodeableConcept": {"text": drug}, "authoredOn": at(1)} | more


def dose(hours, **drug):
    said = {"resourceType": "MedicationAdministration", "id": f"d{hours}", "status": "completed", **MINE}
    return said | {"effectiveDateTime": at(hours)} | drug


def milestone(days=2.0):
    at_time = d.SURGERY_END + timedelta(days=days)
    refresh.owe_silent(now=at_time + timedelta(hours=2))
    refresh.refresh_owed(clock=lambda: at_time + timedelta(hours=2))
    told = Snapshot.objects.get(current=True).content["milestones"]
    return next((one for one in told if one["key"] == "off_opioids"), None)


def test_without_drug_data_and_with_other_drugs_nothing_is_said(episode):
    assert milestone() is None
    send(order("Paracetamol"))
    assert milestone() is None and not Finding.objects.filter(key="opioid").exists()


def test_an_order_without_an_end_is_told_as_a_distribution_and_is_a_goal(episode):
    send(order())
    found = milestone()
    assert found["early"] < found["median"] and not found["achieved"] and 0.3 < found["probability"] < 0.7
    [plan] = plans_said(limit=1)
    assert "off_opioids" in [one.key for one in plan.milestones]


def test_an_order_that_ends_is_the_expected_day_and_a_stopped_one_the_reached_one(episode):
    until = {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": at(1), "end": at(96)}}}}]}
    send(order(**until))
    assert milestone()["median"] == 4
    assert milestone(days=4.5)["achieved"]


def test_doses_of_a_medication_kept_apart_count_only_where_it_is_an_opioid(episode):
    drugs = [
        {"resourceType": "Medication", "id": key, "code": {"text": text}}
        for key, text in (("m", "Morphine"), ("p", "Paracetamol"))
    ]
    send(*drugs, dose(5, medicationReference={"reference": "Medication/m"}))
    send(dose(30, medicationReference={"reference": "Medication/p"}))
    assert [round(one.until_hour) for one in known_at(episode, NOW).opioids] == [53]


def test_a_dose_owes_the_twin_no_fold_and_one_entered_in_error_takes_its_finding_back(episode):
    before = Owed.objects.get(kind="twin").seq
    coded = {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02AA05"}], "text": "Trade name"}
    send(dose(20, medicationCodeableConcept=coded))
    assert Owed.objects.get(kind="twin").seq == before and len(known_at(episode, NOW).opioids) == 1
    send(dose(20, medicationCodeableConcept=coded) | {"status": "entered-in-error"})
    assert known_at(episode, NOW).opioids == ()
