"""Alerts of several patients at once, and whom they can be given to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from recovery.models import Alert, Episode, TeamMembership, User
from recovery.permissions import visible_alerts, visible_episodes
from recovery.selectors.alerts import AlertSeen, alert_seen

MOST = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    alert: AlertSeen
    patient: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A patient to write to. `has_portal`: they can read it; otherwise somebody has to call."""

    key: UUID
    name: str
    has_portal: bool


def patients_to_write_to(user: User, episodes: Iterable[UUID], now: datetime) -> list[Episode]:
    """Of these episodes those the person may see, one of each patient, by name; at most MOST."""
    found = visible_episodes(user, now).filter(key__in=list(episodes)).select_related("patient")
    rows = found.filter(patient__deleted_at__isnull=True, patient__died_at__isnull=True).order_by("pk")
    mine = {row.patient_id: row for row in rows}
    return sorted(mine.values(), key=lambda row: row.patient.name.casefold())[:MOST]


def readers(episodes: Iterable[Episode]) -> list[Reader]:
    return [Reader(row.key, row.patient.name, row.patient.user_id is not None) for row in episodes]


def alerts_to_act_on(
    user: User, episodes: Iterable[UUID], now: datetime, alerts: Iterable[UUID] | None = None
) -> list[Alert]:
    """Unresolved alerts of these episodes (or these alerts) that the person may see, by cause; at most MOST."""
    which = Q(episode__key__in=list(episodes)) if alerts is None else Q(key__in=list(alerts))
    found = visible_alerts(user, now).filter(which).exclude(status=Alert.Status.RESOLVED)
    rows = found.select_related("episode__patient", "episode__team", "owner")
    return list(rows.order_by("cause", "headline", "raised_at", "id")[:MOST])


def chosen(alerts: Iterable[Alert]) -> list[Chosen]:
    return [Chosen(alert_seen(alert, with_steps=False), alert.episode.patient.name) for alert in alerts]


def staff_to_assign(alerts: Sequence[Alert], now: datetime) -> list[tuple[int, str]]:
    """(row id, name) of the care staff who belong to the team of every one of these alerts."""
    teams = {alert.episode.team_id for alert in alerts if alert.episode.team_id is not None}
    current = TeamMembership.objects.filter(team_id__in=teams, since__lte=now, user__is_active=True)
    rows = current.filter(Q(until__isnull=True) | Q(until__gt=now)).select_related("user")
    belongs: dict[int, set[int]] = {}
    people: dict[int, User] = {}
    for row in rows:
        if row.user.is_clinical:
            belongs.setdefault(row.user_id, set()).add(row.team_id)
            people[row.user_id] = row.user
    fit = [people[pk] for pk, mine in belongs.items() if mine == teams]
    return sorted(((one.pk, one.get_full_name() or one.get_username()) for one in fit), key=lambda one: one[1])
