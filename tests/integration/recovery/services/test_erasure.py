"""Erased means gone from every table, and the trail still whole."""

from datetime import date, timedelta

import pytest
from django.apps import apps

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid
from recovery.models import AuditEvent, Document, Episode, ErasureRequest, Patient, PhoneCode, Sample, User
from recovery.services import consents, erasure, grants, merging, refresh
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery, IndexEntry
from tests import deliveries as d
from tests import factories

ACTOR = Actor.system("test")
ADMIN = Actor("user", 1, "admin")
NOW = d.SURGERY_END + timedelta(hours=30)
CANARY = "Zephyrine"

pytestmark = pytest.mark.django_db


def enrol(fhir_id: str, **facts) -> Patient:
    writes = (d.patient(0, fhir_id, **facts), d.procedure(1, fhir_id), d.device(2, f"watch-{fhir_id}", fhir_id))
    deliver(delivery=Delivery("test", documents=writes), actor=ACTOR, now=NOW, atomic=True)
    readings = tuple(d.number(hour, hour, 80.0, d.series(fhir_id)) for hour in range(1, 6))
    packet = d.packet(99, 6, [70.0, None, 72.0], d.series(fhir_id, shape="packet", span_ms=d.HOUR_MS))
    deliver(delivery=Delivery("test", readings=readings, packets=(packet,)), actor=ACTOR, now=NOW, atomic=True)
    refresh.refresh_owed(clock=lambda: NOW)
    return Patient.objects.get(fhir_id=fhir_id)


@pytest.fixture
def patient() -> Patient:
    found = enrol("p1", family_name=CANARY, given_name=CANARY)
    user = factories.make_person("zeph", "patient", first_name=CANARY)
    Patient.objects.filter(pk=found.pk).update(user=user, birth_date=date(1950, 5, 4))
    _grant, token = grants.invite_caregiver(
        patient_id=found.pk, called=CANARY, relation="son", scopes=["see"], actor=ACTOR, now=NOW
    )
    grants.accept_invitation(
        token=token, birth_date=date(1950, 5, 4), username="carer", password="a-long-password-7", actor=ACTOR, now=NOW
    )
    consents.decide(patient_id=found.pk, choices={("care", "activity"): False}, said_by=CANARY, actor=ACTOR, now=NOW)
    factories.make_alert(Episode.objects.get(patient=found), NOW)
    return Patient.objects.get(pk=found.pk)


def ask(patient: Patient) -> ErasureRequest:
    return erasure.ask_to_be_erased(patient_id=patient.pk, actor=ACTOR, now=NOW)


def rows_with(word: str) -> list[str]:
    """Every text of every table of ours that holds the word, the sealed trail aside."""
    found = []
    for model in apps.get_app_config("recovery").get_models():
        names = [field.name for field in model._meta.concrete_fields]
        for row in model._base_manager.values_list(*names):
            if any(word in str(value) for value in row):
                found.append(model.__name__)
    return found


def test_nothing_of_the_patient_is_left_and_the_trail_is_whole(patient):
    other = enrol("p2", family_name="Other")
    samples, documents = Sample.objects.count(), Document.objects.count()
    assert rows_with(CANARY)
    request = ask(patient)
    gone = erasure.erase(key=request.key, actor=ADMIN, now=NOW)
    assert rows_with(CANARY) == [] and rows_with('"p1"') == []
    assert gone > 20 and Sample.objects.filter(series__patient=other).count() == samples - Sample.objects.count()
    assert Document.objects.filter(patient=other).count() == documents - 4  # patient, operation, watch, consent
    assert Document.objects.count() == 3 and Episode.objects.get().patient == other
    audit.seal_all()
    assert audit.verify_chain() is None
    patient.refresh_from_db()
    assert (patient.name, patient.birth_date, patient.user_id) == ("Unnamed patient", None, None)
    assert AuditEvent.objects.filter(patient=patient, action="erasure_done").count() == 1


