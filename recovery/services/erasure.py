"""A patient's wish to be erased: asked, held by law with a reason, or carried out.

Carried out means: every row that leads to the patient goes (readings, documents with all versions, operations, twins,
messages, people let in, consents), except the audit trail, which must stay whole, and what the request itself says. The
Patient row stays as an empty pseudonym that the trail can go on to point at.
"""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import (
    AuditEvent,
    CaregiverContact,
    Connection,
    Document,
    DocumentIndex,
    Episode,
    ErasureRequest,
    Owed,
    Patient,
    PatientMerge,
    PhoneCode,
    PushSubscription,
    Series,
    SourceChoice,
    User,
)

OPEN = (ErasureRequest.Status.ASKED, ErasureRequest.Status.HELD)
# What is not erased: the sealed trail, the answer to the wish, and an app's key, which is shut: its deliveries may be
# about others too.
KEPT: tuple[type[models.Model], ...] = (AuditEvent, ErasureRequest, Connection)


def ask_to_be_erased(*, patient_id: int, actor: Actor, now: datetime) -> ErasureRequest:
    """The wish goes to the administrators. Raises Conflict while one is open."""
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        if ErasureRequest.objects.filter(patient_id=patient_id, status__in=OPEN).exists():
            raise Conflict("You have asked already. We will answer you here.")
        request = ErasureRequest.objects.create(patient_id=patient_id, asked_at=now)
        _note(request, "erasure_asked", actor, now)
    return request


def take_back(*, patient_id: int, actor: Actor, now: datetime) -> None:
    """Raises Conflict when nothing is open."""
    with transaction.atomic():
        rows = ErasureRequest.objects.select_for_update().filter(patient_id=patient_id, status__in=OPEN)
        request = rows.first()
        if request is None:
            raise Conflict("There is no open wish to take back.")
        request.status, request.answered_at = ErasureRequest.Status.TAKEN_BACK, now
        request.save(update_fields=["status", "answered_at"])
        _note(request, "erasure_taken_back", actor, now)


def hold(*, key: UUID, reason: str, review_on: date | None, actor: Actor, now: datetime) -> None:
    """A legal hold: the data stay, the patient reads why and until when. Raises NotFound, Conflict, Invalid."""
    if not reason.strip():
        raise Invalid("Say which law or duty keeps the data: the patient reads it.", field="reason")
    with transaction.atomic():
        request = _open(key)
        request.status, request.reason, request.review_on = ErasureRequest.Status.HELD, reason.strip()[:500], review_on
        request.answered_at, request.answered_name = now, actor.name[:150]
        request.save()
        _note(request, "erasure_held", actor, now)


def erase(*, key: UUID, actor: Actor, now: datetime) -> int:
    """Carry it out; returns how many rows went. Raises NotFound, and Conflict when it is answered already.

    One transaction: either everything is gone or nothing is.
    """
    with transaction.atomic():
        request = _open(key)
        gone = sum(_erase_patient(one, now) for one in _all_names_of(request.patient_id))
        request.status, request.rows_erased = ErasureRequest.Status.ERASED, gone
        request.answered_at, request.answered_name = now, actor.name[:150]
        request.save()
        _note(request, "erasure_done", actor, now, rows=gone)
    return gone


def erase_source(*, patient_id: int, source: str, actor: Actor, now: datetime) -> int:
    """Erase every reading of one of the patient's own devices, as the patient wishes; returns how many rows.

    `source`: as models.Series.source. What was concluded from them meanwhile stays in the record of what the team saw;
    the twin is made anew without them. Raises Conflict while the hospital must keep this patient's data.
    """
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        if ErasureRequest.objects.filter(patient_id=patient_id, status=ErasureRequest.Status.HELD).exists():
            raise Conflict("Your hospital must keep your data for now. You read why under My record.")
        said = DocumentIndex.objects.filter(kind="reference", value=source).values("document_id")
        rows = Document.objects.filter(patient_id=patient_id, type="Observation", pk__in=said)
        documents = Document.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
        series = Series.objects.filter(patient_id=patient_id, source=source)
        gone = 0
        for model, found in ((Series, series), (Document, documents)):
            gone += _erase_what_leads_to(model, found, frozenset())
            gone += found._raw_delete(found.db) or 0
        SourceChoice.objects.filter(patient_id=patient_id, source=source).delete()
        queue.owe_twins(dirty={patient_id: None}, now=now)
        detail = {"source": source, "rows": gone}
        audit.record(actor=actor, now=now, action="source_erased", patient_ids=[patient_id], detail=detail)
    return gone


