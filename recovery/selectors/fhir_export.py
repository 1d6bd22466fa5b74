"""Walking all that stood at one moment, in the order of rows: documents, numbers, packets. Places are keysets.

What changed after the moment is told as it stood then: a document by its version of that time, a reading although it
has ended since. Memory holds one page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.db import connection
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from recovery.consent_rules import CARE
from recovery.models import Document, DocumentIndex, DocumentVersion, ExportMember, Sample, Series, tables_sql
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.selectors.fhir_criteria import CAN_BE_SEALED, is_sealed
from recovery.selectors.fhir_store import StoredDocument, StoredReading, old_version, reading_of_sample, stored

Whose = Literal["all", "patients", "members"]
# at_ms, value, digits, slots, fhir_id, received, whether it was marked as wrong
Number = tuple[int, float, int, str | None, str | None, Any, int]
# at_ms, digest, end_ms, data, slots, fhir_id, received, marked
PacketRow = tuple[int, int, int, str, str | None, str | None, Any, int]
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Extent:
    """What an export tells. `since`: only what changed then or later. `whose`: everything, what belongs to a patient,
    or what belongs to the members of export `export_row`."""

    at: datetime
    since: datetime | None = None
    whose: Whose = "all"
    export_row: int = 0


@dataclass(frozen=True, slots=True)
class SeriesTold:
    row_id: int
    patient_id: int
    template: str


# ---- documents ---


def documents_at(type_name: str, extent: Extent, after: int, limit: int) -> tuple[list[StoredDocument], int | None]:
    """Versions that stood, beyond row `after`, and the row to go on from (None at the end)."""
    standing = Q(updated_at__lte=extent.at, deleted=False) & _since(extent)
    rows = _mine(type_name, extent).filter(standing | Q(updated_at__gt=extent.at), pk__gt=after)
    page = list(rows.order_by("pk")[:limit])
    earlier = _earlier([row for row in page if row.updated_at > extent.at], extent)
    found = [stored(row) if row.updated_at <= extent.at else earlier.get(row.pk) for row in page]
    return [one for one in found if one is not None], page[-1].pk if len(page) == limit else None


def deleted_at(types: Sequence[str], extent: Extent, after: int, limit: int) -> tuple[list[StoredDocument], int | None]:
    """Documents that were deleted between `since` and the moment."""
    rows = Document.objects.filter(type__in=types, deleted=True, updated_at__lte=extent.at, pk__gt=after)
    page = list(_of(rows.filter(_since(extent)), extent).order_by("pk")[:limit])
    return [stored(row) for row in page], page[-1].pk if len(page) == limit else None


def _mine(type_name: str, extent: Extent) -> QuerySet[Document]:
    rows = Document.objects.filter(type=type_name)
    if type_name in CAN_BE_SEALED:
        rows = rows.exclude(is_sealed(type_name))
    if type_name == "Provenance":
        return rows if extent.whose != "members" else rows.filter(pk__in=_provenance_of_members(extent))
    return _of(rows, extent)


def _provenance_of_members(extent: Extent) -> QuerySet[Any, Any]:
    """Of the patients themselves, or of documents in their record: a Provenance has no compartment of its own."""
    theirs = Document.objects.filter(patient_id__in=_members(extent))
    targets = theirs.annotate(said=Concat("type", Value("/"), "fhir_id", output_field=TextField())).values("said")
    rows = DocumentIndex.objects.filter(type="Provenance", param="target", value__in=targets)
    return rows.values("document_id")


def _of(rows: QuerySet[Document], extent: Extent) -> QuerySet[Document]:
    if extent.whose == "patients":
        return rows.filter(patient__isnull=False)
    return rows.filter(patient_id__in=_members(extent)) if extent.whose == "members" else rows


def _members(extent: Extent) -> QuerySet[Any, Any]:
    return ExportMember.objects.filter(export_id=extent.export_row).values("patient_id")


def member_names(extent: Extent) -> list[str]:
    """FHIR ids of the members."""
    rows = ExportMember.objects.filter(export_id=extent.export_row).order_by("patient_id")
    return list(rows.values_list("patient__fhir_id", flat=True))


def _since(extent: Extent) -> Q:
    return Q() if extent.since is None else Q(updated_at__gte=extent.since)


def _earlier(rows: Sequence[Document], extent: Extent) -> Mapping[int, StoredDocument | None]:
    """By document: the version that stood. A reading that became a document later is told as the reading it was."""
    if not rows:
        return {}
    by_row = {row.pk: row for row in rows}
    found: dict[int, StoredDocument | None] = {}
    versions = DocumentVersion.objects.filter(document_id__in=by_row, updated_at__lte=extent.at).order_by("version")
    for old in versions:
        was_reading = old.batch_id is None and by_row[old.document_id].type == "Observation"
        is_told = extent.since is None or old.updated_at >= extent.since
        told = not old.deleted and not was_reading and is_told
        found[old.document_id] = old_version(by_row[old.document_id], old) if told else None
    return found


# ---- readings ---


def series_of(shape: str, extent: Extent, after: int, limit: int) -> list[SeriesTold]:
    """Series of a shape from row `after` on (included), in the order of rows."""
    rows = Series.objects.usable_for(CARE).filter(shape=shape, pk__gte=after, patient__deleted_at__isnull=True)
    if extent.whose == "members":
        rows = rows.filter(patient_id__in=_members(extent))
    return [SeriesTold(*row) for row in rows.order_by("pk").values_list("pk", "patient_id", "template")[:limit]]


def last_series() -> int:
    return Series.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


# What a person has marked as wrong is told as that (`marked`); who undid it said the reading again.
_MARKED = "CASE WHEN b.channel = %s OR (e.channel = %s AND e.received_at <= %s) THEN 1 ELSE 0 END"
_STOOD = (
    " JOIN recovery_batch b ON b.id = m.batch_id LEFT JOIN recovery_batch e ON e.id = m.ended_batch_id"
    " WHERE m.series_id = %s AND (b.received_at <= %s OR b.channel = %s)"
    " AND (b.received_at >= %s OR e.received_at >= %s)"
    " AND (m.ended_batch_id IS NULL OR e.received_at > %s OR e.channel = %s)"
)
_NUMBERS = (
    f"SELECT m.at_ms, m.value, m.digits, m.slots, m.fhir_id, b.received_at, {_MARKED} FROM recovery_sample m"  # noqa: S608
    + _STOOD
    + " AND (m.at_ms, m.value, m.digits) > (%s, %s, %s) ORDER BY m.at_ms, m.value, m.digits LIMIT %s"
)
_PACKETS = (
    f"SELECT m.at_ms, m.digest, m.end_ms, m.data, m.slots, m.fhir_id, b.received_at, {_MARKED} FROM recovery_packet m"  # noqa: S608
    + _STOOD
    + " AND (m.at_ms, m.digest) > (%s, %s) ORDER BY m.at_ms, m.digest LIMIT %s"
)
FIRST_NUMBER = (-(2**62), 0.0, 0)
FIRST_PACKET = (-(2**62), 0)


def numbers_at(series: int, extent: Extent, after: tuple[int, float, int], limit: int) -> list[Number]:
    """Numbers of a series that stood, beyond (at_ms, value, digits)."""
    return tables_sql.run(_NUMBERS, [*_times(series, extent), *after, limit])


def packets_at(series: int, extent: Extent, after: tuple[int, int], limit: int) -> list[PacketRow]:
    """Packets of a series that stood, beyond (at_ms, digest)."""
    return tables_sql.run(_PACKETS, [*_times(series, extent), *after, limit])


def _times(series: int, extent: Extent) -> list[Any]:
    at, since = _moment(extent.at), _moment(extent.since or _LONG_AGO)
    return [MARK_CHANNEL, MARK_CHANNEL, at, series, at, MARK_CHANNEL, since, since, at, MARK_CHANNEL]


def marked_number(series: int, number: Number) -> StoredReading:
    """A reading that was marked as wrong, or said again afterwards, with what has been judged of it."""
    at_ms, value, digits = number[:3]
    rows = Sample.objects.filter(series_id=series, at_ms=at_ms, value=value, digits=digits)
    return reading_of_sample(rows.select_related("series", "batch", "ended_batch").get())


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def received(said: Any) -> datetime:
    """`received` of a row as a time: SQLite gives text."""
    return said if isinstance(said, datetime) else datetime.fromisoformat(f"{said}+00:00")


def is_quiet(since: datetime) -> bool:
    """Whether no transaction is open that began before `since`: what it commits will not be missed. SQLite has one
    writer at a time."""
    if connection.vendor != "postgresql":
        return True
    sql = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start < %s AND backend_type = 'client backend' LIMIT 1"
    )
    return not tables_sql.run(sql, [since])
