"""One patient's page: the current snapshot, what was measured, open alerts, and what changed since the last look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.db.models.fields.json import KT

from recovery.models import AuditEvent, Episode, LiveEvent, Snapshot, User
from recovery.selectors.alerts import AlertSeen, alerts_of
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.people import Operation, Person, find_episode, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.timeline import Observed, observed


@dataclass(frozen=True, slots=True)
class LastLook:
    """When this person opened the page before, and the state that it showed then (blank: nothing was computed)."""

    at: datetime
    state: str


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
    later: Mapping[str, Observed] = field(default_factory=dict)


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
    )


def said_of(episode: Episode) -> Said | None:
    """The current snapshot; None before the first."""
    return current_snapshots(Q(episode=episode)).get(episode.pk)


def last_look(user: User, episode: Episode, now: datetime) -> LastLook | None:
    """From the audit trail: the newest full view of this page by this person before `now`."""
    seen = (
        AuditEvent.objects.filter(
            patient_id=episode.patient_id, actor_kind="user", actor_id=user.pk, action="view_patient", at__lt=now
        )
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    if seen is None:
        return None
    then = Snapshot.objects.filter(episode=episode, made_at__lte=seen).order_by("-hour")
    return LastLook(seen, then.values_list(KT("content__state"), flat=True).first() or "")