def _all_names_of(patient_id: int) -> list[Patient]:
    """The patient and whoever they were merged with, however often: one person under several names."""
    names = [patient_id]
    for one in names:  # grows as it goes
        merges = PatientMerge.objects.filter(Q(survivor_id=one) | Q(gone_id=one), undone_at__isnull=True)
        names += {pk for pair in merges.values_list("survivor_id", "gone_id") for pk in pair} - set(names)
    return list(Patient.objects.select_for_update().filter(pk__in=names).order_by("pk"))


def _erase_patient(patient: Patient, now: datetime) -> int:
    episodes = list(Episode.objects.filter(patient=patient).values_list("pk", flat=True))
    Owed.objects.filter(kind="twin", key__in=episodes).delete()
    _close_accounts(patient)
    Connection.objects.filter(patient=patient, revoked_at__isnull=True).update(revoked_at=now)
    gone = _erase_what_speaks_of(patient)
    gone += _erase_what_leads_to(Patient, Patient.objects.filter(pk=patient.pk), frozenset())
    _make_a_pseudonym(patient, now)
    return gone


def _open(key: UUID) -> ErasureRequest:
    request = ErasureRequest.objects.select_for_update().filter(key=key).first()
    if request is None:
        raise NotFound("There is no such request.")
    if request.status not in OPEN:
        raise Conflict("This request has been answered already.")
    return request


def _close_accounts(patient: Patient) -> None:
    """The patient's sign-in, and that of caregivers who were let in by nobody else."""
    people = [pk for pk in (patient.user_id, *patient.grants.values_list("user_id", flat=True)) if pk is not None]
    for user in User.objects.filter(pk__in=people):
        others = user.grants.exclude(patient=patient).filter(ended_at__isnull=True)
        if not others.exists():
            user.is_active = False
            user.username, user.first_name, user.last_name, user.email = f"erased-{user.pk}", "", "", ""
            user.set_unusable_password()
            user.save()
            CaregiverContact.objects.filter(user=user).delete()
            PhoneCode.objects.filter(user=user).delete()
            PushSubscription.objects.filter(user=user).delete()


def _erase_what_leads_to(
    model: type[models.Model], rows: models.QuerySet[models.Model], above: frozenset[type[models.Model]]
) -> int:
    """Delete, leaves first, every row that points at one of `rows`, however far; returns how many.

    It walks the models' own relations, so that a table made tomorrow is erased too.
    """
    gone = 0
    for relation in _pointing_at(model):
        child = relation.related_model
        if child in KEPT or child in above:
            continue
        found = child._base_manager.filter(**{f"{relation.field.name}__in": rows})
        if relation.on_delete is models.SET_NULL:
            found.update(**{relation.field.name: None})
            continue
        gone += _erase_what_leads_to(child, found, above | {model})
        gone += found._raw_delete(found.db) or 0
    return gone


def _erase_what_speaks_of(patient: Patient) -> int:
    """Documents outside the patient's compartment that refer to this patient and to no other (a Provenance)."""
    refers = DocumentIndex.objects.filter(kind="reference", value__startswith="Patient/")
    own = refers.filter(value=f"Patient/{patient.fhir_id}").values("document_id")
    others = refers.exclude(value=f"Patient/{patient.fhir_id}").values("document_id")
    rows = Document.objects.filter(patient__isnull=True, pk__in=own).exclude(pk__in=others)
    found = Document.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
    return _erase_what_leads_to(Document, found, frozenset()) + (found._raw_delete(found.db) or 0)


def _pointing_at(model: type[models.Model]) -> Iterator[models.ForeignObjectRel]:
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and relation.related_model is not model:
            yield relation


def _make_a_pseudonym(patient: Patient, now: datetime) -> None:
    patient.fhir_id = f"erased-{patient.key}"
    patient.record_number = patient.family_name = patient.given_name = patient.origin = ""
    patient.birth_date, patient.died_at, patient.user = None, None, None
    patient.sex, patient.deleted_at = Patient.Sex.UNKNOWN, now
    patient.save()


def _note(request: ErasureRequest, action: str, actor: Actor, now: datetime, **detail: int) -> None:
    audit.record(
        actor=actor,
        now=now,
        action=action,
        patient_ids=[request.patient_id],
        entity=f"ErasureRequest/{request.key}",
        detail=detail,
    )
