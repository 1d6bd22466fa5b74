"""One patient as known at an earlier time: readings received by then, marks and alerts as they stood, nothing later.

What the twin concluded is `services.looking_back`'s to say; here are the rows around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from recovery.models import Alert, AlertTransition, Episode
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.timeline import Observed, observed

GRAVER = "It has become graver."


@dataclass(frozen=True, slots=True)
class AlertThen:
    """An alert that was not resolved at the time. `owner`: who had taken it by then. `severity`: blank where it has
    become graver since, so that what it was then is not on record."""

    headline: str
    kind: str
    severity: str
    status: str
    raised_at: datetime
    owner: str


@dataclass(frozen=True, slots=True)
class Past:
    """`observed`: what was known then. `later`: what came after, of whatever time, for greying."""

    observed: Mapping[str, Observed]
    later: Mapping[str, Observed]
    alerts: tuple[AlertThen, ...]


def past_of(episode: Episode, at: datetime, now: datetime) -> Past:
    known = observed(episode, at, known_at=at)
    return Past(known, later_than(known, observed(episode, now)), alerts_then(episode, at))


def still_allowed(episode: Episode, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was said then, without the types of data that the patient has withdrawn since: sealed is sealed."""
    flagged = Episode.objects.annotate(**sealed_flags("patient_id")).get(pk=episode.pk)
    return without_sealed(content, flagged)


def later_than(known: Mapping[str, Observed], today: Mapping[str, Observed]) -> dict[str, Observed]:
    """Of each metric, the points of today that were not there, or were not the same, then."""
    found = {}
    for metric, seen in today.items():
        had = set(zip(known[metric].hours, known[metric].values, strict=True)) if metric in known else set()
        new = [pair for pair in zip(seen.hours, seen.values, strict=True) if pair not in had]
        if new:
            hours, values = (tuple(column) for column in zip(*new, strict=True))
            found[metric] = replace(Observed(metric), hours=hours, values=values)
    return found


def alerts_then(episode: Episode, at: datetime) -> tuple[AlertThen, ...]:
    """The alerts raised by then and not yet resolved, longest waiting first."""
    steps = AlertTransition.objects.order_by("at", "id")
    rows = Alert.objects.filter(episode=episode, raised_at__lte=at).order_by("raised_at", "id")
    found = (_then(alert, at) for alert in rows.prefetch_related(Prefetch("transitions", steps)))
    return tuple(one for one in found if one is not None)


def _then(alert: Alert, at: datetime) -> AlertThen | None:
    before = [step for step in alert.transitions.all() if step.at <= at]
    after = [step for step in alert.transitions.all() if step.at > at]
    status = before[-1].to_status if before else "open"
    if status == Alert.Status.RESOLVED:
        return None
    taken = [step.actor_name for step in before if step.to_status == "acknowledged"]
    return AlertThen(
        headline=alert.headline,
        kind=alert.kind,
        severity="" if any(step.reason == GRAVER for step in after) else alert.severity,
        status=status,
        raised_at=alert.raised_at,
        owner=taken[-1] if taken and status != "open" else "",
    )
