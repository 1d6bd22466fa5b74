"""The audit trail as the FHIR door reads it: newest first, by patient, entity and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from recovery.models import AuditEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An alert is read under these FHIR names; the trail names the alert itself.
_ALERT_TYPES = ("DetectedIssue", "Flag")


@dataclass(frozen=True, slots=True)
class AuditSaid:
    row_id: int
    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    entity: str
    outcome: str
    request_id: str
    patient_id: int | None
    patient_fhir_id: str


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """`entities`: for each group one of its references (Type/id) must be meant. `windows`: [from, to) in ms, any of
    them; None reaches for ever. `before`: row id of the last one already seen."""

    patients: Sequence[str] | None = None
    entities: Sequence[Sequence[str]] = ()
    windows: Sequence[tuple[int | None, int | None]] | None = None
    ids: Sequence[int] | None = None
    before: int | None = None
    limit: int = 100


def audit_said(query: AuditQuery) -> list[AuditSaid]:
    rows = _matching(query)
    if query.before is not None:
        rows = rows.filter(pk__lt=query.before)
    return [_said(row) for row in rows.select_related("patient").order_by("-pk")[: query.limit]]


def count_audit(query: AuditQuery) -> int:
    return _matching(query).count()


def _matching(query: AuditQuery) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.all()
    if query.ids is not None:
        rows = rows.filter(pk__in=query.ids)
    if query.patients is not None:
        rows = rows.filter(patient__fhir_id__in=query.patients)
    for group in query.entities:
        rows = rows.filter(_any_of(group))
    if query.windows is not None:
        within = Q(pk__in=[])
        for window in query.windows:
            within |= _within(*window)
        rows = rows.filter(within)
    return rows


def _any_of(references: Sequence[str]) -> Q:
    found = Q(pk__in=[])
    # PostgreSQL cannot hold a NUL character, so nothing stored can match one.
    for reference in (one for one in references if "\x00" not in one):
        found |= Q(entity=reference) | Q(entity__startswith=f"{reference}/")
        kind, _, name = reference.partition("/")
        if kind == "Patient":
            found |= Q(patient__fhir_id=name)
        elif kind in _ALERT_TYPES:
            found |= Q(entity=f"Alert/{name}")
    return found


def _within(low_ms: int | None, high_ms: int | None) -> Q:
    within = Q(pk__isnull=False)
    if low_ms is not None:
        within &= Q(at__gte=_moment(low_ms))
    if high_ms is not None:
        within &= Q(at__lt=_moment(high_ms))
    return within


def _moment(ms: int) -> datetime:
    """Times beyond the calendar are its ends."""
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if ms < 0 else datetime(9999, 12, 31, tzinfo=UTC)


def _said(row: AuditEvent) -> AuditSaid:
    return AuditSaid(
        row.pk,
        row.at,
        row.actor_kind,
        row.actor_name,
        row.action,
        row.entity,
        row.outcome,
        row.request_id,
        row.patient_id,
        row.patient.fhir_id if row.patient else "",
    )
