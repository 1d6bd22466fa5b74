"""A walking aid reaches the twin over FHIR, and leaves it when it is put away."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from integrations.fhir import wire
from integrations.fhir.receiving import Tray, Wish
from recovery.audit import Actor
from recovery.check_ins.forms import shipped
from recovery.check_ins.schedule import Slot
from recovery.check_ins.told import Telling, resources
from recovery.models import Episode, Snapshot
from recovery.ports import ports
from recovery.selectors import check_ins as found
from recovery.selectors.snapshot_json import read_snapshot
from recovery.services import check_ins, refresh
from recovery.services.factors import known_at
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from tests import deliveries as d

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")
NOW = d.SURGERY_END + timedelta(days=9)
DAY_MS = 24 * d.HOUR_MS
SNOMED = "http://snomed.info/sct"
FORM = shipped("daily")


@pytest.fixture
def episode() -> Episode:
    deliver(delivery=d.enrolment(), actor=ACTOR, now=d.SURGERY_END, atomic=True)
    steps = d.series(metric="steps", unit="/d", span_ms=DAY_MS)
    rows = tuple(d.number(day, 24.0 * day, 900.0 + 20 * day, steps) for day in range(9))
    deliver(delivery=Delivery("test", readings=rows), actor=ACTOR, now=NOW, atomic=True)
    return Episode.objects.select_related("patient").get()


def at(day: float) -> str:
    return (d.SURGERY_END + timedelta(days=day)).isoformat()


def use(**said):
    return {"resourceType": "DeviceUseStatement", "status": "active", "subject": {"reference": "Patient/p1"}, **said}


def observed(day, code):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98181-1"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at(day),
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": code}]},
    }


def send(*resources):
    tray = Tray()
    for index, one in enumerate(resources):
        wish = Wish(index, "put" if "id" in one else "create", one.get("id"))
        tray.take(wire.parse_object(json.dumps(one).encode()), wish)
    deliver(delivery=tray.delivery("fhir"), actor=ACTOR, now=NOW, atomic=True)


def uses(episode):
    return [(use.aid, use.from_hour / 24, use.until_hour / 24) for use in known_at(episode, NOW).aids]


def said_of_steps():
    refresh.refresh_owed(clock=lambda: NOW)
    return Snapshot.objects.get(current=True).content["metrics"]["steps"]


FRAME = {"device": {"reference": "Device/f", "display": "Walking frame"}}
FRAME_HERE = {
    "contained": [{"resourceType": "Device", "id": "f", "type": {"coding": [{"system": SNOMED, "code": "266731002"}]}}],
    "device": {"reference": "#f"},
}
WALKER = {
    "resourceType": "Device",
    "id": "w",
    "type": {"text": "Wheeled walker"},
    "patient": {"reference": "Patient/p1"},
}


def asked(episode, day):
    """Whether the check-in of that day asks for the aid, by what the twin last said."""
    row = Snapshot.objects.get(current=True)
    said = read_snapshot(row.content, made_at=row.made_at, data_until=row.data_until, model_version=row.model_version)
    opens = d.SURGERY_END + timedelta(days=day)
    slot = Slot(f"daily-{day}", "daily", day, opens, opens + timedelta(hours=12))
    return "walking_aid" in found.asked_of(FORM, slot, episode, said)


def answered(episode, day, answer):
    at = d.SURGERY_END + timedelta(days=day)
    client_id = uuid4()
    telling = Telling(FORM, {"walking_aid": answer}, client_id, "p1", at, "de", "")
    check_ins.send(
        episode=episode,
        form=FORM,
        attempt=check_ins.Attempt(f"daily-{day}", client_id, telling.answers, at, "portal", "Ida"),
        delivery=ports().delivery_of(resources(telling), "check-in"),
        document=str(client_id),
        actor=ACTOR,
        user_id=None,
        now=at,
    )


def test_what_a_patient_answers_reaches_the_twin_and_is_asked_again_after_a_week(episode):
    before = said_of_steps()
    assert asked(episode, 9)
    answered(episode, 1, "266731002")
    after = said_of_steps()
    assert after["expected"] > 1.1 * before["expected"] and "walking frame" in after["aid_note"]
    assert [asked(episode, day) for day in (2, 7, 8)] == [False, False, True]
    answered(episode, 8, "no-aid")
    assert uses(episode) == [("frame", 1, 8), ("none", 8, float("inf"))]
    assert not asked(episode, 9)


def test_nobody_is_asked_what_the_hospital_has_just_told_or_what_no_counter_would_feel(episode):
    said_of_steps()
    send(observed(7, "74566002"))
    assert not asked(episode, 9)
    Episode.objects.update(procedure="colectomy_open")
    assert not asked(Episode.objects.get(), 20)
    row = Snapshot.objects.get(current=True)
    row.content["metrics"].pop("steps")
    row.save()
    assert not asked(episode, 20)


def test_with_a_frame_the_twin_expects_more_steps_and_the_page_says_why(episode):
    before = said_of_steps()
    assert before["aid_note"] == ""
    send(use(id="a", timingPeriod={"start": at(0)}, **FRAME))
    after = said_of_steps()
    assert after["expected"] > 1.1 * before["expected"] and after["now"] == before["now"]
    assert "walking frame" in after["aid_note"] and "23%" in after["aid_note"]
    send(use(id="a", timingPeriod={"start": at(0)}, **FRAME) | {"status": "entered-in-error"})
    assert said_of_steps()["expected"] == before["expected"]


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ([use(timingPeriod={"start": at(1), "end": at(3)}, **FRAME_HERE)], [("frame", 1, 3)]),
        ([use(timingDateTime=at(1), recordedOn=at(4), **FRAME) | {"status": "completed"}], [("frame", 1, 4)]),
        ([WALKER, use(timingPeriod={"start": at(1)}, device={"reference": "Device/w"})], [("frame", 1, float("inf"))]),
        ([use(timingPeriod={"start": at(1)}, device={"reference": "Device/watch"})], []),
        ([use(timingPeriod={"start": at(1)}, **FRAME) | {"status": "intended"}], []),
        (
            [observed(1, "266731002"), observed(4, "74566002"), observed(7, "360006004")],
            [("frame", 1, 4), ("crutches", 4, 7), ("stick", 7, float("inf"))],
        ),
        (
            [use(timingPeriod={"start": at(1)}, **FRAME), observed(5, "360006004")],
            [("frame", 1, 5), ("stick", 5, float("inf"))],
        ),
        (
            [use(timingPeriod={"start": at(1)}, **FRAME), use(timingPeriod={"start": at(3)}, **FRAME)],
            [("frame", 1, float("inf")), ("frame", 3, float("inf"))],
        ),
        ([observed(1, "58938008")], []),
    ],
)
def test_what_arrives_about_aids_is_read_with_its_time(episode, sent, wanted):
    send(*sent)
    assert uses(episode) == wanted
