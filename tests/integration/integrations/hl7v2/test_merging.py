"""A40 and A37: all that was the one's is the other's, and is given back to the letter."""

import pytest
from django.utils import timezone

from integrations.hl7v2.merging import undo
from recovery import queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, NotFound
from recovery.models import AuditEvent, ConsentDecision, Episode, Owed, Patient, PatientMerge, Sample, Series
from recovery.services import consents, merging
from recovery.services.twinning import series_of
from tests.integration.integrations.fhir.conftest import content
from tests.integration.integrations.hl7v2.conftest import PID, adt, crp, message, oru
from tests.integration.integrations.hl7v2.test_messages import found, refused
from tests.unit.integrations.fhir.observations import heart_rate

ACTOR = Actor.system("test")
POSTED = {"method": "POST", "url": "Observation"}


def merge_message(to="1", of="2", control="m1"):
    return message("ADT^A40", "EVN|A40|2026", PID.format(mrn=to), f"MRG|{of}^^^HOSP^MR", control=control)


def unmerge_message(one="1", two="2", control="u1"):
    return message("ADT^A37", "EVN|A37|2026", PID.format(mrn=one), PID.format(mrn=two), control=control)


@pytest.fixture
def two(mllp, door):
    """Two patients with a stay and a result each; the second has had an operation."""
    for mrn in ("1", "2"):
        mllp.taken(adt(mrn=mrn, visit=mrn, control=f"a{mrn}"))
        mllp.taken(oru(crp(f"{mrn}0.5"), mrn=mrn, control=f"o{mrn}", order=f"F{mrn}"))
    ids = [found(door, f"Patient?identifier=urn:hl7v2:HOSP|{mrn}")[0]["id"] for mrn in ("1", "2")]
    knee = {"coding": [{"system": "http://snomed.info/sct", "code": "609588000"}]}
    body = {"resourceType": "Procedure", "id": "knee", "status": "completed", "code": knee}
    body |= {
        "subject": {"reference": f"Patient/{ids[1]}"},
        "performedPeriod": {"start": "2026-01-05T08:00:00Z", "end": "2026-01-05T10:00:00Z"},
    }
    assert door.put("Procedure/knee", body).status_code == 201
    return ids


def names(door, patient, type_name):
    return sorted(one["id"] for one in found(door, f"{type_name}?patient={patient}"))


def test_the_survivor_has_what_was_the_others(mllp, door, two):
    to, of = two
    theirs = {name: names(door, of, name) for name in ("Observation", "Encounter", "Procedure")}
    assert all(theirs.values())
    mllp.taken(merge_message())
    for name, ids in theirs.items():
        assert set(ids) <= set(names(door, to, name)), name
        assert not names(door, of, name)
        for one in ids:
            assert content(door.get(f"{name}/{one}"))["subject"] == {"reference": f"Patient/{to}"}
    assert Episode.objects.get().patient.fhir_id == to


def test_both_patients_say_that_they_were_merged(mllp, door, two):
    to, of = two
    mllp.taken(merge_message())
    survivor, gone = content(door.get(f"Patient/{to}")), content(door.get(f"Patient/{of}"))
    assert survivor["link"] == [{"other": {"reference": f"Patient/{of}"}, "type": "replaces"}]
    assert gone["link"] == [{"other": {"reference": f"Patient/{to}"}, "type": "replaced-by"}]
    assert gone["active"] is False and survivor.get("active") is not False


def test_the_twin_of_a_moved_operation_is_rebuilt_from_the_readings_of_both(mllp, two):
    before = Owed.objects.get(kind="twin").seq
    mllp.taken(merge_message())
    owed = Owed.objects.get(kind="twin")
    assert owed.dirty_from_ms is None and (owed.seq > before or owed.done_seq < owed.seq)
    series = series_of(Episode.objects.get())
    values = Sample.objects.filter(series__in=series, series__metric="crp").values_list("value", flat=True)
    assert sorted(values) == [10.5, 20.5]
    assert queue.sweep(now=timezone.now()) >= 1


def test_what_comes_under_the_old_number_goes_to_the_survivor(mllp, door, two):
    to, of = two
    mllp.taken(merge_message())
    mllp.taken(oru(crp("33"), mrn="2", control="o9", order="F9"))
    mllp.taken(adt("A08", mrn="2", visit="2", control="a9"))
    assert 33 in [one["valueQuantity"]["value"] for one in found(door, f"Observation?patient={to}&code=1988-5")]
    assert not names(door, of, "Observation") and content(door.get(f"Patient/{of}"))["active"] is False


def test_what_is_sent_over_fhir_to_the_id_that_is_gone_is_refused_with_the_one_that_has_the_record(mllp, door, two):
    """Readings and documents, one by one, in a batch and by an update; after an unmerge it is taken again."""
    survivor, gone = two
    mllp.taken(merge_message())
    subject = {"subject": {"reference": f"Patient/{gone}"}}
    reading = heart_rate(device=None, **subject)
    next_of_kin = {"resourceType": "RelatedPerson", "patient": subject["subject"]}
    entries = [
        {"resource": heart_rate(device=None, subject={"reference": f"Patient/{of}"}), "request": POSTED} for of in two
    ]
    said = content(door.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries}))["entry"]
    assert [one["response"]["status"][:3] for one in said] == ["201", "409"]
    for one in (reading, next_of_kin, {"resourceType": "Condition", "id": "new", **subject}):
        answer = door.put(f"{one['resourceType']}/new", {**one, "id": "new"})
        assert answer.status_code == 409
        assert f"Patient/{gone} was merged into Patient/{survivor}" in content(answer)["issue"][0]["diagnostics"]
    mllp.taken(unmerge_message())
    assert door.post("Observation", reading).status_code == 201


