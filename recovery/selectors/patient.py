"""One patient's page: the current snapshot, what was measured, open alerts, and what changed since the last look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from recovery.models import AlertTransition, AuditEvent, Episode, LiveEvent, Look, Snapshot, User
from recovery.selectors.alerts import AlertSeen, alerts_of
from recovery.selectors.allergies import Allergies, allergies_of
from recovery.selectors.befallen import Befell, befallen
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.consents import sealed_flags
from recovery.selectors.handover import StepTaken, step_taken
from recovery.selectors.people import Operation, Person, find_episode, operation_of, person_of
from recovery.selectors.snapshot import Said, read_snapshot
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
    """`later`: points that were known only after the time of the page (the time machine's)."""

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


def patient_page(user: User, key: UUID, now: datetime) -> PatientPage:
    """Raises NotFound for an episode outside this person's relationships."""
    last_event = LiveEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    episode = find_episode(user, key, now)
    return PatientPage(
        patient_id=episode.patient_id,
        person=person_of(episode.patient),
        operation=operation_of(episode),
        said=said_of(episode),
        observed=observed(episode, now),
        alerts=alerts_of(episode) if user.is_clinical else (),
        last_look=last_look(user, episode, now),
        last_event=last_event,
        allergies=allergies_of(episode.patient_id),
        events=befallen(episode, now),
    )


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
    return read_snapshot(row.content, made_at=row.made_at, data_until=row.data_until, model_version=row.model_version)


def steps_since(episode: Episode, since: datetime) -> tuple[StepTaken, ...]:
    rows = AlertTransition.objects.filter(alert__episode=episode, at__gt=since).select_related("alert", "actor")
    return tuple(step_taken(row) for row in rows.order_by("at", "id"))
