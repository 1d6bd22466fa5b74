"""What befell a person, as the documents that are kept tell it and as it was known at a time."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.ports import ports
from recovery.selectors.befallen import befallen
from recovery.services.ingestion import deliver
from tests import deliveries as d
from tests import factories

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(days=5)
SNOMED = "http://snomed.info/sct"


def at(hours: float) -> str:
    return (d.SURGERY_END + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def send(now, *resources):
    deliver(delivery=ports().delivery_of(resources, "test"), actor=Actor.system("test"), now=now, atomic=True)


@pytest.fixture
def episode():
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=d.SURGERY_END, atomic=True)
    return factories.Episode.objects.get(fhir_id="p1-op")


def fall(hours: float, **more):
    code = {"coding": [{"system": SNOMED, "code": "217082002"}]}
    subject = {"reference": "Patient/p1"}
    return {
        "resourceType": "Condition",
        "id": "fall-1",
        "subject": subject,
        "code": code,
        "onsetDateTime": at(hours),
        **more,
    }


def dose(hours: float):
    return {
        "resourceType": "MedicationAdministration",
        "id": f"dose-{hours}",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/oxy"},
        "effectiveDateTime": at(hours),
    }


MEDICATION = {"resourceType": "Medication", "id": "oxy", "code": {"text": "Oxycodone"}}


def told(episode, by=NOW):
    return [(round((one.at - d.SURGERY_END) / timedelta(hours=1)), one.kind, one.word) for one in befallen(episode, by)]


def test_a_fall_is_told_once_however_it_was_filed_and_drugs_by_their_medication(episode):
    diagnosis = {"category": [{"coding": [{"code": "encounter-diagnosis"}]}], "recordedDate": at(31)}
    send(NOW, fall(30, **diagnosis), MEDICATION, dose(6), dose(12))
    assert told(episode) == [
        (6, "drug", "Oxycodone begun"),
        (12, "drug", "Oxycodone last given"),
        (30, "fall", "fall"),
    ]


def test_a_refuted_fall_and_one_that_did_not_happen_are_none(episode):
    refuted = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    observation = {
        "resourceType": "Observation",
        "id": "no-fall",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": SNOMED, "code": "1912002"}]},
        "effectiveDateTime": at(20),
        "valueBoolean": False,
    }
    send(NOW, fall(30, **refuted), observation)
    assert told(episode) == []


def test_the_past_knows_what_was_known_then(episode):
    first, second = d.SURGERY_END + timedelta(hours=40), d.SURGERY_END + timedelta(hours=60)
    send(first, fall(30))
    send(second, fall(24))
    assert told(episode, first - timedelta(hours=1)) == []
    assert told(episode, first) == [(30, "fall", "fall")]
    assert told(episode, second) == [(24, "fall", "fall")]


def test_what_happened_costs_no_more_queries_with_more_of_it(episode, django_assert_max_num_queries):
    send(NOW, MEDICATION, *(dose(hour) for hour in range(1, 40)), fall(3))
    with django_assert_max_num_queries(4):
        assert len(befallen(episode, NOW)) == 3
