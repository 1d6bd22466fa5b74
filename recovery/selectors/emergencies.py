"""Emergency accesses as their owner and as the privacy officer see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from recovery.models import AuditEvent, EmergencyAccess, Episode, User
from recovery.permissions import (
    REVIEW_WITHIN,
    check_user_can_review_emergencies,
    open_emergencies,
    user_can_review_emergencies,
)

REVIEWED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """One of one's own. `episodes`: keys of the patient's pages, newest operation first."""

    key: UUID
    patient: str
    until: datetime
    episodes: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AccessToReview:
    """`looks`: how many audited steps that person took in the patient's record while the access was open."""

    key: UUID
    who: str
    role: str
    patient: str
    record_number: str
    reason: str
    opened_at: datetime
    ended_at: datetime
    is_open: bool
    looks: int
    verdict: str
    reviewed_by: str
    reviewed_at: datetime | None
    note: str
    is_own: bool
    is_overdue: bool
    told_at: datetime | None


def my_open_accesses(user: User, now: datetime) -> tuple[OpenAccess, ...]:
    rows = list(open_emergencies(user, now).select_related("patient").order_by("until"))
    if not rows:
        return ()
    keys: dict[int, list[UUID]] = {}
    operations = Episode.objects.filter(patient_id__in=[row.patient_id for row in rows]).order_by("-surgery_end", "-pk")
    for patient_id, key in operations.values_list("patient_id", "key"):
        keys.setdefault(patient_id, []).append(key)
    return tuple(OpenAccess(row.key, row.patient.name, row.until, tuple(keys.get(row.patient_id, ()))) for row in rows)


def waiting_for_review(user: User) -> int:
    """How many accesses wait for this person's word; 0 for whoever reviews none."""
    if not user_can_review_emergencies(user):
        return 0
    return EmergencyAccess.objects.filter(verdict="").exclude(user=user).count()


def accesses_to_review(user: User, now: datetime) -> tuple[tuple[AccessToReview, ...], tuple[AccessToReview, ...]]:
    """Those that wait, oldest first, and the last ones that were reviewed. Raises Forbidden."""
    check_user_can_review_emergencies(user)
    rows = EmergencyAccess.objects.select_related("user", "patient", "reviewed_by")
    waiting = list(rows.filter(verdict="").order_by("opened_at"))
    done = list(rows.exclude(verdict="").order_by("-reviewed_at")[:REVIEWED_SHOWN])
    looks = _looks([*waiting, *done])
    return tuple(_seen(row, looks, user, now) for row in waiting), tuple(_seen(row, looks, user, now) for row in done)


def _looks(rows: Iterable[EmergencyAccess]) -> dict[int, int]:
    """By access: counted in one query over the audit rows of these patients."""
    wanted = {
        f"a{row.pk}": Count(
            "pk",
            filter=Q(actor_kind="user", actor_id=row.user_id, patient_id=row.patient_id)
            & Q(at__gt=row.opened_at, at__lte=row.closed_at or row.until),
        )
        for row in rows
    }
    patients = {row.patient_id for row in rows}
    if not wanted:
        return {}
    counted = AuditEvent.objects.filter(patient_id__in=patients).aggregate(**wanted)
    return {int(name[1:]): number for name, number in counted.items()}


def _seen(row: EmergencyAccess, looks: dict[int, int], user: User, now: datetime) -> AccessToReview:
    ended = row.closed_at or row.until
    return AccessToReview(
        key=row.key,
        who=row.user.get_full_name() or row.user.get_username(),
        role=User.Role(row.user.role).label,
        patient=row.patient.name,
        record_number=row.patient.record_number,
        reason=row.reason,
        opened_at=row.opened_at,
        ended_at=ended,
        is_open=ended > now,
        looks=looks.get(row.pk, 0),
        verdict=row.verdict,
        reviewed_by=str(row.reviewed_by.get_full_name() or row.reviewed_by.get_username()) if row.reviewed_by else "",
        reviewed_at=row.reviewed_at,
        note=row.review_note,
        is_own=row.user_id == user.pk,
        is_overdue=not row.verdict and row.opened_at <= now - REVIEW_WITHIN,
        told_at=row.told_at,
    )
