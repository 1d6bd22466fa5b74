"""From documents to the domain's rows: Patient, Episode, Device, Finding."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from recovery.exact_json import loads
from recovery.exceptions import Conflict, Invalid
from recovery.models import Device, Document, Episode, Finding, Pathway, Patient, Series, Team
from recovery.selectors.drug_changes import name_of
from recovery.services import merged
from recovery.services.intake import (
    DeviceFacts,
    DocumentWrite,
    EpisodeFacts,
    FindingFacts,
    PatientFacts,
    SubscriptionFacts,
)
from recovery.services.surgeons import Surgeon, surgeon_of, told_by_record
from recovery.twin.opioids import OPIOID, is_opioid


@dataclass(frozen=True, slots=True)
class Projected:
    """The patient that a document belongs to, and whether rows that models read were touched."""

    patient_id: int | None
    facts_changed: bool


def project(write: DocumentWrite, now: datetime) -> Projected:
    """Make the domain rows say what `write` says. Raises Invalid when it points at an unknown patient."""
    fhir_id = write.fhir_id or ""
    if isinstance(write.facts, PatientFacts):
        return _project_patient(fhir_id, write.facts, write)
    patient_id = _patient_id(write)
    if patient_id is None or write.facts is None or isinstance(write.facts, SubscriptionFacts):
        if isinstance(write.facts, DeviceFacts):
            _project_device(fhir_id, None, write.facts)
        return Projected(patient_id, _forget_finding(write))
    if isinstance(write.facts, EpisodeFacts):
        return Projected(patient_id, _project_episode(fhir_id, patient_id, write.facts, now))
    if isinstance(write.facts, DeviceFacts):
        return Projected(patient_id, _project_device(fhir_id, patient_id, write.facts))
    if write.facts.key == OPIOID:
        _project_opioid(write, patient_id, write.facts)
        return Projected(patient_id, False)  # no fold of the twin reads it: each look at the patient does
    return Projected(patient_id, _project_finding(write, patient_id, write.facts))


def _patient_id(write: DocumentWrite) -> int | None:
    if write.patient is None:
        return None
    rows = Patient.objects.filter(fhir_id=write.patient, deleted_at__isnull=True).annotate(gone=merged.is_merged())
    found = rows.values_list("pk", "gone").first()
    if found is None:
        raise Invalid(
            f"Patient/{write.patient} is not known here: send the Patient first, or correct the reference.",
            field=f"{write.type}.subject",
        )
    if found[1] and write.type != "Patient":
        raise merged.refusal(write.patient, f"{write.type}.subject")
    return int(found[0])


def _project_patient(fhir_id: str, facts: PatientFacts, write: DocumentWrite) -> Projected:
    said = {
        "record_number": facts.record_number[:128],
        "family_name": facts.family_name[:200],
        "given_name": facts.given_name[:200],
        "birth_date": facts.birth_date,
        "sex": facts.sex,
        "died_at": facts.died_at,
        "is_synthetic": facts.is_synthetic,
        "origin": facts.origin[:200],
        "deleted_at": None,
    }
    before = Patient.objects.filter(fhir_id=fhir_id).values("birth_date", "sex").first()
    patient, created = Patient.objects.update_or_create(fhir_id=fhir_id, defaults=said)
    after = {"birth_date": facts.birth_date, "sex": facts.sex}
    return Projected(patient.pk, not created and before != after)


def _project_episode(fhir_id: str, patient_id: int, facts: EpisodeFacts, now: datetime) -> bool:
    """A Procedure is an episode once its end is known or planned; a moved surgery re-anchors everything.

    Raises Conflict when an episode that already has a twin is to change its patient: what was concluded about one
    person is never shown as another's.
    """
    twinned = Episode.objects.filter(fhir_id=fhir_id, twin__isnull=False).exclude(patient_id=patient_id)
    if twinned.exists():
        raise Conflict(
            "This Procedure already has a twin of another patient: delete it and send a new Procedure instead.",
            field="Procedure.subject",
        )
    not_over = facts.surgery_end is None and facts.status in (Episode.Status.ACTIVE, Episode.Status.FINISHED)
    status = Episode.Status.PLANNED.value if not_over else facts.status
    if status == Episode.Status.ACTIVE and _was_ended_by_people(fhir_id, facts):
        status = Episode.Status.FINISHED.value
    said = {
        "patient_id": patient_id,
        "procedure": facts.procedure,
        "procedure_text": facts.procedure_text[:300],
        "surgery_start": facts.surgery_start,
        "surgery_end": facts.surgery_end,
        "status": status,
        **told_by_record(fhir_id, _surgeon(facts), now),
    }
    Episode.objects.update_or_create(
        fhir_id=fhir_id, defaults=said, create_defaults={**said, **_entrusted_to(patient_id, facts)}
    )
    return True


def _surgeon(facts: EpisodeFacts) -> Surgeon:
    """The name that was sent, or that of the Practitioner we hold."""
    return surgeon_of(facts.surgeon or _practitioner_name(facts.surgeon_id), facts.surgeon_id)


def _practitioner_name(fhir_id: str) -> str:
    held = Document.objects.filter(type="Practitioner", fhir_id=fhir_id, deleted=False) if fhir_id else ()
    for document in held:
        one: dict[str, Any] = next(iter(loads(document.content).get("name", ())), {})
        parts = [*one.get("prefix", ()), *one.get("given", ()), one.get("family", "")]
        return str(one.get("text") or " ".join(parts))
    return ""


def _was_ended_by_people(fhir_id: str, facts: EpisodeFacts) -> bool:
    """An episode that its team no longer follows is not followed again because the EHR sends the same operation."""
    ended = Episode.objects.filter(fhir_id=fhir_id, status=Episode.Status.FINISHED)
    return facts.surgery_end is not None and ended.filter(surgery_end=facts.surgery_end).exists()


def _entrusted_to(patient_id: int, facts: EpisodeFacts) -> dict[str, object]:
    """A new episode goes to the pathway of its procedure and, unless enrolment says otherwise, to the intake team."""
    pathway = Pathway.objects.filter(active=True, procedure=facts.procedure).order_by("pk").first()
    pathway = pathway or Pathway.objects.filter(active=True, procedure="").order_by("pk").first()
    team = Team.objects.filter(key=settings.INTAKE_TEAM).first()
    return {"pathway": pathway, "team": team, "time_zone": settings.HOSPITAL_TIME_ZONE}


def _project_device(fhir_id: str, patient_id: int | None, facts: DeviceFacts) -> bool:
    said = {
        "patient_id": patient_id,
        "name": facts.name[:200],
        "manufacturer": facts.manufacturer[:200],
        "kind": facts.kind[:200],
        "udi": facts.udi[:200],
        "version": facts.version[:200],
        "tier": facts.tier,
    }
    before = Device.objects.filter(fhir_id=fhir_id).values_list("tier", flat=True).first()
    Device.objects.update_or_create(fhir_id=fhir_id, defaults=said)
    moved = Series.objects.filter(source=f"Device/{fhir_id}").exclude(tier=facts.tier).update(tier=facts.tier)
    return bool(moved) or (before is not None and before != facts.tier)


def _project_finding(write: DocumentWrite, patient_id: int, facts: FindingFacts) -> bool:
    Finding.objects.update_or_create(
        document_type=write.type,
        fhir_id=write.fhir_id,
        defaults={
            "patient_id": patient_id,
            "kind": facts.kind,
            "key": facts.key[:64],
            "code": facts.code[:64],
            "text": facts.text[:300],
            "number": facts.number,
            "onset_at": facts.onset_at,
            "ended_at": facts.ended_at,
            "recorded_at": facts.recorded_at,
        },
    )
    return True


def _project_opioid(write: DocumentWrite, patient_id: int, facts: FindingFacts) -> None:
    """Of a drug that a Medication names, that decides; another drug than before takes its finding back."""
    held = Document.objects.filter(type="Medication", fhir_id=facts.code, deleted=False) if facts.code else ()
    named = [name_of(loads(document.content)) for document in held] if facts.code else [facts.text]
    if any(is_opioid(name) for name in named) or not facts.code:
        _project_finding(write, patient_id, facts)
    else:
        Finding.objects.filter(document_type=write.type, fhir_id=write.fhir_id).delete()


def _forget_finding(write: DocumentWrite) -> bool:
    """A changed document that tells nothing any more (refuted, entered in error) takes its finding back."""
    if write.method != "put" or write.facts is not None:
        return False
    return bool(Finding.objects.filter(document_type=write.type, fhir_id=write.fhir_id).delete()[0])


def retract(type_name: str, fhir_id: str, now: datetime) -> bool:
    """A document was deleted: its rows no longer speak. Returns whether a model's input changed."""
    if type_name == "Patient":
        return bool(Patient.objects.filter(fhir_id=fhir_id).update(deleted_at=now))
    if type_name == "Procedure":
        return bool(Episode.objects.filter(fhir_id=fhir_id).update(status=Episode.Status.CANCELLED))
    return bool(Finding.objects.filter(document_type=type_name, fhir_id=fhir_id).delete()[0])


def document_exists(type_name: str, fhir_id: str) -> bool:
    return Document.objects.filter(type=type_name, fhir_id=fhir_id, deleted=False).exists()
