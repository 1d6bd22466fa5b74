"""One patient's page: the current snapshot, what was measured, open alerts, and what changed since the last look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from recovery.models import AlertTransition, AuditEvent, Episode, LiveEvent, Look, Snapshot, User
from recovery.selectors.alerts import AlertSeen, alerts_of
from recovery.selectors.allergies import Allergies, allergies_of
from recovery.selectors.befallen import Befell, befallen
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.consents import sealed_flags, without_sealed
from recovery.selectors.handover import StepTaken, step_taken
from recovery.selectors.people import Operation, Person, find_episode, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.snapshot_json import read_snapshot
from recovery.selectors.timeline import Observed, observed


@dataclass(frozen=True, slots=True)
class LastLook:
    """When this person saw the page before, what it said then (None: nothing was computed), and the steps that alerts
    have taken since, oldest first."""

    at: datetime
    said: Said | None
    steps: tuple[StepTaken, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientPage:
    """`later`: points that were known only after the time of the page (the time machine's). `usual_days`: milestone ->
    the day by which half of people like this one have reached it, None where fewer than half do."""

    patient_id: int
    person: Person
    operation: Operation
    said: Said | None
    observed: Mapping[str, Observed]
    alerts: tuple[AlertSeen, ...]
    last_look: LastLook | None
    last_event: int
    allergies: Allergies
    later: Mapping[str, Observed] = field(default_factory=dict)
    events: tuple[Befell, ...] = ()
    usual_days: Mapping[str, int | None] = field(default_factory=dict)


def patient_page(user: User, key: UUID, now: datetime) -> PatientPage:
    """Raises NotFound for an episode outside this person's relationships."""
    last_event = LiveEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    episode = find_episode(user, key, now)
    standing = _standing(episode)
    return PatientPage(
        patient_id=episode.patient_id,
        person=person_of(episode.patient),
        operation=operation_of(episode),
        said=_read(standing) if standing else None,
        observed=observed(episode, now),
        alerts=alerts_of(episode) if user.is_clinical else (),
        last_look=last_look(user, episode, now),
        last_event=last_event,
        allergies=allergies_of(episode.patient_id),
        events=befallen(episode, now),
        usual_days=usual_days(standing.content) if standing else {},
    )


def _standing(episode: Episode) -> Snapshot | None:
    rows = Snapshot.objects.filter(episode=episode, current=True)
    return rows.annotate(**sealed_flags("episode__patient_id")).first()


def usual_days(content: Mapping[str, Any]) -> dict[str, int | None]:
    """From a snapshot's content; of the milestones of which it says one."""
    return {str(one["key"]): one["usual"] for one in content.get("milestones") or () if "usual" in one}


def said_of(episode: Episode) -> Said | None:
    """The current snapshot; None before the first."""
    return current_snapshots(Q(episode=episode)).get(episode.pk)


def last_look(user: User, episode: Episode, now: datetime) -> LastLook | None:
    """What this person had seen when they left the page; where their browser told no leaving, when they opened it."""
    seen = Look.objects.filter(user=user, episode=episode, at__lt=now).values_list("at", flat=True).first()
    seen = seen or _opened(user, episode, now)
    if seen is None:
        return None
    rows = Snapshot.objects.filter(episode=episode, made_at__lte=seen).annotate(**sealed_flags("episode__patient_id"))
    then = rows.order_by("-hour").first()
    return LastLook(seen, _read(then) if then else None, steps_since(episode, seen) if user.is_clinical else ())


def _opened(user: User, episode: Episode, now: datetime) -> datetime | None:
    """From the audit trail: the newest full view of this page by this person before `now`."""
    views = AuditEvent.objects.filter(
        patient_id=episode.patient_id, actor_kind="user", actor_id=user.pk, action="view_patient", at__lt=now
    )
    return views.order_by("-at").values_list("at", flat=True).first()


def _read(row: Snapshot) -> Said:
    """`row`: with the sealed flags; what the patient withdrew is not read."""
    content = without_sealed(row.content, row)
    return read_snapshot(content, made_at=row.made_at, data_until=row.data_until, model_version=row.model_version)


def steps_since(episode: Episode, since: datetime) -> tuple[StepTaken, ...]:
    rows = AlertTransition.objects.filter(alert__episode=episode, at__gt=since).select_related("alert", "actor")
    return tuple(step_taken(row) for row in rows.order_by("at", "id"))
