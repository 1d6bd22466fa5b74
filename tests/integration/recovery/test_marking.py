"""A reading marked as wrong leaves the twin, stays on record, and comes back by an undo only."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import AuditEvent, Document, Episode, ReadingMark, Sample, Twin
from recovery.selectors import fhir_store, timeline
from recovery.selectors.reading import reading_seen
from recovery.services import marking, readings, refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.services.marking import WrongReading
from tests import deliveries as d

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=30)
NURSE = Actor("user", None, "noor")
WILD = d.number(29, 29.2, 190)


@pytest.fixture
def episode() -> Episode:
    """Thirty hours of a quiet heart, and one wild reading in the last."""
    deliver(delivery=d.enrolment(), actor=Actor.system("t"), now=NOW, atomic=True)
    rows = (*(d.number(i, i, 80 + i % 3) for i in range(29)), WILD)
    deliver(delivery=Delivery("test", rows), actor=Actor.system("t"), now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)
    return Episode.objects.get()


def wild(episode: Episode, value: float = 190.0) -> WrongReading:
    row = Sample.objects.get(value=value)
    return WrongReading(episode.patient_id, (row.series_id, row.at_ms, row.value, row.digits))


def mark(episode: Episode, minutes: float = 1.0, reason: str = "Device fault", **of):
    at = NOW + timedelta(minutes=minutes)
    return marking.mark_reading(reading=wild(episode, **of), reason=reason, actor=NURSE, now=at)


def unmark(episode: Episode, minutes: float = 5.0):
    return marking.unmark_reading(reading=wild(episode), actor=NURSE, now=NOW + timedelta(minutes=minutes))


def known(episode: Episode, minutes: float | None = None) -> bool:
    """Whether the twin is given the wild reading: now, or as known some minutes after NOW."""
    then = None if minutes is None else NOW + timedelta(minutes=minutes)
    found = readings.load_samples(episode, readings.series_of(episode), readings.Window(0.0, 40.0, then))
    return 190.0 in found["heart_rate"].values


def said_now() -> float | None:
    from recovery.models import Snapshot

    return Snapshot.objects.get(current=True).content["metrics"]["heart_rate"]["now"]


def test_the_twin_rewinds_without_it_and_an_undo_brings_it_back(episode):
    before = Twin.objects.get().state
    assert said_now() == 190.0
    mark(episode)
    refresh.refresh_owed(clock=lambda: NOW)
    assert said_now() == 81.0 and Twin.objects.get().state != before
    unmark(episode)
    refresh.refresh_owed(clock=lambda: NOW)
    assert said_now() == 190.0 and Twin.objects.get().state == before


def test_what_was_known_then_still_answers_truly(episode):
    mark(episode, 10)
    unmark(episode, 20)
    assert [known(episode, at) for at in (5, 15, 25, None)] == [True, False, True, True]


def test_it_stays_in_sight_with_who_why_and_its_own_delivery(episode):
    brought_by = Sample.objects.get(value=190.0).batch_id
    mark(episode)
    unmark(episode)
    mark(episode, 7, "Movement or a loose sensor")
    [row] = [row for row in timeline.readings_page(episode, "heart_rate", NOW).rows if row.is_wrong]
    seen = reading_seen(episode, "heart_rate", row.id)
    assert (seen.mark.marked_by, seen.mark.reason) == ("noor", "Movement or a loose sensor")
    assert seen.delivery.number == brought_by and [one.undone_by for one in seen.marks] == ["", "noor"]
    assert [point.value for point in timeline.observed(episode, NOW)["heart_rate"].wrong] == [190.0]


def test_a_retry_of_the_sender_does_not_bring_it_back(episode):
    mark(episode)
    deliver(delivery=Delivery("test", (WILD,)), actor=Actor.system("t"), now=NOW + timedelta(hours=1), atomic=True)
    assert not known(episode) and Document.objects.filter(type="Observation").count() == 0


def test_marked_twice_at_once_the_second_learns_who_was_first(episode):
    mark(episode)
    with pytest.raises(Conflict, match="noor marked it"):
        mark(episode, 2)
    assert ReadingMark.objects.count() == 1


def test_an_undo_without_a_mark_is_refused(episode):
    with pytest.raises(Conflict, match="not marked"):
        unmark(episode)


def test_without_a_reason_nothing_happens(episode):
    with pytest.raises(Invalid):
        mark(episode, reason="  ")
    assert known(episode) and not AuditEvent.objects.filter(action="mark_reading").exists()


def test_a_reading_of_another_patient_is_not_there(episode):
    with pytest.raises(NotFound):
        marking.mark_reading(reading=WrongReading(-1, wild(episode).key), reason="x", actor=NURSE, now=NOW)
    assert known(episode)


def test_both_are_audited_with_the_reason(episode):
    mark(episode)
    unmark(episode)
    told = AuditEvent.objects.filter(action__in=["mark_reading", "unmark_reading"]).order_by("id")
    assert [row.patient_id for row in told] == [episode.patient_id] * 2
    assert told[0].detail == {"reason": "Device fault"} and told[0].actor_name == "noor"


def test_other_systems_read_it_as_entered_in_error_in_a_version_of_its_own(episode):
    name = next(row.id for row in timeline.readings_page(episode, "heart_rate", NOW).rows if row.value == 190.0)
    told = [fhir_store.get_reading(name)]
    mark(episode)
    told.append(fhir_store.get_reading(name))
    unmark(episode)
    told.append(fhir_store.get_reading(name))
    assert [(one.version, one.is_wrong) for one in told if one] == [(1, False), (2, True), (3, False)]


def test_a_packets_number_marked_as_wrong_is_not_revived_by_an_overlapping_packet(episode):
    key = d.series(shape="packet", span_ms=d.HOUR_MS, source="Device/other")
    for index, hour, values in ((0, 10, [70.0, 71.0, 199.0]), (1, 12, [199.0, 72.0])):
        one = Delivery("test", packets=(d.packet(index, hour, values, key),))
        deliver(delivery=one, actor=Actor.system("t"), now=NOW, atomic=True)
        if index == 0:
            mark(episode, value=199.0)
    assert not Sample.objects.filter(value=199.0, ended_batch__isnull=True).exists()
