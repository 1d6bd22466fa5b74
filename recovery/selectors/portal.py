"""The patient's own page: the same snapshot as the clinician's chart, read by its owner or whom they let in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from recovery.models import Alert
from recovery.selectors.careteam import current_snapshots
from recovery.selectors.check_ins import episode_of
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.timeline import Observed, observed


@dataclass(frozen=True, slots=True)
class OwnPage:
    """`team_has_alert`: an open alert exists; `team_has_answered`: and someone has taken it."""

    patient_id: int
    person: Person
    operation: Operation
    said: Said | None
    observed: Mapping[str, Observed]
    team_has_alert: bool
    team_has_answered: bool


def own_page(patient_id: int, now: datetime) -> OwnPage:
    """The newest followed episode of this patient. Raises NotFound when there is none."""
    episode = episode_of(patient_id)
    statuses = set(
        Alert.objects.filter(episode=episode).exclude(status=Alert.Status.RESOLVED).values_list("status", flat=True)
    )
    return OwnPage(
        patient_id=episode.patient_id,
        person=person_of(episode.patient),
        operation=operation_of(episode),
        said=current_snapshots(Q(episode=episode)).get(episode.pk),
        observed=observed(episode, now),
        team_has_alert=bool(statuses),
        team_has_answered=bool(statuses) and Alert.Status.OPEN not in statuses,
    )