def test_a_merge_told_again_changes_nothing(mllp, two):
    mllp.taken(merge_message())
    mllp.taken(merge_message(control="m2"))
    assert PatientMerge.objects.count() == 1


def test_unmerging_gives_back_what_was_theirs_and_leaves_what_came_since(mllp, door, two):
    to, of = two
    kinds = ("Observation", "Encounter", "Procedure")
    before = {(who, name): names(door, who, name) for who in two for name in kinds}
    series = sorted(Series.objects.values_list("pk", "patient__fhir_id", "template", "template_hash"))
    mllp.taken(merge_message())
    mllp.taken(oru(crp("33"), mrn="1", control="o9", order="F9"))
    mllp.taken(unmerge_message())
    after = {(who, name): names(door, who, name) for who in two for name in kinds}
    [late] = set(after.pop((to, "Observation"))) - set(before.pop((to, "Observation")))
    assert after == before and content(door.get(f"Observation/{late}"))["subject"] == {"reference": f"Patient/{to}"}
    assert sorted(Series.objects.values_list("pk", "patient__fhir_id", "template", "template_hash")) == series
    for who in two:
        patient = content(door.get(f"Patient/{who}"))
        assert "link" not in patient and patient.get("active") is not False
    assert Episode.objects.get().patient.fhir_id == of


def test_a_number_used_while_they_were_one_names_its_owner_again(mllp, door, two):
    mllp.taken(merge_message())
    mllp.taken(adt("A08", mrn="2", visit="2", control="a9"))
    mllp.taken(unmerge_message())
    mllp.taken(oru(crp("33"), mrn="2", control="o9", order="F9"))
    assert len(names(door, two[1], "Observation")) == 2 and len(names(door, two[0], "Observation")) == 1


def test_they_can_be_merged_again_after_that(mllp, door, two):
    mllp.taken(merge_message())
    mllp.taken(unmerge_message())
    mllp.taken(merge_message(control="m2"))
    assert Episode.objects.get().patient.fhir_id == two[0] and PatientMerge.objects.count() == 2


def test_history_keeps_whose_it_was(mllp, door, two):
    mllp.taken(merge_message())
    versions = content(door.get("Procedure/knee/_history"))["entry"]
    subjects = [one["resource"]["subject"]["reference"] for one in versions]
    assert subjects == [f"Patient/{two[0]}", f"Patient/{two[1]}"]
    assert versions[0]["resource"]["meta"]["versionId"] == "2"


def test_searches_by_patient_find_moved_documents_of_the_survivor_only(mllp, door, two):
    mllp.taken(merge_message())
    assert len(found(door, f"Encounter?subject=Patient/{two[0]}")) == 2
    assert not found(door, f"Encounter?subject=Patient/{two[1]}")


def test_both_patients_have_a_row_of_the_trail(mllp, two):
    mllp.taken(merge_message())
    mllp.taken(unmerge_message())
    for action in ("merge", "unmerge"):
        rows = AuditEvent.objects.filter(action=action)
        assert sorted(rows.values_list("patient__fhir_id", flat=True)) == sorted(two)
        assert set(rows.values_list("actor_name", flat=True)) == {"HL7 v2 EPIC|SOUTH"}


def test_what_was_never_merged_cannot_be_unmerged(mllp, two):
    refused(mllp(unmerge_message()), "AE", "PID^1^3")


def test_nobody_is_merged_with_themselves_twice_or_with_nobody(two):
    to, of = two
    now = timezone.now()
    with pytest.raises(Conflict):
        merging.merge(survivor=to, gone=to, actor=ACTOR, now=now)
    with pytest.raises(NotFound):
        merging.merge(survivor=to, gone="nobody", actor=ACTOR, now=now)
    merging.merge(survivor=to, gone=of, actor=ACTOR, now=now)
    with pytest.raises(Conflict):
        merging.merge(survivor=of, gone=to, actor=ACTOR, now=now)


def test_a_merge_that_fails_halfway_leaves_nothing_moved(mllp, two, monkeypatch):
    def broken(*_, **__):
        raise Conflict("no")

    monkeypatch.setattr("integrations.hl7v2.merging.deliver", broken)
    assert mllp(merge_message())["MSA"][1] == "AE"
    assert not PatientMerge.objects.exists() and Episode.objects.get().patient.fhir_id == two[1]


def test_an_administrator_can_undo_one_by_its_row(mllp, two):
    mllp.taken(merge_message())
    undo(PatientMerge.objects.get().pk, ACTOR, timezone.now(), "console")
    assert Series.objects.filter(patient=Patient.objects.get(fhir_id=two[1])).exists()
    with pytest.raises(NotFound):
        undo(PatientMerge.objects.get().pk, ACTOR, timezone.now(), "console")


def test_what_one_of_the_two_had_withdrawn_stays_withdrawn_for_the_survivor(mllp, door, two):
    """Otherwise a message of the hospital would unseal what the person has sealed."""
    to, of = (Patient.objects.get(fhir_id=one) for one in two)
    choices = {("care", "vitals"): False, ("improvement", "activity"): False, ("research", "activity"): True}
    consents.decide(patient_id=of.pk, choices=choices, said_by="Ida", actor=ACTOR, now=timezone.now())
    mllp.taken(merge_message())
    held = ConsentDecision.objects.filter(patient=to, until__isnull=True)
    kept = {(row.purpose, row.data_type): row.allowed for row in held}
    assert kept == {("care", "vitals"): False, ("improvement", "activity"): False}
