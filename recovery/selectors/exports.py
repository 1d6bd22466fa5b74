"""Bulk exports as their askers see them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from recovery.models import Export


@dataclass(frozen=True, slots=True)
class ExportSeen:
    """`output`: files as {type, name, count, kind}. `status` as models.Export.Status.

    `scopes`: those it was asked with. `types`: what it tells.
    """

    key: UUID
    kind: str
    status: str
    request: str
    transaction_time: datetime
    progress: int
    words: str
    created_at: datetime
    expires_at: datetime | None
    output: list[dict[str, Any]] = field(default_factory=list)
    scopes: str = ""
    types: tuple[str, ...] = ()


def export_of(key: UUID, connection_id: int) -> ExportSeen | None:
    """The export of that key if that system asked for it, and it was neither cancelled nor has expired."""
    row = Export.objects.filter(key=key, connection_id=connection_id).exclude(status=Export.Status.CANCELLED).first()
    if row is None:
        return None
    return ExportSeen(
        row.key,
        row.kind,
        row.status,
        row.request,
        row.transaction_time,
        row.progress,
        row.words,
        row.created_at,
        row.expires_at,
        list(row.output),
        row.scopes,
        tuple(row.wanted.get("types", ())),
    )
