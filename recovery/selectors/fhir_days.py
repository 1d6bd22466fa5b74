"""What the twin said on each postoperative day: the last snapshot of the day, as the FHIR door reads it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from recovery.models import Snapshot
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot

DAY = timedelta(days=1)
# Days before surgery that a place in the list has room for (readings count from 28 days before), and all days.
DAYS_BEFORE, DAYS_OF_AN_EPISODE = 64, 1024


@dataclass(frozen=True, slots=True)
class DaySaid:
    """The last snapshot of postoperative day `day` of an episode; `starts_at`: where the day begins.

    `place` orders days by episode, then day. `is_over`: a later day has a snapshot, so this one will not change.
    """

    place: int
    day: int
    starts_at: datetime
    is_over: bool
    episode_key: UUID
    procedure_id: str
    patient_id: int
    patient_fhir_id: str
    said: Said


@dataclass(frozen=True, slots=True)
class _Mark:
    """Which snapshot is the last of a day."""

    place: int
    day: int
    row_id: int


def days_said(
    *,
    patients: Sequence[str] | None = None,
    key: UUID | None = None,
    day: int | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[DaySaid]:
    """By place beyond `after`; of these patients (FHIR ids), of one episode, or one day of it."""
    rows = Snapshot.objects.filter(episode__patient__deleted_at__isnull=True, episode__surgery_end__isnull=False)
    rows = rows.filter(episode_id__gte=after // DAYS_OF_AN_EPISODE)
    if patients is not None:
        rows = rows.filter(episode__patient__fhir_id__in=patients)
    if key is not None:
        rows = rows.filter(episode__key=key)
    stamps = rows.values_list("episode_id", "pk", "made_at", "episode__surgery_end").order_by("episode_id", "hour")
    marks = _last_of_days(
        _with_day(stamps.iterator(chunk_size=2_000)), after, limit if day is None else DAYS_OF_AN_EPISODE
    )
    wanted = [mark for mark in marks if day is None or mark.day == day]
    flagged = Snapshot.objects.select_related("episode__patient").annotate(**sealed_flags("episode__patient_id"))
    found = flagged.in_bulk([mark.row_id for mark in wanted])
    newest = _newest_days({row.episode_id for row in found.values()})
    return [_said(mark, found[mark.row_id], newest) for mark in wanted if mark.row_id in found]


def _with_day(stamps: Iterable[tuple[int, int, datetime, datetime | None]]) -> Iterable[tuple[int, int, int]]:
    """(episode, snapshot, postoperative day) of those in the days that a list has room for."""
    for episode_id, row_id, made_at, surgery_end in stamps:
        day = (made_at - surgery_end) // DAY if surgery_end else -DAYS_BEFORE - 1
        if -DAYS_BEFORE <= day < DAYS_OF_AN_EPISODE - DAYS_BEFORE:
            yield episode_id, row_id, day


def _last_of_days(stamps: Iterable[tuple[int, int, int]], after: int, limit: int) -> list[_Mark]:
    """One mark per episode and day: stamps come by episode and time, so the last of a place wins."""
    found: dict[int, _Mark] = {}
    for episode_id, row_id, day in stamps:
        place = episode_id * DAYS_OF_AN_EPISODE + day + DAYS_BEFORE
        if place > after and place not in found and len(found) >= limit:
            break
        if place > after:
            found[place] = _Mark(place, day, row_id)
    return list(found.values())


def _newest_days(episodes: Iterable[int]) -> dict[int, int]:
    rows = Snapshot.objects.filter(current=True, episode_id__in=list(episodes))
    stamps = rows.values_list("episode_id", "pk", "made_at", "episode__surgery_end")
    return {episode_id: day for episode_id, _, day in _with_day(stamps)}


def _said(mark: _Mark, row: Snapshot, newest: dict[int, int]) -> DaySaid:
    episode = row.episode
    said = read_snapshot(
        without_sealed(row.content, row),
        made_at=row.made_at,
        data_until=row.data_until,
        model_version=row.model_version,
    )
    return DaySaid(
        place=mark.place,
        day=mark.day,
        starts_at=episode.day_zero + mark.day * DAY,
        is_over=newest.get(episode.pk, mark.day) > mark.day,
        episode_key=episode.key,
        procedure_id=episode.fhir_id,
        patient_id=episode.patient_id,
        patient_fhir_id=episode.patient.fhir_id,
        said=said,
    )
