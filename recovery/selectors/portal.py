"""The patient's own page: the same snapshot as the clinician's chart, read by its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from recovery.exceptions import NotFound
from recovery.models import Alert, Episode, User
from recovery.permissions import visible_episodes
from recovery.selectors.careteam import FOLLOWED, current_snapshots
from recovery.selectors.people import Operation, Person, operation_of, person_of
from recovery.selectors.snapshot import Said
from recovery.selectors.timeline import Observed, observed


@dataclass(frozen=True, slots=True)
class OwnPage:
    """`team_is_on_it`: an open alert exists, and whether someone has taken it."""

    patient_id: int
    person: Person
    operation: Operation
    said: Said | None
    observed: Mapping[str, Observed]
    team_has_alert: bool
    team_has_answered: bool


def own_page(user: User, now: datetime) -> OwnPage:
    """The newest followed episode of this patient. Raises NotFound when this person is nobody's patient here."""
    mine = visible_episodes(user, now).select_related("patient", "team") if user.role == User.Role.PATIENT else None
    episode = _newest(list(mine)) if mine is not None else None
    if episode is None:
        raise NotFound("There is no recovery to show for you here. Please ask your care team.")
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


def _newest(episodes: list[Episode]) -> Episode | None:
    """Followed episodes before finished ones, later operations first."""
    return max(
        episodes,
        key=lambda one: (one.status in FOLLOWED, one.surgery_end.timestamp() if one.surgery_end else 0.0, one.pk),
        default=None,
    )
