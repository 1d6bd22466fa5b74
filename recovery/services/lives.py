"""Samples that were taken back and are said again: they speak from now on, and their earlier life stays on record.

A Sample's key is the whole reading (ADR 1), so a second life is the same row: what it was before moves to FormerSample,
and "what was known then" still answers truly. What a person has marked as wrong stays silent until they undo it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from recovery.models import Batch, FormerSample, ReadingMark, Sample

Key = tuple[int, int, float, int]  # series, at_ms, value, digits
KEYS_A_QUERY = 200


def speak_again(keys: Iterable[Key], batch: Batch, fhir_id: str | None = None) -> set[Key]:
    """Those of `keys` that had ended speak again, from `batch` on; returned are those that did not stand before."""
    revived: set[Key] = set()
    ended = [(_key(row), row.batch_id, row.ended_batch_id) for row in locked(keys) if row.ended_batch_id is not None]
    silenced = marked(key for key, _, _ in ended)
    for key, began, over in ended:
        if over is None or key in silenced:
            continue
        FormerSample.objects.create(**_fields(key), batch_id=began, ended_batch_id=over)
        changes = {"ended_batch": None, "batch": batch} | ({"fhir_id": fhir_id} if fhir_id else {})
        Sample.objects.filter(**_fields(key)).update(**changes)
        revived.add(key)
    return revived


def locked(keys: Iterable[Key]) -> list[Sample]:
    """The rows of these keys, held until the transaction ends: nobody else takes them back meanwhile."""
    wanted = sorted(set(keys))
    rows: list[Sample] = []
    for start in range(0, len(wanted), KEYS_A_QUERY):
        any_of = Q(pk__in=[])
        for key in wanted[start : start + KEYS_A_QUERY]:
            any_of |= Q(**_fields(key))
        rows += Sample.objects.select_for_update().filter(any_of).order_by("series_id", "at_ms", "value", "digits")
    return rows


def marked(keys: Iterable[Key]) -> set[Key]:
    """Those of `keys` that a person holds for wrong."""
    wanted = set(keys)
    if not wanted:
        return set()
    rows = ReadingMark.objects.filter(
        series_id__in={key[0] for key in wanted}, at_ms__in={key[1] for key in wanted}, undone_at__isnull=True
    )
    return wanted & set(rows.values_list("series_id", "at_ms", "value", "digits"))


def _key(row: Sample) -> Key:
    return row.series_id, row.at_ms, row.value, row.digits


def _fields(key: Key) -> dict[str, float]:
    return dict(zip(("series_id", "at_ms", "value", "digits"), key, strict=True))


def former(
    series_ids: Sequence[int], from_ms: int, until_ms: int, known_at: datetime | None
) -> list[tuple[int, int, float]]:
    """(series, at_ms, value) of earlier lives that were known at `known_at`; none of them is known now."""
    if known_at is None:
        return []
    rows = FormerSample.objects.filter(
        series_id__in=series_ids,
        at_ms__gte=from_ms,
        at_ms__lte=until_ms,
        batch__received_at__lte=known_at,
        ended_batch__received_at__gt=known_at,
    )
    return list(rows.values_list("series_id", "at_ms", "value"))
