"""The board: every episode entrusted to this person's teams, those who need someone first.

Two passes, so that the number of queries never grows with the rows: a light one over everyone visible (state, risk
bounds, open alerts) to sort, count and filter, and a full one over the rows of one page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import FilteredRelation, Q, QuerySet

from recovery.models import Alert, Episode, Snapshot, User
from recovery.permissions import visible_episodes
from recovery.selectors.alerts import SEVERITY_RANK, AlertSeen, alert_seen, unresolved_by_episode
from recovery.selectors.briefs import Brief, briefs_of
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.desk import Visit
from recovery.selectors.live import newest_event_id
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.snapshot import Said, read_snapshot
from recovery.selectors.sparks import SPARK_DAYS, Spark, sparks_of

PAGE_ROWS = 50
STATES = ("act", "review", "watch", "on_track", "no_data")
FOLLOWED = (Episode.Status.PLANNED, Episode.Status.ACTIVE)


# Lanes of open alerts, by kind: what the person's body says, nothing arriving at all, and data or model in doubt.
LANES = {
    "clinical": ("physiological", "behavioural"),
    "silent": ("data_stopped",),
    "doubt": ("device_fault", "model_uncertain"),
}
OWNERS = ("mine", "nobody", "somebody")


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What stands in the URL, keys or blank; never a name. `first_day`, `last_day`: postoperative days, both ends in.

    `lane`: as LANES; `owner`: as OWNERS, of the alerts that stand; `changed`: since the person's last visit.
    """

    state: str = ""
    lane: str = ""
    ward: str = ""
    surgeon: str = ""
    procedure: str = ""
    owner: str = ""
    first_day: int | None = None
    last_day: int | None = None
    changed: bool = False
    page: int = 1

    @property
    def is_on(self) -> bool:
        return self != BoardFilter(page=self.page)


@dataclass(frozen=True, slots=True)
class BoardRow:
    person: Person
    operation: Operation
    said: Said | None
    alerts: tuple[AlertSeen, ...]
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


