"""A summary or a hand-over goes into the record, where the hospital's own systems find it or are told of it: sent once,
on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exact_json import loads
from recovery.exceptions import Conflict
from recovery.models import Document, Episode, Patient, User
from recovery.permissions import check_user_can
from recovery.ports import ports
from recovery.selectors.record_notes import handover_of, handovers_of
from recovery.services.ingestion import deliver
from recovery.services.summary_document import HANDOVER, SUMMARY, Kind, Summary, document_reference, superseded

CHANNEL = "workspace"


@dataclass(frozen=True, slots=True)
class Words:
    """What a document says, as text and on paper, and when that was made."""

    text: str
    pdf: bytes
    made_at: datetime


def send_summary(*, episode: Episode, token: UUID, words: Words, user: User, actor: Actor, now: datetime) -> str:
    """The id of the DocumentReference. `token` is the form's: sent twice, one document. Raises Forbidden or NotFound
    for who may not take it away, Conflict when it became another document."""
    fhir_id = str(uuid5(NAMESPACE_URL, f"twinweb:summary:{user.pk}:{episode.key}:{token}"))
    with _locked(episode, user, now):
        if not _is_held(fhir_id, episode):
            said = _said(SUMMARY, fhir_id, episode, words, user, now)
            _file(said, [], episode, actor, now)
    return fhir_id


def send_handover(
    *, episode: Episode, shift: str, before: str, token: UUID, words: Words, user: User, actor: Actor, now: datetime
) -> str:
    """As `send_summary`. `before`: id of this shift's hand-over that the person saw standing in the record, or blank;
    it is replaced. Raises Conflict when another one stands there by now."""
    fhir_id = str(uuid5(NAMESPACE_URL, f"twinweb:hand-over:{user.pk}:{episode.key}:{shift}:{token}"))
    with _locked(episode, user, now):
        if _is_held(fhir_id, episode):
            return fhir_id
        standing = handovers_of(shift, [episode.key]).get(episode.key)
        if (standing.fhir_id if standing else "") != before:
            raise Conflict("Somebody else has filed a hand-over of this shift since you looked.")
        said = _said(HANDOVER, fhir_id, episode, words, user, now)
        said = replace(said, about=handover_of(episode.key, shift), replaces=before)
        _file(said, [_superseded(before)] if before else [], episode, actor, now)
    return fhir_id


@contextmanager
def _locked(episode: Episode, user: User, now: datetime) -> Iterator[None]:
    """In one transaction in which nobody else files anything for the patient; raises for who may not."""
    check_user_can(user, "act", episode.patient, now)
    check_user_can(user, "export", episode.patient, now)
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=episode.patient_id)
        yield


def _is_held(fhir_id: str, episode: Episode) -> bool:
    held = Document.objects.filter(type="DocumentReference", fhir_id=fhir_id).first()
    if held is not None and (held.deleted or held.patient_id != episode.patient_id):
        raise Conflict("This was sent and has been taken out of the record since.")
    return held is not None


def _superseded(fhir_id: str) -> dict[str, Any]:
    return superseded(loads(Document.objects.get(type="DocumentReference", fhir_id=fhir_id).content))


def _said(kind: Kind, fhir_id: str, episode: Episode, words: Words, user: User, now: datetime) -> Summary:
    return Summary(
        kind=kind,
        fhir_id=fhir_id,
        patient=episode.patient.fhir_id,
        operation=episode.fhir_id,
        author=f"{user.get_full_name() or user.get_username()} ({user.get_role_display().lower()})",
        text=words.text,
        pdf=words.pdf,
        made_at=words.made_at,
        sent_at=now,
        is_synthetic=episode.patient.is_synthetic,
    )


def _file(said: Summary, others: list[dict[str, Any]], episode: Episode, actor: Actor, now: datetime) -> None:
    resources = [*others, document_reference(said)]
    deliver(delivery=ports().delivery_of(resources, CHANNEL), actor=actor, now=now, atomic=True)
    audit.record(
        actor=actor,
        now=now,
        action=said.kind.action,
        patient_ids=[episode.patient_id],
        entity=f"DocumentReference/{said.fhir_id}",
        detail={"episode": str(episode.key)},
    )
