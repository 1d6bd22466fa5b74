"""The board: every episode entrusted to this person's teams, those who need someone first.

Two passes, so that the number of queries never grows with the rows: a light one over everyone visible (state, risk
bounds, open alerts) to sort, count and filter, and a full one over the rows of one page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from recovery.models import Alert, Episode, LiveEvent, Snapshot, User
from recovery.permissions import visible_episodes
from recovery.selectors.alerts import SEVERITY_RANK, AlertSeen, alert_seen, unresolved_by_episode
from recovery.selectors.briefs import Brief, briefs_of
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.snapshot import Said, read_snapshot
from recovery.selectors.sparks import Spark, sparks_of

PAGE_ROWS = 50
STATES = ("act", "review", "watch", "on_track", "no_data")
FOLLOWED = (Episode.Status.PLANNED, Episode.Status.ACTIVE)


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What stands in the URL: `state` and `procedure` keys or blank, `search` in name and record number."""

    state: str = ""
    procedure: str = ""
    search: str = ""
    page: int = 1

    @property
    def is_on(self) -> bool:
        return bool(self.state or self.procedure or self.search)


@dataclass(frozen=True, slots=True)
class BoardRow:
    person: Person
    operation: Operation
    said: Said | None
    alerts: tuple[AlertSeen, ...]
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class Board:
    """One page. `counts` are over everyone visible, whatever the filter; `last_event`: where live updates continue."""

    rows: tuple[BoardRow, ...]
    counts: Mapping[str, int]
    procedures: tuple[str, ...]
    everyone: int
    total: int
    page: int
    pages: int
    last_event: int
    last_computed: datetime | None
    filter: BoardFilter = field(default_factory=BoardFilter)


@dataclass(frozen=True, slots=True)
class _Listed:
    """The little of one episode that sorting, counting and filtering need."""

    id: int
    procedure: str
    words: str
    state: str
    upper: float
    made_at: datetime | None


def board(user: User, now: datetime, wanted: BoardFilter | None = None) -> Board:
    wanted = wanted or BoardFilter()
    last_event = LiveEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    listed = _listed(visible_episodes(user, now).filter(status__in=FOLLOWED))
    alerts = unresolved_by_episode([one.id for one in listed])
    found = sorted((one for one in listed if _fits(one, wanted)), key=lambda one: _need(one, alerts.get(one.id, ())))
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = min(max(wanted.page, 1), pages)
    part = [one.id for one in found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]]
    return Board(
        rows=_rows(part, alerts, now),
        counts={state: sum(one.state == state for one in listed) for state in STATES},
        procedures=tuple(sorted({one.procedure for one in listed if one.procedure})),
        everyone=len(listed),
        total=len(found),
        page=page,
        pages=pages,
        last_event=last_event,
        last_computed=max((one.made_at for one in listed if one.made_at), default=None),
        filter=wanted,
    )


def board_row(user: User, key: UUID, now: datetime) -> BoardRow | None:
    """One row, for a live update; None when the episode has left this person's board."""
    found = visible_episodes(user, now).filter(key=key, status__in=FOLLOWED).values_list("id", flat=True)
    ids = list(found)
    return next(iter(_rows(ids, unresolved_by_episode(ids), now)), None)


def _listed(episodes: QuerySet[Episode]) -> list[_Listed]:
    said = briefs_of(episodes)
    people = episodes.values_list(
        "id", "procedure", "patient__given_name", "patient__family_name", "patient__record_number"
    )
    return [_one(row, said.get(row[0])) for row in people]


def _one(row: tuple[Any, ...], brief: Brief | None) -> _Listed:
    pk, procedure, *words = row
    return _Listed(
        id=pk,
        procedure=procedure,
        words=" ".join(words).casefold(),
        state=brief.state if brief and brief.state in STATES else "no_data",
        upper=brief.upper if brief else 0.0,
        made_at=brief.made_at if brief else None,
    )


def _fits(one: _Listed, wanted: BoardFilter) -> bool:
    return (
        (not wanted.state or one.state == wanted.state)
        and (not wanted.procedure or one.procedure == wanted.procedure)
        and all(word in one.words for word in wanted.search.casefold().split())
    )


def _need(one: _Listed, alerts: Iterable[Alert]) -> tuple[Any, ...]:
    """Sort key: gravest unanswered alert, how long it has waited, state, then the upper bound of risk.

    The upper bound and not the middle, because not knowing is a reason to look. An alert that someone has
    acknowledged or snoozed ranks after every unanswered one.
    """
    waiting = [alert for alert in alerts if alert.status == Alert.Status.OPEN]
    held = [alert for alert in alerts if alert.status != Alert.Status.OPEN]
    first = next(iter(waiting + held), None)
    rank = 9 if first is None else SEVERITY_RANK.get(first.severity, 3) + (0 if waiting else 4)
    since = first.raised_at.timestamp() if first else 0.0
    return rank, since, STATES.index(one.state), -one.upper, one.words, one.id


def _rows(ids: list[int], alerts: Mapping[int, list[Alert]], now: datetime) -> tuple[BoardRow, ...]:
    """Full rows of `ids`, in that order: five queries however many rows."""
    episodes = {row.pk: row for row in Episode.objects.filter(id__in=ids).select_related("patient", "team")}
    said = current_snapshots(Q(episode_id__in=ids))
    sparks = sparks_of([episodes[pk] for pk in ids if pk in said], said, now)
    return tuple(
        BoardRow(
            person=person_of(episodes[pk].patient),
            operation=operation_of(episodes[pk]),
            said=said.get(pk),
            alerts=tuple(alert_seen(alert, with_steps=False) for alert in alerts.get(pk, ())),
            spark=sparks.get(pk),
        )
        for pk in ids
    )


def current_snapshots(which: Q) -> dict[int, Said]:
    """The current snapshot of each episode that fits, by episode id."""
    return {
        row.episode_id: read_snapshot(
            without_sealed(row.content, row),
            made_at=row.made_at,
            data_until=row.data_until,
            model_version=row.model_version,
        )
        for row in Snapshot.objects.filter(which, current=True).annotate(**sealed_flags("episode__patient_id"))
    }
