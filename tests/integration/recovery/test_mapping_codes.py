"""A code that an administrator maps feeds the twin with what is held and what is to come; undoing forgets it again."""

import pytest
from django.db.models import F

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import AuditEvent, Owed, Sample, Series
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.services.mapping_codes import map_code, unmap_code
from tests import deliveries as d

ADMINISTRATOR = Actor("user", 1, "ada")
CODING = ("http://loinc.org", "", "beats")
NOW = d.SURGERY_END


def unread(patient_id: str = "p1"):
    """A series that the door read without a metric."""
    return d.series(patient_id, metric="", unit="beats", source="Device/ward-monitor")


def send(*hours: float, patient_id: str = "p1") -> None:
    readings = tuple(d.number(index, hour, 80 + hour, unread(patient_id)) for index, hour in enumerate(hours))
    deliver(delivery=Delivery("test", readings=readings), actor=Actor.system("test"), now=NOW, atomic=True)


def enrol(patient_id: str = "p1") -> None:
    deliver(delivery=d.enrolment(patient_id), actor=Actor.system("test"), now=NOW, atomic=True)


@pytest.fixture
def held(db: None) -> Series:
    enrol()
    send(1, 2)
    return Series.objects.get()


def owed() -> int:
    return sum(Owed.objects.filter(kind="twin").values_list("seq", flat=True))


def settled() -> int:
    """As if all that is owed were done: what comes next shows."""
    Owed.objects.update(done_seq=F("seq"))
    return owed()


def mapped() -> int:
    return map_code(coding=CODING, metric="heart_rate", scale=2.0, shift=1.0, actor=ADMINISTRATOR, now=NOW)


def test_what_is_held_is_read_anew_and_the_twin_owed(held: Series) -> None:
    before = settled()
    assert mapped() == 1
    held.refresh_from_db()
    assert (held.metric, held.scale, held.shift) == ("heart_rate", 2.0, 1.0)
    assert owed() == before + 1 and Owed.objects.get(kind="twin").dirty_from_ms is None
    row = AuditEvent.objects.get(action="map_code")
    assert row.actor_name == "ada" and row.patient.fhir_id == "p1" and row.detail["metric"] == "heart_rate"


def test_later_readings_go_into_the_same_series_and_to_the_twin(held: Series) -> None:
    mapped()
    before = settled()
    send(1, 2, 3)
    assert Series.objects.get() == held and Sample.objects.count() == 3
    assert owed() == before + 1


def test_another_patients_new_series_is_mapped_alike(held: Series) -> None:
    mapped()
    enrol("p2")
    send(1, patient_id="p2")
    assert set(Series.objects.values_list("metric", "scale", "shift")) == {("heart_rate", 2.0, 1.0)}


def test_undo_keeps_the_readings_and_takes_them_from_the_twin(held: Series) -> None:
    mapped()
    before = settled()
    assert unmap_code(coding=CODING, actor=ADMINISTRATOR, now=NOW) == 1
    held.refresh_from_db()
    assert (held.metric, held.scale, held.shift) == ("", 1.0, 0.0) and Sample.objects.count() == 2
    assert owed() == before + 1
    send(4)
    assert owed() == before + 1


def test_what_cannot_be_mapped_is_refused_and_changes_nothing(held: Series) -> None:
    def ask(error: type[Exception], **changes: object) -> None:
        given = {"coding": CODING, "metric": "heart_rate", "scale": 1.0, "shift": 0.0, **changes}
        with pytest.raises(error):
            map_code(**given, actor=ADMINISTRATOR, now=NOW)  # type: ignore[arg-type]

    ask(Invalid, metric="mood")
    ask(Invalid, scale=0.0)
    ask(Invalid, shift=float("nan"))
    ask(NotFound, coding=("http://loinc.org", "", "other"))
    with pytest.raises(NotFound):
        unmap_code(coding=CODING, actor=ADMINISTRATOR, now=NOW)
    mapped()
    ask(Conflict)


def test_a_series_that_the_door_reads_itself_is_not_touched(held: Series) -> None:
    reading = d.number(0, 1, 80)
    deliver(delivery=Delivery("test", readings=(reading,)), actor=Actor.system("test"), now=NOW, atomic=True)
    with pytest.raises(NotFound):
        unmap_code(coding=("http://loinc.org", "heart_rate", "/min"), actor=ADMINISTRATOR, now=NOW)
