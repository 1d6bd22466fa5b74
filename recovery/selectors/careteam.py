"""The board: every episode entrusted to this person's teams, those who need someone first.

Two passes, so that the number of queries never grows with the rows: a light one over everyone visible (`ranking`) to
sort, count and filter, and a full one over the rows of one page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, When

from recovery.models import Episode, Snapshot, User
from recovery.models.numbers_field import NumbersField
from recovery.permissions import visible_episodes
from recovery.selectors.alerts import AlertSeen, unresolved_by_episode
from recovery.selectors.consents import sealed_flags, withdrew_any, without_sealed
from recovery.selectors.desk import Visit
from recovery.selectors.live import newest_event_id
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.ranking import (
    BoardFilter,
    Question,
    changed_ones,
    counts_by_lane,
    fitting,
    ids_by_state,
    listed,
    ranked,
    standing_alerts,
    with_current_snapshot,
)
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot
from recovery.selectors.sparks import SPARK_DAYS, Spark, sparks_of
from recovery.snapshot_row import for_row

PAGE_ROWS = 50
STAMPS = ("made_at", "data_until", "model_version")
FOLLOWED = (Episode.Status.PLANNED, Episode.Status.ACTIVE)


@dataclass(frozen=True, slots=True)
class BoardRow:
    person: Person
    operation: Operation
    said: Said | None
    alerts: tuple[AlertSeen, ...]  # without steps and facts
    spark: Spark | None
    due_at: datetime | None = None  # by when somebody should have an open alert


@dataclass(frozen=True, slots=True)
class Board:
    """One page. `counts`, `lanes` and `changed` are over everyone visible, whatever the filter; `last_event`: where
    live updates continue; `shown`: state -> ids of everyone visible, for the person's next visit."""

    rows: tuple[BoardRow, ...]
    counts: Mapping[str, int]
    lanes: Mapping[str, int]
    changed: int
    since: datetime | None  # end of the visit before; None: there was none
    procedures: tuple[str, ...]
    wards: tuple[tuple[str, str], ...]
    surgeons: tuple[tuple[str, str], ...]  # key, name
    everyone: int
    total: int
    page: int
    pages: int
    last_event: int
    last_computed: datetime | None
    shown: Mapping[str, list[int]]
    filter: BoardFilter = field(default_factory=BoardFilter)


