"""What happened to the documents of one type: every version and deletion, newest first, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from recovery.models import Document, DocumentVersion
from recovery.selectors.fhir_store import StoredDocument, old_version, stored

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# Where a version stands: time of change in microseconds, document, version.
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    type: str
    since: datetime | None = None
    before: Place | None = None
    limit: int = 100


def type_history(query: HistoryQuery) -> list[tuple[Place, StoredDocument]]:
    """Up to `limit` versions before `before`. Nothing repeats while others write: new versions come in front."""
    current = Document.objects.filter(type=query.type).filter(_window(query, "pk"))
    older = DocumentVersion.objects.filter(document__type=query.type).filter(_window(query, "document_id"))
    order = ("-updated_at", "-document_id", "-version")
    found = [stored(row) for row in current.order_by("-updated_at", "-pk", "-version")[: query.limit]]
    found += [
        old_version(row.document, row) for row in older.select_related("document").order_by(*order)[: query.limit]
    ]
    placed = sorted(((_place(one), one) for one in found), key=lambda item: item[0], reverse=True)
    return placed[: query.limit]


def count_type_history(query: HistoryQuery) -> int:
    current = Document.objects.filter(type=query.type).filter(_since(query))
    older = DocumentVersion.objects.filter(document__type=query.type).filter(_since(query))
    return current.count() + older.count()


def _place(one: StoredDocument) -> Place:
    return (one.updated_at - _EPOCH) // _MICROSECOND, one.row_id, one.version


def _since(query: HistoryQuery) -> Q:
    return Q() if query.since is None else Q(updated_at__gte=query.since)


def _window(query: HistoryQuery, row: str) -> Q:
    window = _since(query)
    if query.before is not None:
        at, row_id, version = query.before
        moment = _EPOCH + at * _MICROSECOND
        before = Q(updated_at__lt=moment) | Q(updated_at=moment, **{f"{row}__lt": row_id})
        window &= before | Q(updated_at=moment, **{row: row_id}, version__lt=version)
    return window
