"""Everyone on a person's board in the order of need: the little of each patient that sorting and filtering take.

Two queries and plain columns, because a lead may have ten thousand patients: what only a page shows is read by
`careteam` for the rows of that page.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet, TextField
from django.db.models.functions import Cast

from recovery.models import Alert, Episode
from recovery.selectors.alerts import SEVERITY_RANK
from recovery.selectors.briefs import STATES, Brief, briefs_of
from recovery.selectors.plain_rows import plain_rows

# Lanes of open alerts, by kind: what the person's body says, nothing arriving at all, and data or model in doubt.
LANES = {
    "clinical": ("physiological", "behavioural"),
    "silent": ("data_stopped",),
    "doubt": ("device_fault", "model_uncertain"),
}
OWNERS = ("mine", "nobody", "somebody")
_LANE_OF = {kind: lane for lane, kinds in LANES.items() for kind in kinds}
_OPEN = str(Alert.Status.OPEN)
_STATE_RANK = {state: place for place, state in enumerate(STATES)}
_Urgency = tuple[int, datetime]  # rank of the gravest alert, and since when
_CALM = (9, datetime.max.replace(tzinfo=UTC))  # no alert is as little grave

NOW_SAID = ("now_said__id", "id", "made")
EPISODE_COLUMNS = (
    "procedure",
    "team__key",
    "team__name",
    "surgeon_key",
    "surgeon",
    "patient__family_name",
    "patient__given_name",
)
NOTHING_SAID = Brief(None, "no_data", 0.0)


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

    @property
    def asks_for_days(self) -> bool:
        return self.first_day is not None or self.last_day is not None


@dataclass(frozen=True, slots=True)
class Everyone:
    """The little of each episode, column by column: what its snapshot says in brief (selectors.briefs), then
    EPISODE_COLUMNS. A place is the same episode in every column.

    Not an object each: what a page does not keep, the garbage collector should not walk ten thousand times.
    `surgery_ends`: empty where no filter asks for days.
    """

    ids: Sequence[int]
    said: Sequence[Brief]
    procedures: Sequence[str]
    wards: Sequence[str | None]
    ward_names: Sequence[str | None]
    surgeons: Sequence[str]
    surgeon_names: Sequence[str]
    family_names: Sequence[str]
    given_names: Sequence[str]
    surgery_ends: Sequence[datetime | None] = ()


# The little of one unresolved alert, as STANDING_COLUMNS.
Standing = tuple[int, str, str, str, datetime, int | None]
STANDING_COLUMNS = ("episode_id", "kind", "severity", "status", "raised_at", "owner_id")


@dataclass(frozen=True, slots=True)
class Question:
    """A filter with all that answering it for one row takes."""

    wanted: BoardFilter
    user_id: int
    now: datetime
    before: Mapping[int, str]  # the state in which the last visit showed each episode
    since: datetime | None  # end of the last visit


def with_current_snapshot(episodes: QuerySet[Episode]) -> Any:  # mypy knows no relation made by annotate
    """Each episode with its current snapshot as `now_said`; an episode without one has no such attribute."""
    return episodes.annotate(now_said=FilteredRelation("snapshots", condition=Q(snapshots__current=True)))


def listed(episodes: QuerySet[Episode], with_days: bool = False) -> Everyone:
    """In no order; `with_days`: with their `surgery_ends`. One query, and one for snapshots that this process has not
    read yet.

    Of ten thousand moments only their being the same as before is asked: they are read as text.
    """
    asked = with_current_snapshot(episodes).annotate(made=Cast("now_said__made_at", TextField()))
    columns = (*NOW_SAID, *EPISODE_COLUMNS)
    rows = list(asked.values_list(*columns, "surgery_end")) if with_days else plain_rows(asked.values_list(*columns))
    snapshots, ids, made, *others = zip(*rows, strict=True) if rows else [()] * len(columns)
    briefs = briefs_of(one for one in zip(snapshots, ids, made, strict=True) if one[0] is not None)
    return Everyone(ids, [briefs.get(pk, NOTHING_SAID) for pk in ids], *others)


def standing_alerts(episodes: QuerySet[Episode]) -> list[Standing]:
    """The unresolved ones, in no order."""
    unresolved = Alert.objects.filter(episode__in=episodes).exclude(status=Alert.Status.RESOLVED).order_by()
    return list(unresolved.values_list(*STANDING_COLUMNS))


def fitting(everyone: Everyone, alerts: Iterable[Standing], question: Question) -> Sequence[int]:
    """Places of those who fit the filter, in no order."""
    wanted, ids = question.wanted, everyone.ids
    places: Sequence[int] = range(len(ids))
    if wanted.state:
        places = [place for place in places if everyone.said[place].state == wanted.state]
    for value, column in (
        (wanted.procedure, everyone.procedures),
        (wanted.ward, everyone.wards),
        (wanted.surgeon, everyone.surgeons),
    ):
        if value:
            places = [place for place in places if column[place] == value]
    if wanted.asks_for_days:
        places = [place for place in places if _is_of_days(everyone.surgery_ends[place], question)]
    for found in _asked_of_alerts(everyone, alerts, question):
        places = [place for place in places if ids[place] in found]
    return places


def _asked_of_alerts(everyone: Everyone, alerts: Iterable[Standing], question: Question) -> Iterator[set[int]]:
    """For each thing that the filter asks about alerts, the ids of episodes of which it holds."""
    wanted = question.wanted
    if wanted.lane:
        yield {alert[0] for alert in alerts if _LANE_OF.get(alert[1]) == wanted.lane}
    if wanted.owner:
        yield {alert[0] for alert in alerts if _is_owned(alert[5], wanted.owner, question.user_id)}
    if wanted.changed:
        yield changed_ones(everyone, alerts, question)


def ranked(
    everyone: Everyone, chosen: Iterable[int], alerts: Iterable[Standing], first: int = 0, last: int = sys.maxsize
) -> list[int]:
    """Ids of those at the `chosen` places, who needs someone first: of that order, from `first` to before `last`.

    Equally urgent ones are put in order among themselves only where they are asked for: a page is fifty of thousands.
    """
    urgency, ids, said = _urgency(alerts), everyone.ids, everyone.said
    alike: dict[tuple[_Urgency, int], list[int]] = {}
    for place in chosen:
        alike.setdefault((urgency.get(ids[place], _CALM), _STATE_RANK[said[place].state]), []).append(place)
    found: list[int] = []
    passed = 0
    for those in (alike[key] for key in sorted(alike)):
        if passed < last and passed + len(those) > first:
            found += sorted(those, key=lambda place: _need_among_alike(everyone, place))[
                max(first - passed, 0) : last - passed
            ]
        passed += len(those)
    return [ids[place] for place in found]


def ids_by_state(everyone: Everyone) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {state: [] for state in STATES}
    for pk, said in zip(everyone.ids, everyone.said, strict=True):
        found[said.state].append(pk)
    return found


def counts_by_lane(alerts: Sequence[Standing]) -> dict[str, int]:
    """Patients with such an alert."""
    return {lane: len({alert[0] for alert in alerts if alert[1] in kinds}) for lane, kinds in LANES.items()}


def changed_ones(everyone: Everyone, alerts: Iterable[Standing], question: Question) -> set[int]:
    """Ids of those in another state than the last visit showed, new patients, and those with a new alert; of none when
    there was no visit."""
    since, before = question.since, question.before
    if since is None:
        return set()
    alerted = {alert[0] for alert in alerts if alert[4] > since}
    every = zip(everyone.ids, everyone.said, strict=True)
    return {pk for pk, said in every if before.get(pk) != said.state or pk in alerted}


def _is_of_days(end: datetime | None, question: Question) -> bool:
    if end is None:
        return False
    first, last, day = question.wanted.first_day, question.wanted.last_day, (question.now - end).days
    return (first is None or day >= first) and (last is None or day <= last)


def _is_owned(owner_id: int | None, owner: str, user_id: int) -> bool:
    """Whether an alert is mine, somebody's, or (nobody) has no owner."""
    return owner_id == user_id if owner == "mine" else (owner_id is None) == (owner == "nobody")


def _need_among_alike(everyone: Everyone, place: int) -> tuple[float, str, str, int]:
    """Of those whose gravest alert and state are the same, the upper bound of risk decides.

    The upper bound and not the middle, because not knowing is a reason to look.
    """
    names = everyone.family_names[place], everyone.given_names[place]
    return -everyone.said[place].upper, *names, everyone.ids[place]


def _urgency(alerts: Iterable[Standing]) -> dict[int, _Urgency]:
    """By episode id, its gravest unanswered alert and how long it has waited. An alert that someone has acknowledged or
    snoozed ranks after every unanswered one."""
    found: dict[int, _Urgency] = {}
    for pk, _, severity, status, raised_at, _ in alerts:
        gravity = SEVERITY_RANK.get(severity, 3) + (0 if status == _OPEN else 4), raised_at
        if gravity < found.get(pk, _CALM):
            found[pk] = gravity
    return found
