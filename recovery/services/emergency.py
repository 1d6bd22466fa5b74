"""Emergency access ("break-glass"): open a record with a reason, close it, look at it afterwards.

Access lasts LASTS, and a person may open so many records and search so often; the numbers are starting points [G].
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core import signing
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import EmergencyAccess, Patient, User
from recovery.permissions import check_user_can_review_emergencies, open_emergencies, relationships

logger = logging.getLogger(__name__)

LASTS = timedelta(minutes=60)
SEARCHES_AN_HOUR = 12
OPENED_A_DAY = 6
SHORTEST_REASON = 10
MOST_FOUND = 5
TICKET_LASTS = timedelta(minutes=10)
TICKET = "emergency"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Enough to know the person by. `ticket` opens the record: it is the searcher's, and lasts some minutes."""

    name: str
    birth_date: date | None
    sex: str
    record_number: str
    ticket: str
    is_already_yours: bool


def search(
    *, record_number: str, family_name: str, birth_date: date | None, user: User, actor: Actor, now: datetime
) -> tuple[Candidate, ...]:
    """Patients with exactly this record number, or exactly this family name and birth date. Every search is audited.

    Raises Forbidden for whoever is no clinician or has searched too often, Invalid when neither is given.
    """
    _check_is_clinician(user)
    if not record_number and not (family_name and birth_date):
        raise Invalid("Give the record number, or the family name together with the birth date.", field="record_number")
    _count_search(user, now)
    living = Patient.objects.filter(deleted_at__isnull=True).order_by("pk")
    exact = {"record_number": record_number} if record_number else _by_name(family_name, birth_date)
    found = list(living.filter(**exact)[:MOST_FOUND])
    ids: list[int | None] = [one.pk for one in found] or [None]
    audit.record(actor=actor, now=now, action="emergency_search", patient_ids=ids, detail={"found": len(found)})
    return tuple(_candidate(one, user, now) for one in found)


def _by_name(family_name: str, birth_date: date | None) -> dict[str, object]:
    return {"family_name__iexact": family_name, "birth_date": birth_date}


def _candidate(patient: Patient, user: User, now: datetime) -> Candidate:
    said = {"user": user.pk, "patient": str(patient.key), "at": now.timestamp()}
    return Candidate(
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,
        record_number=patient.record_number,
        ticket=signing.dumps(said, salt=TICKET),
        is_already_yours=bool(relationships(user, patient, now)),
    )


def _count_search(user: User, now: datetime) -> None:
    """An emergency does not wait for a counter that is away: every search stands in the audit trail anyway."""
    key = f"emergency-search:{user.pk}:{now:%Y%m%d%H}"
    try:
        cache.add(key, 0, timeout=3600)
        count = cache.incr(key)
    except Exception as error:
        logger.warning("emergency searches are not counted: %s", type(error).__name__)
        return
    if count > SEARCHES_AN_HOUR:
        raise Forbidden(
            f"More than {SEARCHES_AN_HOUR} emergency searches in an hour. Ask your lead or privacy officer."
        )


def open_record(*, ticket: str, reason: str, user: User, actor: Actor, now: datetime) -> EmergencyAccess:
    """Open the record that a search found, for LASTS. Opening what is open already gives the same access.

    Raises Forbidden (no clinician, or too many records today), Invalid (no reason, an old ticket), Conflict (the
    patient is already theirs).
    """
    _check_is_clinician(user)
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid(f"reason: say in {SHORTEST_REASON} characters or more why you need this record.", field="reason")
    patient = _patient_of(ticket, user, now)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # one opening a person at a time: the count holds
        found = relationships(user, patient, now)
        if "team" in found:
            raise Conflict("This patient is entrusted to your team: no emergency access is needed.")
        if "emergency" in found:
            return open_emergencies(user, now).filter(patient=patient).latest("opened_at")
        _refuse_too_many(user, now)
        _close(EmergencyAccess.objects.filter(user=user, patient=patient, until__lte=now), None)
        access = EmergencyAccess.objects.create(
            user=user, patient=patient, reason=reason[:500], opened_at=now, until=now + LASTS
        )
        # The words may name the patient, who may be erased one day; the trail keeps what proves that they stood.
        digest = hashlib.sha256(access.reason.encode()).hexdigest()
        detail = {"reason_sha256": digest, "until": access.until.isoformat()}
        entity = f"EmergencyAccess/{access.key}"
        audit.record(
            actor=actor, now=now, action="emergency_open", patient_ids=[patient.pk], entity=entity, detail=detail
        )
    return access


