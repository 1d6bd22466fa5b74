"""Alerts as pages show them: what, since when, why, who has it, and what happened so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Prefetch, QuerySet, Value, When

from recovery.exceptions import NotFound
from recovery.models import Alert, AlertTransition, Episode, User
from recovery.permissions import visible_alerts
from recovery.wake import Wake, wake_of

SEVERITY_RANK = {"high": 0, "medium": 1, "low": 2}
# Columns of an alert that a line in a list shows, as AlertSeen names them.
LINE = (
    "key",
    "version",
    "kind",
    "severity",
    "status",
    "headline",
    "raised_at",
    "last_hit_at",
    "hits",
    "snoozed_until",
    "resolved_at",
    "outcome",
    "cause",
    "due_at",
    "wake",
    "owner_id",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who did it, when, and why. `action` is blank for what was written before actions were kept."""

    at: datetime
    to_status: str
    actor: str
    reason: str
    action: str = ""
    from_status: str = ""


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
    cause: str = ""
    due_at: datetime | None = None
    wake: Wake | None = None
    owner_id: int | None = None


def alerts_of(episode: Episode) -> tuple[AlertSeen, ...]:
    """Unresolved alerts of one episode, gravest and longest waiting first."""
    open_ones = Alert.objects.filter(episode=episode).exclude(status=Alert.Status.RESOLVED)
    return tuple(alert_seen(alert) for alert in with_steps(sorted_by_gravity(open_ones)).select_related("owner"))


def unresolved_by_episode(episode_ids: Iterable[int]) -> dict[int, list[AlertSeen]]:
    """Unresolved alerts per episode id, gravest first; no steps and no facts (for lists)."""
    found: dict[int, list[AlertSeen]] = {}
    for pk, *said in _unresolved_lines().filter(episode_id__in=episode_ids):
        found.setdefault(pk, []).append(_line_seen(*said))
    return found


@cache
def _unresolved_lines() -> QuerySet[Alert, Any]:
    """Not read itself: a board asks this of other episodes each time, and building the question costs as much."""
    unresolved = Alert.objects.exclude(status=Alert.Status.RESOLVED)
    owner = ("owner__first_name", "owner__last_name", "owner__username")
    return sorted_by_gravity(unresolved).values_list("episode_id", *owner, *LINE)


def _line_seen(first: str | None, last: str | None, username: str | None, *line: Any) -> AlertSeen:
    """From the owner's names and the columns of LINE."""
    said = dict(zip(LINE, line, strict=True))
    wake, due_at, status = said.pop("wake"), said.pop("due_at"), said["status"]
    return AlertSeen(
        **said,
        because=(),
        suggestions=(),
        steps=(),
        owner=f"{first or ''} {last or ''}".strip() or username or "",
        due_at=due_at if status == Alert.Status.OPEN else None,
        wake=wake_of(wake) if status == Alert.Status.SNOOZED else None,
    )


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
        cause=alert.cause,
        due_at=alert.due_at if alert.status == Alert.Status.OPEN else None,
        wake=wake_of(alert.wake) if alert.status == Alert.Status.SNOOZED else None,
        owner_id=alert.owner_id,
    )


def _sentence(fact: Any) -> str:
    """A fact is stored with its sentence beside its numbers."""
    return str(fact.get("text", "")) if isinstance(fact, dict) else str(fact)


def _step(row: AlertTransition) -> Step:
    who = _display_name(row.actor) or row.actor_name
    return Step(row.at, row.to_status, who, row.reason, row.action, row.from_status)


def _display_name(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def sorted_by_gravity(found: QuerySet[Alert], *before: str) -> QuerySet[Alert]:
    """Gravest first, then longest waiting; `before`: what counts more than gravity."""
    rank = Case(
        *(When(severity=name, then=Value(place)) for name, place in SEVERITY_RANK.items()),
        default=Value(9),
        output_field=IntegerField(),
    )
    return found.annotate(rank=rank).order_by(*before, "rank", "raised_at", "id")


def with_steps(found: QuerySet[Alert]) -> QuerySet[Alert]:
    return found.prefetch_related(
        Prefetch("transitions", AlertTransition.objects.select_related("actor").order_by("at", "id"))
    )
