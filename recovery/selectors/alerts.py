"""Alerts as pages show them: what, since when, why, who has it, and what happened so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When

from recovery.exceptions import NotFound
from recovery.models import Alert, AlertTransition, Episode, User
from recovery.permissions import visible_alerts
from recovery.selectors.people import Operation, Person, operation_of, person_of

PAGE_ROWS = 50
SEVERITY_RANK = {"high": 0, "medium": 1, "low": 2}
VIEWS = ("unanswered", "mine", "acknowledged", "snoozed", "resolved", "all")


@dataclass(frozen=True, slots=True)
class Step:
    """One change of status: who did it, when, and why."""

    at: datetime
    to_status: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertSeen:
    key: UUID
    version: int
    kind: str
    severity: str
    status: str
    headline: str
    because: tuple[str, ...]
    suggestions: tuple[str, ...]
    raised_at: datetime
    last_hit_at: datetime
    hits: int
    snoozed_until: datetime | None
    resolved_at: datetime | None
    outcome: str
    owner: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class AlertOfPatient:
    alert: AlertSeen
    person: Person
    operation: Operation


@dataclass(frozen=True, slots=True)
class Inbox:
    rows: tuple[AlertOfPatient, ...]
    view: str
    counts: dict[str, int]
    total: int
    page: int
    pages: int


def inbox(user: User, now: datetime, view: str = "unanswered", page: int = 1) -> Inbox:
    """One page of the alerts this person may see; an unknown view is the unanswered one."""
    view = view if view in VIEWS else "unanswered"
    everything = visible_alerts(user, now)
    counts = everything.aggregate(**{name: Count("id", filter=_of_view(name, user)) for name in VIEWS})
    found, total = everything.filter(_of_view(view, user)), counts[view]
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(page, 1), pages)
    part = _sorted(found)[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    rows = tuple(
        AlertOfPatient(alert_seen(alert), person_of(alert.episode.patient), operation_of(alert.episode))
        for alert in _with_steps(part).select_related("episode__patient", "episode__team", "owner")
    )
    return Inbox(rows, view, counts, total, page, pages)


def alerts_of(episode: Episode) -> tuple[AlertSeen, ...]:
    """Unresolved alerts of one episode, gravest and longest waiting first."""
    open_ones = Alert.objects.filter(episode=episode).exclude(status=Alert.Status.RESOLVED)
    return tuple(alert_seen(alert) for alert in _with_steps(_sorted(open_ones)).select_related("owner"))


def unresolved_by_episode(episode_ids: Iterable[int]) -> dict[int, list[Alert]]:
    """Unresolved alerts per episode id, gravest first; no steps (for lists)."""
    found: dict[int, list[Alert]] = {}
    unresolved = Alert.objects.filter(episode_id__in=episode_ids).exclude(status=Alert.Status.RESOLVED)
    for alert in _sorted(unresolved).select_related("owner"):
        found.setdefault(alert.episode_id, []).append(alert)
    return found


def find_alert(user: User, key: UUID, now: datetime) -> Alert:
    """The alert, if this person may see it; raises NotFound otherwise."""
    found = visible_alerts(user, now).select_related("episode__patient").filter(key=key).first()
    if found is None:
        raise NotFound("There is no such alert, or it is not one of yours.")
    return found


def alert_seen(alert: Alert, *, with_steps: bool = True) -> AlertSeen:
    return AlertSeen(
        key=alert.key,
        version=alert.version,
        kind=alert.kind,
        severity=alert.severity,
        status=alert.status,
        headline=alert.headline,
        because=tuple(_sentence(fact) for fact in alert.because or ()),
        suggestions=tuple(str(step) for step in alert.steps or ()),
        raised_at=alert.raised_at,
        last_hit_at=alert.last_hit_at,
        hits=alert.hits,
        snoozed_until=alert.snoozed_until,
        resolved_at=alert.resolved_at,
        outcome=alert.outcome,
        owner=_display_name(alert.owner),
        steps=tuple(_step(row) for row in alert.transitions.all()) if with_steps else (),
    )


def _sentence(fact: Any) -> str:
    """A fact is stored with its sentence beside its numbers."""
    return str(fact.get("text", "")) if isinstance(fact, dict) else str(fact)


def _step(row: AlertTransition) -> Step:
    return Step(row.at, row.to_status, row.actor_name, row.reason)


def _display_name(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def _of_view(view: str, user: User) -> Q:
    if view == "unanswered":
        return Q(status=Alert.Status.OPEN)
    if view == "mine":
        return Q(owner=user) & ~Q(status=Alert.Status.RESOLVED)
    return Q() if view == "all" else Q(status=view)


def _sorted(found: QuerySet[Alert]) -> QuerySet[Alert]:
    rank = Case(
        *(When(severity=name, then=Value(place)) for name, place in SEVERITY_RANK.items()),
        default=Value(9),
        output_field=IntegerField(),
    )
    return found.annotate(rank=rank).order_by("rank", "raised_at", "id")


def _with_steps(found: QuerySet[Alert]) -> QuerySet[Alert]:
    return found.prefetch_related(Prefetch("transitions", AlertTransition.objects.order_by("at", "id")))
