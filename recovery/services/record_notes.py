"""A summary goes into the record, where the hospital's own systems find it or are told of it: sent once, on purpose."""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict
from recovery.models import Document, Episode, Patient, User
from recovery.permissions import check_user_can
from recovery.ports import ports
from recovery.services.ingestion import deliver
from recovery.services.summary_document import Summary, document_reference

CHANNEL = "workspace"


def send_summary(
    *, episode: Episode, token: UUID, text: str, pdf: bytes, made_at: datetime, user: User, actor: Actor, now: datetime
) -> str:
    """The id of the DocumentReference. `token` is the form's: sent twice, one document. `made_at`: when the text was
    made. Raises Forbidden or NotFound for who may not take it away, Conflict when it became another document."""
    check_user_can(user, "act", episode.patient, now)
    check_user_can(user, "export", episode.patient, now)
    fhir_id = str(uuid5(NAMESPACE_URL, f"twinweb:summary:{user.pk}:{episode.key}:{token}"))
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=episode.patient_id)
        held = Document.objects.filter(type="DocumentReference", fhir_id=fhir_id).first()
        if held is not None:
            if held.deleted or held.patient_id != episode.patient_id:
                raise Conflict("This summary was sent and has been taken out of the record since.")
            return fhir_id
        said = Summary(
            fhir_id=fhir_id,
            patient=episode.patient.fhir_id,
            operation=episode.fhir_id,
            author=f"{user.get_full_name() or user.get_username()} ({user.get_role_display().lower()})",
            text=text,
            pdf=pdf,
            made_at=made_at,
            sent_at=now,
            is_synthetic=episode.patient.is_synthetic,
        )
        deliver(delivery=ports().delivery_of([document_reference(said)], CHANNEL), actor=actor, now=now, atomic=True)
        audit.record(
            actor=actor,
            now=now,
            action="send_summary",
            patient_ids=[episode.patient_id],
            entity=f"DocumentReference/{fhir_id}",
            detail={"episode": str(episode.key)},
        )
    return fhir_id
