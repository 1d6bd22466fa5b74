"""The alert inbox: one page of rows by view, and everything about one alert.

The number of queries never grows with the rows: alerts, counts, snapshots and small charts are asked for once a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from recovery.alert_states import CAN_BE_UNDONE, UNDO_SECONDS
from recovery.exceptions import NotFound
from recovery.models import Alert, Delivery, EscalationStep, Notification, User
from recovery.permissions import visible_alerts
from recovery.selectors.alerts import AlertSeen, alert_seen, sorted_by_gravity, with_steps
from recovery.selectors.careteam import current_rows, current_snapshots
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.roster import Colleague, display_name, team_people
from recovery.selectors.snapshot import Said
from recovery.selectors.sparks import Spark, sparks_of
from recovery.wake import Wake, conditions

PAGE_ROWS = 50
VIEWS = ("team", "mine", "unowned", "snoozed", "resolved", "all")


@dataclass(frozen=True, slots=True)
class AlertOfPatient:
    alert: AlertSeen
    person: Person
    operation: Operation
    spark: Spark | None = None


@dataclass(frozen=True, slots=True)
class Inbox:
    """`cause`: only alerts of this cause; blank: all. `causes`: what can be chosen, with how many of the view."""

    rows: tuple[AlertOfPatient, ...]
    view: str
    cause: str
    causes: tuple[tuple[str, str, int], ...]
    counts: dict[str, int]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline. `kind`: step | seen | told | sent | failed | waiting | due."""

    at: datetime
    kind: str
    who: tuple[str, ...]
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """`people`: whom it can be given to; `would_wake`: what would end a snooze that begins now."""

    of: AlertOfPatient
    timeline: tuple[Happening, ...]
    ahead: tuple[Happening, ...]
    people: tuple[Colleague, ...]
    would_wake: Wake
    may_undo_until: datetime | None
    patient_id: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an open page needs to know to call attention: never more than counts."""

    open: int
    high: int
    unread: int


def inbox(user: User, now: datetime, view: str = "team", page: int = 1, cause: str = "") -> Inbox:
    """One page of the alerts this person may see; an unknown view is the team's."""
    view = view if view in VIEWS else "team"
    everything = visible_alerts(user, now)
    counts = everything.aggregate(**{name: Count("id", filter=of_view(name, user)) for name in VIEWS})
    found = everything.filter(of_view(view, user))
    causes = found.order_by().values_list("cause", "headline").annotate(n=Count("id")).order_by("-n", "cause")
    if cause:
        found = found.filter(cause=cause)
    total = found.count() if cause else counts[view]
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(page, 1), pages)
    part = _in_order(view, found)[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    rows = rows_of(list(part.select_related("episode__patient", "episode__team", "owner")), now)
    return Inbox(rows, view, cause, _once(causes[:60]), counts, total, page, pages)


def _once(found: Any) -> tuple[tuple[str, str, int], ...]:
    """One entry a cause, under its most frequent headline."""
    said: dict[str, tuple[str, str, int]] = {}
    for cause, headline, count in found:
        label, known = said.get(cause, ("", headline, 0))[1:]
        said[cause] = (cause, label, known + count)
    return tuple(said.values())


def _in_order(view: str, found: Any) -> Any:
    """Gravest and longest waiting first, what nobody has before what somebody has; the resolved newest first."""
    if view == "resolved":
        return found.order_by("-resolved_at", "-id")
    return sorted_by_gravity(found, *(["-status"] if view == "team" else []))


def rows_of(alerts: list[Alert], now: datetime, known: Mapping[int, Said] | None = None) -> tuple[AlertOfPatient, ...]:
    """`known`: current snapshots by episode id, where they have been read already."""
    episodes = {alert.episode_id: alert.episode for alert in alerts}
    said = current_rows(Q(episode_id__in=episodes)) if known is None else known
    sparks = sparks_of([one for pk, one in episodes.items() if pk in said], said, now)
    return tuple(
        AlertOfPatient(
            alert_seen(alert, with_steps=False),
            person_of(alert.episode.patient),
            operation_of(alert.episode),
            sparks.get(alert.episode_id),
        )
        for alert in alerts
    )


def of_view(view: str, user: User) -> Q:
    unresolved = ~Q(status=Alert.Status.RESOLVED)
    views = {
        "team": Q(status__in=[Alert.Status.OPEN, Alert.Status.ACKNOWLEDGED]),
        "mine": Q(owner=user) & unresolved,
        "unowned": Q(owner__isnull=True) & unresolved & ~Q(status=Alert.Status.SNOOZED),
        "snoozed": Q(status=Alert.Status.SNOOZED),
        "resolved": Q(status=Alert.Status.RESOLVED),
    }
    return views.get(view, Q())


def pulse(user: User, now: datetime) -> Pulse:
    waiting = visible_alerts(user, now).filter(status=Alert.Status.OPEN)
    counts = waiting.aggregate(open=Count("id"), high=Count("id", filter=Q(severity="high")))
    return Pulse(counts["open"], counts["high"], unread_count(user))


def unread_count(user: User) -> int:
    return Notification.objects.filter(user=user, read_at__isnull=True).count()


def alert_detail(user: User, key: UUID, now: datetime) -> AlertDetail:
    """Raises NotFound where the person may not know of it."""
    found = with_steps(visible_alerts(user, now).filter(key=key))
    alert = found.select_related("episode__patient", "episode__team", "owner").first()
    if alert is None:
        raise NotFound("There is no such alert, or it is not one of yours.")
    known = current_snapshots(Q(episode_id=alert.episode_id))
    (row,) = rows_of([alert], now, known)
    said = known.get(alert.episode_id)
    metrics = {name: {"now": one.now} for name, one in said.metrics.items()} if said else {}
    seen = AlertOfPatient(alert_seen(alert), row.person, row.operation, row.spark)
    return AlertDetail(
        of=seen,
        timeline=_timeline(alert, seen.alert),
        ahead=_ahead(alert),
        people=team_people(alert.episode.team, now),
        would_wake=conditions(alert.kind, {"metrics": metrics}, now),
        may_undo_until=_may_undo_until(alert, user, now),
        patient_id=alert.episode.patient_id,
    )


def _may_undo_until(alert: Alert, user: User, now: datetime) -> datetime | None:
    """Until when this person may take back the last step; None where it is not theirs, or too late."""
    last = alert.transitions.order_by("-id").first()
    if last is None or last.actor_id != user.pk or last.action not in CAN_BE_UNDONE:
        return None
    until = last.at + timedelta(seconds=UNDO_SECONDS)
    return until if now < until else None


def _timeline(alert: Alert, seen: AlertSeen) -> tuple[Happening, ...]:
    """Everything that has happened, oldest first."""
    lines = [Happening(step.at, "step", (step.actor,), _action(step), step.reason) for step in seen.steps]
    if not seen.steps:
        lines.append(Happening(alert.raised_at, "step", ("twinweb",), "raised"))
    if alert.hits > 1:
        lines.append(Happening(alert.last_hit_at, "hits", (), str(alert.hits)))
    lines += [
        Happening(sight.at, "seen", (display_name(sight.user),), "seen")
        for sight in alert.sights.select_related("user").order_by("at", "pk")
    ]
    lines += _notified(alert)
    lines += _delivered(alert)
    return tuple(sorted(lines, key=lambda line: line.at))


def _action(step: Any) -> str:
    """What was done; older rows tell it by their statuses only."""
    return step.action or ("raised" if not step.from_status else "hit" if step.from_status == step.to_status else "set")


def _notified(alert: Alert) -> list[Happening]:
    """In the product: one line for all who were told at once."""
    groups: dict[tuple[datetime, str], list[str]] = {}
    for row in alert.notifications.select_related("user").order_by("at", "pk"):
        names = groups.setdefault((row.at, row.reason), [])
        if display_name(row.user) not in names:
            names.append(display_name(row.user))
    return [Happening(at, "told", tuple(names), reason) for (at, reason), names in groups.items()]


def _delivered(alert: Alert) -> list[Happening]:
    rows = alert.deliveries.exclude(status=Delivery.Status.OFF).select_related("user").order_by("at", "pk")
    return [
        Happening(
            row.sent_at or row.at,
            {"sent": "sent", "dead": "failed"}.get(row.status, "waiting"),
            (display_name(row.user),) if row.user else (),
            row.channel,
            row.cause,
        )
        for row in rows
    ]


def _ahead(alert: Alert) -> tuple[Happening, ...]:
    """What happens if nobody answers."""
    steps = alert.escalations.filter(status=EscalationStep.Status.WAITING).order_by("due_at", "number")
    return tuple(Happening(step.due_at, "due", (), step.to) for step in steps)
