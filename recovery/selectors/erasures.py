"""Requests to be erased, as an administrator answers them: by the patient's pseudonym and record number, no health."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from recovery.models import ErasureRequest


@dataclass(frozen=True, slots=True)
class ErasureRow:
    key: UUID
    record_number: str
    pseudonym: str
    status: str
    asked_at: datetime
    answered_at: datetime | None
    answered_name: str
    reason: str
    review_on: date | None
    rows_erased: int | None

    @property
    def is_open(self) -> bool:
        return self.status in (ErasureRequest.Status.ASKED, ErasureRequest.Status.HELD)


def erasure_requests(limit: int = 200) -> tuple[ErasureRow, ...]:
    """Those that wait first, the newest of the others after them."""
    rows = ErasureRequest.objects.select_related("patient").order_by("-asked_at")[:limit]
    found = [
        ErasureRow(
            row.key,
            row.patient.record_number,
            str(row.patient.key)[:8],
            row.status,
            row.asked_at,
            row.answered_at,
            row.answered_name,
            row.reason,
            row.review_on,
            row.rows_erased,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: one.status != ErasureRequest.Status.ASKED))