def _patient_of(ticket: str, user: User, now: datetime) -> Patient:
    again = "Search for the patient again: this page was open for too long, or was not yours."
    try:
        said = signing.loads(ticket, salt=TICKET)
    except signing.BadSignature as error:
        raise Invalid(again, field="ticket") from error
    if said["user"] != user.pk or now.timestamp() - said["at"] > TICKET_LASTS.total_seconds():
        raise Invalid(again, field="ticket")
    patient = Patient.objects.filter(key=said["patient"], deleted_at__isnull=True).first()
    if patient is None:
        raise NotFound("There is no such patient any more.")
    return patient


def _refuse_too_many(user: User, now: datetime) -> None:
    if EmergencyAccess.objects.filter(user=user, opened_at__gt=now - timedelta(days=1)).count() >= OPENED_A_DAY:
        raise Forbidden(f"You have opened {OPENED_A_DAY} records in an emergency within a day. Ask your lead.")


def _close(rows: QuerySet[EmergencyAccess], at: datetime | None) -> None:
    """What ran out was closed when it ran out."""
    for row in rows.filter(closed_at__isnull=True):
        EmergencyAccess.objects.filter(pk=row.pk).update(closed_at=min(at or row.until, row.until))


def close_record(*, key: UUID, user: User, actor: Actor, now: datetime) -> None:
    """Close one's own emergency access; closing what is closed changes nothing. Raises NotFound."""
    with transaction.atomic():
        access = EmergencyAccess.objects.select_for_update().filter(key=key, user=user).first()
        if access is None:
            raise NotFound("There is no such emergency access of yours.")
        if access.closed_at is not None:
            return
        _close(EmergencyAccess.objects.filter(pk=access.pk), now)
        entity = f"EmergencyAccess/{access.key}"
        audit.record(actor=actor, now=now, action="emergency_close", patient_ids=[access.patient_id], entity=entity)


def review(*, key: UUID, verdict: str, note: str, user: User, actor: Actor, now: datetime) -> None:
    """The privacy officer's word on one access. A concern needs a note.

    Raises Forbidden, NotFound, Invalid, Conflict.
    """
    check_user_can_review_emergencies(user)
    if verdict not in EmergencyAccess.Verdict.values:
        raise Invalid("verdict: choose approved or concern.", field="verdict")
    if verdict == EmergencyAccess.Verdict.CONCERN and not note.strip():
        raise Invalid("note: say what the concern is.", field="note")
    with transaction.atomic():
        access = EmergencyAccess.objects.select_for_update().filter(key=key).first()
        if access is None:
            raise NotFound("There is no such emergency access.")
        if access.user_id == user.pk:
            raise Conflict("Nobody reviews their own emergency access. Ask another privacy officer.")
        if access.verdict:
            raise Conflict("Somebody else has reviewed this access already.")
        access.verdict, access.review_note = verdict, note.strip()[:500]
        access.reviewed_by, access.reviewed_at = user, now
        access.save(update_fields=["verdict", "review_note", "reviewed_by", "reviewed_at"])
        audit.record(
            actor=actor,
            now=now,
            action="emergency_review",
            patient_ids=[access.patient_id],
            entity=f"EmergencyAccess/{access.key}",
            detail={"verdict": verdict},
        )


def _check_is_clinician(user: User) -> None:
    if not user.is_active or not user.is_clinical:
        raise Forbidden("Emergency access is for clinicians.")
