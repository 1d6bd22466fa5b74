"""A patient's consents: each decision is a row, the FHIR Consent says the same, and the twin is made anew without what
was withdrawn."""

from collections.abc import Mapping
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.consent_rules import ALLOWED_AT_FIRST, CARE, DATA_TYPES, NOT_SWITCHABLE, PURPOSES
from recovery.exceptions import Invalid
from recovery.models import ConsentDecision, Patient
from recovery.ports import ports
from recovery.services import consent_document
from recovery.services.ingestion import deliver

CHANNEL = "portal"
Choices = Mapping[tuple[str, str], bool]  # (purpose, type of data) -> allowed


def decide(*, patient_id: int, choices: Choices, said_by: str, actor: Actor, now: datetime) -> int:
    """Write down what changed of `choices`; returns how many decisions that were. Saying the same again is none.

    Takes effect for every query that begins after it. Raises Invalid for an unknown purpose or type, and for what
    cannot be withdrawn.
    """
    _check(choices)
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient_id)
        standing = {(row.purpose, row.data_type): row for row in _standing(patient_id)}
        changed = {key: allowed for key, allowed in choices.items() if _held(standing, key) != allowed}
        for purpose in PURPOSES:
            mine = {kind: allowed for (of, kind), allowed in changed.items() if of == purpose}
            if mine:
                _decide(patient, purpose, mine, standing, said_by, actor, now)
        if any(purpose == CARE for purpose, _kind in changed):
            queue.owe_twins(dirty={patient_id: None}, now=now)
    return len(changed)


def _check(choices: Choices) -> None:
    for (purpose, kind), allowed in choices.items():
        if purpose not in PURPOSES or kind not in DATA_TYPES:
            raise Invalid(f'There is no consent to use "{kind}" for "{purpose}".', field="consent")
        if (purpose, kind) in NOT_SWITCHABLE and not allowed:
            raise Invalid("Your hospital must keep the record of your operation to care for you.", field="consent")


def _standing(patient_id: int) -> list[ConsentDecision]:
    return list(ConsentDecision.objects.filter(patient_id=patient_id, until__isnull=True))


def _held(standing: Mapping[tuple[str, str], ConsentDecision], key: tuple[str, str]) -> bool | None:
    """What stands; None where the patient has said nothing and that means no: a first "no" is worth a row."""
    row = standing.get(key)
    if row is not None:
        return row.allowed
    return True if key in NOT_SWITCHABLE else None


def _decide(
    patient: Patient,
    purpose: str,
    mine: Mapping[str, bool],
    standing: Mapping[tuple[str, str], ConsentDecision],
    said_by: str,
    actor: Actor,
    now: datetime,
) -> None:
    """All types of one purpose: old rows end, new ones begin, and one Consent document says how it now is."""
    name = str(uuid5(NAMESPACE_URL, f"twinweb:consent:{patient.key}:{purpose}"))
    old = [standing[purpose, kind].pk for kind in mine if (purpose, kind) in standing]
    ConsentDecision.objects.filter(pk__in=old).update(until=now)
    ConsentDecision.objects.bulk_create(
        ConsentDecision(
            patient=patient,
            purpose=purpose,
            data_type=kind,
            allowed=allowed,
            since=now,
            said_by=said_by[:150],
            document=name,
        )
        for kind, allowed in mine.items()
    )
    whole = {kind: ALLOWED_AT_FIRST[purpose] for kind in DATA_TYPES}
    whole |= {row.data_type: row.allowed for row in _standing(patient.pk) if row.purpose == purpose}
    resource = consent_document.consent(name, patient.fhir_id, purpose, whole, said_by, now)
    deliver(delivery=ports().delivery_of([resource], CHANNEL), actor=actor, now=now, atomic=True)
    audit.record(
        actor=actor,
        now=now,
        action="consent",
        patient_ids=[patient.pk],
        entity=f"Consent/{name}",
        detail={
            "purpose": purpose,
            "allowed": dict(mine),
            "said_by": "patient" if actor.kind == "user" else actor.kind,
        },
    )
