"""Taking in deliveries: once, whole, bitemporal, and never more than what was refused is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recovery.audit import Actor
from recovery.models import (
    AuditEvent,
    Batch,
    Document,
    DocumentVersion,
    Episode,
    Owed,
    Packet,
    Patient,
    Sample,
    Series,
    UnmappedCode,
)
from recovery.services.ingestion import DeliveryRefused, deliver
from recovery.services.intake import Delivery, ProjectedSample, Unmapped
from tests import deliveries as d

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
ACTOR = Actor.system("test")
pytestmark = pytest.mark.django_db


def send(delivery: Delivery, *, now: datetime = NOW, atomic: bool = False):
    return deliver(delivery=delivery, actor=ACTOR, now=now, atomic=atomic)


def enrol() -> Episode:
    send(d.enrolment())
    return Episode.objects.get()


def test_a_patient_an_operation_and_a_device_become_rows():
    episode = enrol()
    assert episode.patient.name == "Ida Hartmann"
    assert episode.procedure == "knee_replacement"
    assert episode.surgery_end == d.SURGERY_END
    assert Document.objects.filter(patient=episode.patient).count() == 3


def test_the_same_reading_twice_is_one_reading():
    enrol()
    first = send(Delivery("test", readings=(d.number(0, 5, 81.0),)))
    again = send(Delivery("test", readings=(d.number(0, 5, 81.0),)))
    assert Sample.objects.count() == 1
    assert first.outcomes[0].status == "created"
    assert again.outcomes[0].status == "unchanged"
    assert again.outcomes[0].fhir_id == first.outcomes[0].fhir_id


def test_the_same_reading_twice_within_one_delivery_is_one_reading():
    enrol()
    receipt = send(Delivery("test", readings=(d.number(0, 5, 81.0), d.number(1, 5, 81.0))))
    assert [receipt.outcomes[i].status for i in (0, 1)] == ["created", "unchanged"]
    assert Sample.objects.count() == 1


def test_two_different_values_at_one_time_are_both_kept():
    enrol()
    send(Delivery("test", readings=(d.number(0, 5, 81.0), d.number(1, 5, 82.0))))
    assert sorted(Sample.objects.values_list("value", flat=True)) == [81.0, 82.0]


def test_a_packet_is_kept_as_sent_and_its_numbers_become_samples_but_its_gaps_do_not():
    enrol()
    send(Delivery("test", packets=(d.packet(0, 1, [70, None, 72]),)))
    assert Packet.objects.get().data == "70 E 72"
    assert sorted(Sample.objects.values_list("value", flat=True)) == [70.0, 72.0]


def test_a_repeated_packet_adds_nothing():
    enrol()
    send(Delivery("test", packets=(d.packet(0, 1, [70, None, 72]),)))
    receipt = send(Delivery("test", packets=(d.packet(0, 1, [70, None, 72]),)))
    assert receipt.outcomes[0].status == "unchanged"
    assert (Packet.objects.count(), Sample.objects.count()) == (1, 2)


def test_a_reading_of_an_unknown_patient_is_refused_with_the_remedy_and_costs_only_itself():
    enrol()
    stranger = d.number(0, 1, 70.0, d.series("nobody", source="Device/other"))
    receipt = send(Delivery("test", readings=(stranger, d.number(1, 1, 71.0))))
    assert receipt.outcomes[0].status == "refused"
    assert "send the Patient first" in receipt.outcomes[0].reason
    assert receipt.outcomes[1].status == "created"
    assert Sample.objects.count() == 1


def test_an_atomic_delivery_with_one_refused_item_stores_nothing():
    enrol()
    batches = Batch.objects.count()
    with pytest.raises(DeliveryRefused, match="send the Patient first"):
        send(
            Delivery(
                "test", readings=(d.number(0, 1, 70.0), d.number(1, 1, 71.0, d.series("nobody", source="Device/other")))
            ),
            atomic=True,
        )
    assert Sample.objects.count() == 0
    assert Batch.objects.count() == batches


def test_new_readings_owe_a_refresh_from_the_earliest_of_them():
    episode = enrol()
    Owed.objects.update(done_seq=1)
    send(Delivery("test", readings=(d.number(0, 30, 80.0), d.number(1, 20, 80.0))))
    owed = Owed.objects.get(kind="twin", key=episode.pk)
    assert owed.dirty_from_ms == d.ms(d.SURGERY_END) + 20 * d.HOUR_MS
    assert owed.seq == 2


def test_a_duplicate_owes_nothing():
    enrol()
    send(Delivery("test", readings=(d.number(0, 30, 80.0),)))
    before = Owed.objects.get().seq
    send(Delivery("test", readings=(d.number(0, 30, 80.0),)))
    assert Owed.objects.get().seq == before


def test_a_moved_operation_makes_everything_new():
    episode = enrol()
    Owed.objects.update(done_seq=1)
    send(Delivery("test", documents=(d.procedure(0, end=d.SURGERY_END + timedelta(hours=3)),)))
    episode.refresh_from_db()
    assert episode.surgery_end == d.SURGERY_END + timedelta(hours=3)
    assert Owed.objects.get().dirty_from_ms is None


def test_an_updated_document_keeps_its_earlier_version():
    enrol()
    send(Delivery("test", documents=(d.patient(0, family_name="Hartmann-Roth"),)))
    document = Document.objects.get(type="Patient")
    assert document.version == 2
    assert "Hartmann-Roth" in document.content
    assert '"Hartmann"' in DocumentVersion.objects.get(document=document, version=1).content
    assert Patient.objects.get().family_name == "Hartmann-Roth"


def test_putting_the_same_content_again_makes_no_new_version():
    enrol()
    receipt = send(Delivery("test", documents=(d.patient(0),)))
    assert receipt.outcomes[0].status == "unchanged"
    assert Document.objects.get(type="Patient").version == 1


def test_an_update_on_a_version_that_is_not_current_is_refused():
    enrol()
    stale = replace(d.patient(0, family_name="Roth"), if_match=7)
    receipt = send(Delivery("test", documents=(stale,)))
    assert receipt.outcomes[0].error == "VersionMismatch"
    assert Patient.objects.get().family_name == "Hartmann"


def test_a_conditional_create_with_the_same_criteria_finds_the_first():
    write = replace(d.patient(0), method="create", fhir_id=None, criteria="a" * 64)
    first = send(Delivery("test", documents=(write,)))
    again = send(Delivery("test", documents=(write,)))
    assert again.outcomes[0].status == "unchanged"
    assert again.outcomes[0].fhir_id == first.outcomes[0].fhir_id
    assert Patient.objects.count() == 1


def test_a_patient_with_readings_is_not_deleted_by_a_stray_request():
    enrol()
    send(Delivery("test", readings=(d.number(0, 30, 80.0),)))
    delete = replace(d.patient(0), method="delete", facts=None)
    receipt = send(Delivery("test", documents=(delete,)))
    assert receipt.outcomes[0].error == "Conflict"
    assert Patient.objects.get().deleted_at is None


def test_numbers_drawn_from_a_document_follow_its_corrections_and_the_past_stays_readable():
    enrol()
    key = d.series(shape="projected", source="document")
    at = d.ms(d.SURGERY_END)
    write = replace(d.device(0, "note"), type="Observation", facts=None, samples=(ProjectedSample(key, at, 80.0, 0),))
    send(Delivery("test", documents=(write,)), now=NOW)
    said = {"resourceType": "Observation", "v": 2}
    corrected = replace(write, content=said, samples=(ProjectedSample(key, at, 88.0, 0),))
    send(Delivery("test", documents=(corrected,)), now=NOW + timedelta(hours=1))
    assert list(Sample.objects.known_at(None).values_list("value", flat=True)) == [88.0]
    assert list(Sample.objects.known_at(NOW).values_list("value", flat=True)) == [80.0]


def test_a_document_corrected_to_another_patient_renews_the_twins_of_both():
    enrol()
    send(d.enrolment("p2"))
    wrong, right = Episode.objects.order_by("patient__fhir_id")
    at = d.ms(d.SURGERY_END) + 3_600_000
    key = d.series(shape="projected", source="document")
    write = replace(d.device(0, "note"), type="Observation", facts=None, samples=(ProjectedSample(key, at, 80.0, 0),))
    send(Delivery("test", documents=(write,)))
    Owed.objects.all().delete()
    moved = replace(
        write,
        content={"resourceType": "Observation", "v": 2},
        patient="p2",
        samples=(ProjectedSample(replace(key, patient="p2"), at, 80.0, 0),),
    )
    send(Delivery("test", documents=(moved,)))
    assert set(Owed.objects.values_list("key", flat=True)) == {wrong.pk, right.pk}
    audited = AuditEvent.objects.filter(action="ingest").order_by("-id")[:2]
    assert {row.patient_id for row in audited} == {wrong.patient_id, right.patient_id}


def test_what_the_device_is_decides_its_tier_whatever_the_message_says():
    enrol()
    send(Delivery("test", readings=(d.number(0, 30, 80.0),)))
    assert Series.objects.get().tier == "cleared"


def test_unknown_codes_are_counted_and_listed():
    enrol()
    one = Unmapped("http://loinc.org", "0-0", "mg", "mystery", "no metric has this code")
    send(Delivery("test", unmapped=(one, one)))
    send(Delivery("test", unmapped=(one,)))
    assert UnmappedCode.objects.get().readings == 3


def test_every_delivery_is_audited_for_each_patient_it_touches():
    episode = enrol()
    send(Delivery("test", readings=(d.number(0, 30, 80.0), d.number(1, 31, 80.0))))
    events = AuditEvent.objects.filter(action="ingest", patient=episode.patient)
    assert events.count() == 2
    assert events.last().actor_name == "test"


def test_a_reading_from_a_device_of_another_patient_is_kept_out_of_the_twin_and_listed():
    enrol()
    others = Delivery("test", documents=(d.patient(0, "p2"), d.procedure(1, "p2"), d.device(2, "band", "p2")))
    send(others)
    strange = d.number(0, 5, 80.0, d.series(source="Device/band"))
    receipt = send(Delivery("test", readings=(strange, d.number(1, 5, 81.0))))
    assert [receipt.outcomes[index].status for index in (0, 1)] == ["created", "created"]
    assert list(Sample.objects.order_by("value").values_list("value", "series__metric")) == [
        (80.0, ""),
        (81.0, "heart_rate"),
    ]
    listed = UnmappedCode.objects.get(system="Device")
    assert (listed.code, listed.reason) == ("band", "it is registered to another patient")
    assert send(Delivery("test", readings=(strange,))).outcomes[0].status == "unchanged"


def test_a_device_of_nobody_in_particular_may_serve_everybody():
    enrol()
    receipt = send(Delivery("test", readings=(d.number(0, 5, 80.0, d.series(source="Device/ward-monitor")),)))
    assert receipt.outcomes[0].status == "created"
