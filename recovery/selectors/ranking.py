"""Everyone on a person's board in the order of need: the little of each patient that sorting and filtering take.

Two queries and plain tuples, because a lead may have ten thousand patients: what only a page shows is read by
`careteam` for the rows of that page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import FilteredRelation, Q, QuerySet

from recovery.models import Alert, Episode
from recovery.selectors.alerts import SEVERITY_RANK
from recovery.selectors.briefs import STATES, Brief, briefs_of

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


NOW_SAID = ("now_said__id", "id", "now_said__made_at")
EPISODE_COLUMNS = (
    "procedure",
    "team__key",
    "team__name",
    "surgeon_key",
    "surgeon",
    "surgery_end",
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


class Listed(NamedTuple):
    """The little of one episode: what its snapshot says in brief (selectors.briefs), then EPISODE_COLUMNS."""

    id: int
    made_at: datetime | None
    state: str
    upper: float
    procedure: str
    ward: str | None
    ward_name: str | None
    surgeon: str
    surgeon_name: str
    surgery_end: datetime | None
    family_name: str
    given_name: str


class Standing(NamedTuple):
    """The little of one unresolved alert."""

    kind: str
    severity: str
    status: str
    raised_at: datetime
    owner_id: int | None


Alerts = Mapping[int, list[Standing]]  # unresolved ones by episode id, in no order


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


def listed(episodes: QuerySet[Episode]) -> list[Listed]:
    """In no order. One query, and one for snapshots that this process has not read yet."""
    rows = list(with_current_snapshot(episodes).values_list(*NOW_SAID, *EPISODE_COLUMNS))
    said = briefs_of(row[: len(NOW_SAID)] for row in rows if row[0] is not None)
    return [Listed(row[1], *said.get(row[1], NOTHING_SAID), *row[len(NOW_SAID) :]) for row in rows]


def standing_alerts(episodes: QuerySet[Episode]) -> dict[int, list[Standing]]:
    found: dict[int, list[Standing]] = {}
    unresolved = Alert.objects.filter(episode__in=episodes).exclude(status=Alert.Status.RESOLVED).order_by()
    columns = ("episode_id", "kind", "severity", "status", "raised_at", "owner_id")
    for pk, *said in unresolved.values_list(*columns):
        found.setdefault(pk, []).append(Standing._make(said))
    return found


def ranked(everyone: Iterable[Listed], alerts: Alerts, question: Question) -> list[Listed]:
    """Those who fit the filter, who needs someone first."""
    wanted = question.wanted
    chosen = everyone if not wanted.is_on else [one for one in everyone if _fits(one, alerts, question)]
    return sorted(chosen, key=lambda one: _need(one, alerts.get(one.id, ())))


def counts_by_state(everyone: Iterable[Listed]) -> dict[str, int]:
    found = Counter(one.state for one in everyone)
    return {state: found[state] for state in STATES}


def counts_by_lane(alerts: Alerts) -> dict[str, int]:
    """Patients with such an alert."""
    found = Counter(lane for standing in alerts.values() for lane in {_LANE_OF.get(alert.kind) for alert in standing})
    return {lane: found[lane] for lane in LANES}


def changed_ones(everyone: Iterable[Listed], alerts: Alerts, question: Question) -> int:
    return sum(_has_changed(one, alerts, question) for one in everyone) if question.since else 0


def _fits(one: Listed, alerts: Alerts, question: Question) -> bool:
    wanted = question.wanted
    return (
        (not wanted.state or one.state == wanted.state)
        and (not wanted.procedure or one.procedure == wanted.procedure)
        and (not wanted.ward or one.ward == wanted.ward)
        and (not wanted.surgeon or one.surgeon == wanted.surgeon)
        and _is_of_days(one, question)
        and (not wanted.lane or _is_in_lane(alerts.get(one.id, ()), wanted.lane))
        and (not wanted.owner or _is_owned(alerts.get(one.id, ()), wanted.owner, question.user_id))
        and (not wanted.changed or _has_changed(one, alerts, question))
    )


def _is_of_days(one: Listed, question: Question) -> bool:
    first, last = question.wanted.first_day, question.wanted.last_day
    if first is None and last is None:
        return True
    if one.surgery_end is None:
        return False
    day = (question.now - one.surgery_end).days
    return (first is None or day >= first) and (last is None or day <= last)


def _is_in_lane(standing: Iterable[Standing], lane: str) -> bool:
    return any(_LANE_OF.get(alert.kind) == lane for alert in standing)


def _is_owned(standing: Iterable[Standing], owner: str, user_id: int) -> bool:
    """Whether any alert that stands is mine, somebody's, or (nobody) has no owner."""
    if owner == "mine":
        return any(alert.owner_id == user_id for alert in standing)
    return any((alert.owner_id is None) == (owner == "nobody") for alert in standing)


def _has_changed(one: Listed, alerts: Alerts, question: Question) -> bool:
    """Another state than the last visit showed, a new patient, or a new alert; nothing when there was no visit."""
    since = question.since
    if since is None:
        return False
    return question.before.get(one.id) != one.state or any(alert.raised_at > since for alert in alerts.get(one.id, ()))


def _need(one: Listed, standing: Sequence[Standing]) -> tuple[int, float, int, float, str, str, int]:
    """Sort key: gravest unanswered alert, how long it has waited, state, then the upper bound of risk.

    The upper bound and not the middle, because not knowing is a reason to look. An alert that someone has
    acknowledged or snoozed ranks after every unanswered one.
    """
    rank, since = min(map(_gravity, standing)) if standing else (9, 0.0)
    return rank, since, _STATE_RANK[one.state], -one.upper, one.family_name, one.given_name, one.id


def _gravity(alert: Standing) -> tuple[int, float]:
    held = 0 if alert.status == _OPEN else 4
    return SEVERITY_RANK.get(alert.severity, 3) + held, alert.raised_at.timestamp()
