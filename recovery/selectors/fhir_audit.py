"""The audit trail as the FHIR door reads it: newest first, by patient, entity and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from recovery.models import AuditEvent, Document, DocumentVersion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An alert is read under these FHIR names; the trail names the alert itself.
_ALERT_TYPES = ("DetectedIssue", "Flag")


@dataclass(frozen=True, slots=True)
class Written:
    """The one document that a delivery brought: Type/id, and what was done: create, update, delete."""

    reference: str
    interaction: str


@dataclass(frozen=True, slots=True)
class AuditSaid:
    """One row of the trail. `written`: of a delivery of a single document, that document."""

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
    detail: Mapping[str, Any] = field(default_factory=dict)
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """`entities`: for each group one of its references (Type/id) must be meant. `windows`: [from, to) in ms, any of
    them; None reaches for ever. `before`: row id of the last one already seen. `ascending`: oldest
    first."""

    patients: Sequence[str] | None = None
    entities: Sequence[Sequence[str]] = ()
    windows: Sequence[tuple[int | None, int | None]] | None = None
    ids: Sequence[int] | None = None
    before: int | None = None
    ascending: bool = False
    limit: int = 100


def audit_said(query: AuditQuery) -> list[AuditSaid]:
    rows = _matching(query)
    if query.before is not None:
        rows = rows.filter(pk__gt=query.before) if query.ascending else rows.filter(pk__lt=query.before)
    page = list(rows.select_related("patient").order_by("pk" if query.ascending else "-pk")[: query.limit])
    written = _written([row.entity for row in page if _is_single(row)])
    return [_said(row, written.get(row.entity)) for row in page]


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
        batches = _batches_of(kind, name)
        if batches:
            found |= Q(entity__in=batches, detail__items=1)
    return found


def _is_single(row: AuditEvent) -> bool:
    return row.action == "ingest" and row.detail.get("items") == 1


def _written(batches: Sequence[str]) -> dict[str, Written]:
    """Batch/id -> the document it brought, where it brought just one."""
    numbers = [int(one.removeprefix("Batch/")) for one in batches if one.removeprefix("Batch/").isdigit()]
    now = Document.objects.filter(batch_id__in=numbers).values_list("batch_id", "type", "fhir_id", "version", "deleted")
    then = DocumentVersion.objects.filter(batch_id__in=numbers)
    older = then.values_list("batch_id", "document__type", "document__fhir_id", "version", "deleted")
    return {
        f"Batch/{batch}": Written(f"{kind}/{name}", _interaction(version, deleted))
        for batch, kind, name, version, deleted in [*now, *older]
    }


def _interaction(version: int, deleted: bool) -> str:
    return "delete" if deleted else ("create" if version == 1 else "update")


def _batches_of(kind: str, name: str) -> list[str]:
    mine = Document.objects.filter(type=kind, fhir_id=name)
    older = DocumentVersion.objects.filter(document__in=mine)
    return [f"Batch/{pk}" for (pk,) in [*mine.values_list("batch_id"), *older.values_list("batch_id")] if pk]


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


def _said(row: AuditEvent, written: Written | None) -> AuditSaid:
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
        row.detail,
        written,
    )
