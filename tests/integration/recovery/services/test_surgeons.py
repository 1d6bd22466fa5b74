"""The surgeon of an episode is who the Procedure names, by the Practitioner's own name where only an id is sent."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.models import Episode
from recovery.ports import ports
from recovery.services.ingestion import deliver
from tests import deliveries as d

pytestmark = pytest.mark.django_db


def test_a_practitioner_who_is_only_pointed_at_is_named_and_a_name_alone_gets_a_mark():
    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=d.SURGERY_END, atomic=True)
    surgeon = {"resourceType": "Practitioner", "id": "s1", "name": [{"family": "Lane", "given": ["Ada"]}]}
    operation = {
        "resourceType": "Procedure",
        "id": "p1-op",
        "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}]},
        "subject": {"reference": "Patient/p1"},
        "performedPeriod": {"end": d.SURGERY_END.isoformat()},
    }
    told = []
    for actor in ({"reference": "Practitioner/s1"}, {"display": "Dr. Jonas Weir"}):
        said = [surgeon, operation | {"performer": [{"actor": actor}]}]
        now = d.SURGERY_END + timedelta(hours=1)
        deliver(delivery=ports().delivery_of(said, "test"), actor=Actor.system("test"), now=now, atomic=True)
        told.append(Episode.objects.values_list("surgeon", "surgeon_key").get(fhir_id="p1-op"))
    assert told[0] == ("Ada Lane", "s1")
    assert told[1][0] == "Dr. Jonas Weir" and told[1][1].startswith("n-") and "Weir" not in told[1][1]