@dataclass(frozen=True, slots=True)
class _Listed:
    """The little of one episode that sorting, counting and filtering need."""

    id: int
    procedure: str
    ward: tuple[str, str]
    surgeon: tuple[str, str]
    day: int | None
    words: str
    state: str
    upper: float
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Question:
    """A filter with all that answering it for one row takes."""

    wanted: BoardFilter
    user_id: int
    before: Mapping[int, str]  # the state in which the last visit showed each episode
    since: datetime | None


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
    question = _Question(wanted, user.pk, visit.states, visit.at)
    listed = _listed(visible_episodes(user, now).filter(status__in=FOLLOWED), now)
    alerts = unresolved_by_episode([one.id for one in listed])
    fitting = (one for one in listed if _fits(one, alerts.get(one.id, ()), question))
    found = sorted(fitting, key=lambda one: _need(one, alerts.get(one.id, ())))
    pages = max(1, -(-len(found) // page_rows))
    page = min(max(wanted.page, 1), pages)
    part = [one.id for one in found[(page - 1) * page_rows : page * page_rows]]
    return Board(
        rows=_rows(part, alerts, now, spark_days),
        counts={state: sum(one.state == state for one in listed) for state in STATES},
        lanes={lane: sum(_is_in_lane(alerts.get(one.id, ()), lane) for one in listed) for lane in LANES},
        changed=sum(_has_changed(one, alerts.get(one.id, ()), question) for one in listed),
        since=visit.at,
        wards=tuple(sorted({one.ward for one in listed if one.ward[0]}, key=lambda ward: ward[1])),
        surgeons=tuple(sorted(dict(one.surgeon for one in listed if one.surgeon[0]).items(), key=lambda one: one[1])),
        procedures=tuple(sorted({one.procedure for one in listed if one.procedure})),
        everyone=len(listed),
        total=len(found),
        page=page,
        pages=pages,
        last_event=last_event,
        last_computed=max((one.made_at for one in listed if one.made_at), default=None),
        shown={state: [one.id for one in listed if one.state == state] for state in STATES},
        filter=wanted,
    )


def board_row(user: User, key: UUID, now: datetime, spark_days: int = SPARK_DAYS) -> BoardRow | None:
    """One row, for a live update; None when the episode has left this person's board."""
    found = visible_episodes(user, now).filter(key=key, status__in=FOLLOWED).values_list("id", flat=True)
    ids = list(found)
    return next(iter(_rows(ids, unresolved_by_episode(ids), now, spark_days)), None)


def board_patients(user: User, now: datetime) -> list[tuple[UUID, str, str]]:
    """(episode key, name, procedure as sent) of everyone on the person's board, by name."""
    rows = visible_episodes(user, now).filter(status__in=FOLLOWED).select_related("patient")
    return sorted(((row.key, row.patient.name, row.procedure_text) for row in rows), key=lambda row: row[1].casefold())


def _listed(episodes: QuerySet[Episode], now: datetime) -> list[_Listed]:
    current = FilteredRelation("snapshots", condition=Q(snapshots__current=True))
    rows = list(
        episodes.annotate(now_said=current).values_list(
            "now_said__id",
            "id",
            "now_said__made_at",
            "procedure",
            "team__key",
            "team__name",
            "surgeon_key",
            "surgeon",
            "surgery_end",
            "patient__given_name",
            "patient__family_name",
            "patient__record_number",
        )
    )
    said = briefs_of((row[0], row[1], row[2]) for row in rows if row[0] is not None)
    return [_one(row, said.get(row[1]), now) for row in rows]


def _one(row: tuple[Any, ...], brief: Brief | None, now: datetime) -> _Listed:
    _, pk, _, procedure, ward, ward_name, surgeon_key, surgeon, surgery_end, *words = row
    return _Listed(
        id=pk,
        procedure=procedure,
        ward=(ward or "", ward_name or ""),
        surgeon=(surgeon_key, surgeon),
        day=(now - surgery_end).days if surgery_end else None,
        words=" ".join(words).casefold(),
        state=brief.state if brief and brief.state in STATES else "no_data",
        upper=brief.upper if brief else 0.0,
        made_at=brief.made_at if brief else None,
    )


def _fits(one: _Listed, alerts: Iterable[Alert], question: _Question) -> bool:
    wanted = question.wanted
    return (
        (not wanted.state or one.state == wanted.state)
        and (not wanted.procedure or one.procedure == wanted.procedure)
        and (not wanted.ward or one.ward[0] == wanted.ward)
        and (not wanted.surgeon or one.surgeon[0] == wanted.surgeon)
        and _is_of_days(one.day, wanted)
        and (not wanted.lane or _is_in_lane(alerts, wanted.lane))
        and (not wanted.owner or _is_owned(alerts, wanted.owner, question.user_id))
        and (not wanted.changed or _has_changed(one, alerts, question))
    )


def _is_of_days(day: int | None, wanted: BoardFilter) -> bool:
    if wanted.first_day is None and wanted.last_day is None:
        return True
    if day is None:
        return False
    return (wanted.first_day is None or day >= wanted.first_day) and (wanted.last_day is None or day <= wanted.last_day)


def _is_in_lane(alerts: Iterable[Alert], lane: str) -> bool:
    return any(alert.kind in LANES.get(lane, ()) for alert in alerts)


def _is_owned(alerts: Iterable[Alert], owner: str, user_id: int) -> bool:
    """Whether any alert that stands is mine, somebody's, or (nobody) has no owner."""
    if owner == "mine":
        return any(alert.owner_id == user_id for alert in alerts)
    return any((alert.owner_id is None) == (owner == "nobody") for alert in alerts)


def _has_changed(one: _Listed, alerts: Iterable[Alert], question: _Question) -> bool:
    """Another state than the last visit showed, a new patient, or a new alert; nothing when there was no visit."""
    if question.since is None:
        return False
    since = question.since
    return question.before.get(one.id) != one.state or any(alert.raised_at > since for alert in alerts)


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


def _rows(ids: list[int], alerts: Mapping[int, list[Alert]], now: datetime, spark_days: int) -> tuple[BoardRow, ...]:
    """Full rows of `ids`, in that order: five queries however many rows."""
    episodes = {row.pk: row for row in Episode.objects.filter(id__in=ids).select_related("patient", "team")}
    said = current_snapshots(Q(episode_id__in=ids))
    sparks = sparks_of([episodes[pk] for pk in ids if pk in said], said, now, spark_days)
    return tuple(
        BoardRow(
            person=person_of(episodes[pk].patient),
            operation=operation_of(episodes[pk]),
            said=said.get(pk),
            alerts=tuple(alert_seen(alert, with_steps=False) for alert in alerts.get(pk, ())),
            spark=sparks.get(pk),
            due_at=_due(alerts.get(pk, ())),
        )
        for pk in ids
    )


def _due(alerts: Iterable[Alert]) -> datetime | None:
    waiting = [alert.due_at for alert in alerts if alert.status == Alert.Status.OPEN and alert.due_at is not None]
    return min(waiting, default=None)


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