def test_nobody_signs_in_any_more_for_an_erased_patient(patient):
    factories.make_person("nurse")
    factories.prove_phone(User.objects.get(patient=patient), "+491701234567", NOW)
    erasure.erase(key=ask(patient).key, actor=ADMIN, now=NOW)
    assert not PhoneCode.objects.exists()
    assert set(User.objects.filter(is_active=True).values_list("username", flat=True)) == {"nurse"}


def test_a_caregiver_of_another_patient_keeps_their_account(patient):
    other = enrol("p2", birth_date=date(1950, 5, 4))
    _grant, token = grants.invite_caregiver(
        patient_id=other.pk, called="Carl", relation="son", scopes=["see"], actor=ACTOR, now=NOW
    )
    carer = User.objects.get(username="carer")
    grants.accept_invitation(token=token, birth_date=date(1950, 5, 4), user=carer, actor=ACTOR, now=NOW)
    erasure.erase(key=ask(patient).key, actor=ADMIN, now=NOW)
    carer.refresh_from_db()
    assert carer.is_active and carer.grants.get().patient == other


def test_what_speaks_of_two_patients_stays_and_what_speaks_of_one_goes(patient):
    enrol("p2")
    for name, patients in (("alone", ["p1"]), ("both", ["p1", "p2"])):
        entries = tuple(IndexEntry("target", "reference", value=f"Patient/{one}") for one in patients)
        write = d.device(0, name)
        from dataclasses import replace

        write = replace(write, type="Provenance", patient=None, facts=None, index_entries=entries, fhir_id=name)
        deliver(delivery=Delivery("test", documents=(write,)), actor=ACTOR, now=NOW, atomic=True)
    erasure.erase(key=ask(patient).key, actor=ADMIN, now=NOW)
    assert list(Document.objects.filter(type="Provenance").values_list("fhir_id", flat=True)) == ["both"]


def test_a_hold_needs_a_reason_and_keeps_everything(patient):
    request = ask(patient)
    with pytest.raises(Invalid):
        erasure.hold(key=request.key, reason="  ", review_on=None, actor=ADMIN, now=NOW)
    erasure.hold(
        key=request.key, reason="Records are kept ten years.", review_on=date(2036, 3, 3), actor=ADMIN, now=NOW
    )
    assert rows_with(CANARY)
    erasure.erase(key=request.key, actor=ADMIN, now=NOW + timedelta(days=1))
    assert rows_with(CANARY) == []


def test_one_wish_at_a_time_and_it_can_be_taken_back(patient):
    ask(patient)
    with pytest.raises(Conflict):
        ask(patient)
    erasure.take_back(patient_id=patient.pk, actor=ACTOR, now=NOW)
    with pytest.raises(Conflict):
        erasure.take_back(patient_id=patient.pk, actor=ACTOR, now=NOW)
    assert ask(patient).status == "asked"


def test_what_is_answered_is_not_answered_again(patient):
    request = ask(patient)
    erasure.erase(key=request.key, actor=ADMIN, now=NOW)
    for act in (
        lambda: erasure.erase(key=request.key, actor=ADMIN, now=NOW),
        lambda: erasure.hold(key=request.key, reason="law", review_on=None, actor=ADMIN, now=NOW),
    ):
        with pytest.raises(Conflict):
            act()


@pytest.mark.parametrize(("survivor", "gone"), [("p1", "p2"), ("p2", "p1")])
def test_whoever_was_merged_with_the_patient_is_erased_with_them(patient, survivor, gone):
    """One person under two names: the other name is as much theirs, and so is what moved to it."""
    enrol("p2", family_name=CANARY, given_name=CANARY)
    merging.merge(survivor=survivor, gone=gone, actor=ACTOR, now=NOW)
    erasure.erase(key=ask(patient).key, actor=ADMIN, now=NOW)
    assert rows_with(CANARY) == []