def board(
    user: User,
    now: datetime,
    wanted: BoardFilter | None = None,
    visit: Visit | None = None,
    page_rows: int = PAGE_ROWS,
    last_event: int | None = None,
    spark_days: int = SPARK_DAYS,
) -> Board:
    """`visit`: what the person saw when they were last here; `last_event`: where live updates go on from (None: looked
    up); both from selectors.desk."""
    wanted, visit = wanted or BoardFilter(), visit or Visit(None, {})
    if last_event is None:
        last_event = newest_event_id()
    question = Question(wanted, user.pk, now, visit.states, visit.at)
    followed = visible_episodes(user, now).filter(status__in=FOLLOWED)
    everyone, standing = listed(followed, wanted.asks_for_days), standing_alerts(followed)
    found = fitting(everyone, standing, question)
    pages = max(1, -(-len(found) // page_rows))
    page = min(max(wanted.page, 1), pages)
    part = ranked(everyone, found, standing, (page - 1) * page_rows, page * page_rows)
    shown = ids_by_state(everyone)
    return Board(
        rows=_rows(part, unresolved_by_episode(part), now, spark_days),
        counts={state: len(ids) for state, ids in shown.items()},
        lanes=counts_by_lane(standing),
        changed=len(changed_ones(everyone, standing, question)),
        since=visit.at,
        wards=_by_name(dict(zip(everyone.wards, everyone.ward_names, strict=True))),
        surgeons=_by_name(dict(zip(everyone.surgeons, everyone.surgeon_names, strict=True))),
        procedures=tuple(sorted(set(everyone.procedures) - {""})),
        everyone=len(everyone.ids),
        total=len(found),
        page=page,
        pages=pages,
        last_event=last_event,
        last_computed=max((said.made_at for said in everyone.said if said.made_at), default=None),
        shown=shown,
        filter=wanted,
    )


def _by_name(names: Mapping[Any, str | None]) -> tuple[tuple[str, str], ...]:
    """What can be chosen, as (key, name), by name."""
    return tuple(sorted(((key, name or "") for key, name in names.items() if key), key=lambda one: one[1]))


def board_row(user: User, key: UUID, now: datetime, spark_days: int = SPARK_DAYS) -> BoardRow | None:
    """One row, for a live update; None when the episode has left this person's board."""
    found = visible_episodes(user, now).filter(key=key, status__in=FOLLOWED).values_list("id", flat=True)
    ids = list(found)
    return next(iter(_rows(ids, unresolved_by_episode(ids), now, spark_days)), None)


def board_patients(user: User, now: datetime) -> list[tuple[UUID, str, str]]:
    """(episode key, name, procedure as sent) of everyone on the person's board, by name."""
    rows = visible_episodes(user, now).filter(status__in=FOLLOWED).select_related("patient")
    return sorted(((row.key, row.patient.name, row.procedure_text) for row in rows), key=lambda row: row[1].casefold())


def _rows(
    ids: list[int], alerts: Mapping[int, list[AlertSeen]], now: datetime, spark_days: int
) -> tuple[BoardRow, ...]:
    """Full rows of `ids`, in that order: three queries however many rows."""
    episodes = {row.pk: row for row in _whole().filter(id__in=ids)}
    said = {pk: _said_in_row(row) for pk, row in episodes.items() if row.made_at is not None}
    sparks = sparks_of([episodes[pk] for pk in ids if pk in said], said, now, spark_days)
    return tuple(
        BoardRow(
            person=person_of(episodes[pk].patient),
            operation=operation_of(episodes[pk]),
            said=said.get(pk),
            alerts=tuple(alerts.get(pk, ())),
            spark=sparks.get(pk),
            due_at=min((alert.due_at for alert in alerts.get(pk, ()) if alert.due_at is not None), default=None),
        )
        for pk in ids
    )


@cache
def _whole() -> Any:
    """Episodes with all that a row shows. Not read itself: a board asks this of other episodes each time, and building
    the question costs as much as its answer."""
    episodes = with_current_snapshot(Episode.objects.all()).annotate(**sealed_flags("patient_id"))
    shown = _shown("now_said__", "patient_id")
    stamps = {name: F(f"now_said__{name}") for name in STAMPS}
    return episodes.annotate(shown=shown, **stamps).select_related("patient", "team")


def current_snapshots(which: Q) -> dict[int, Said]:
    """The current snapshot of each episode that fits, by episode id."""
    return {row.episode_id: _said(row, without_sealed(row.content, row)) for row in _current(which)}


def current_rows(which: Q) -> dict[int, Said]:
    """`current_snapshots`, of each only what a list's row shows."""
    return {
        row.episode_id: _said_in_row(row) for row in _current(which).defer("content", "row").annotate(shown=_shown())
    }


def _current(which: Q) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(which, current=True).annotate(**sealed_flags("episode__patient_id"))


def _shown(path: str = "", patient: str = "episode__patient_id") -> Case:
    """The kept row of the snapshot at `path`; its whole content where none is kept, or where the patient withdrew
    something: the metric to show may be another then. Beside the `sealed_flags`."""
    whole = Q(**{f"{path}row__isnull": True}) | Q(withdrew_any(patient))
    return Case(When(whole, then=F(f"{path}content")), default=F(f"{path}row"), output_field=NumbersField())


def _said_in_row(found: Any) -> Said:
    """`found`: carries what was `_shown`, the STAMPS of the snapshot and the `sealed_flags`."""
    return _said(found, for_row(without_sealed(found.shown, found)))


def _said(snapshot: Any, content: Mapping[str, Any]) -> Said:
    return read_snapshot(
        content, made_at=snapshot.made_at, data_until=snapshot.data_until, model_version=snapshot.model_version
    )
