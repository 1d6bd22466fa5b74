"""What one shift hands to the next: each patient of the person's teams, and what changed while the shift lasted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.fields.json import KT

from recovery.models import AlertTransition, Episode, Snapshot, User
from recovery.selectors.allergies import Allergies, allergies_of_all
from recovery.selectors.careteam import BoardRow, board
from recovery.selectors.ranking import BoardFilter

MOST_PATIENTS = 300
# A snapshot is made hourly; older than this it does not tell the state at the beginning of a shift.
STATE_WITHIN = timedelta(hours=3)
COLUMNS = ("key", "id", "patient_id")


@dataclass(frozen=True, slots=True)
class Shift:
    """[start, end); `key` as in the address."""

    key: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One change of an alert during the shift."""

    at: datetime
    headline: str
    before: str
    after: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Handed:
    """One patient. `state_before`: at the beginning of the shift; blank when nothing was computed then."""

    row: BoardRow
    state_before: str
    steps: tuple[StepTaken, ...]
    allergies: Allergies


@dataclass(frozen=True, slots=True)
class Handover:
    """`total`: everyone who fits; more than MOST_PATIENTS are not listed, and the page says so."""

    shift: Shift
    wards: tuple[tuple[str, str], ...]
    ward: str
    patients: tuple[Handed, ...]
    total: int


def handover(user: User, shift: Shift, ward: str, now: datetime) -> Handover:
    """The patients of the person's teams (or of the one `ward`), those who need someone first."""
    found = board(user, now, BoardFilter(ward=ward), page_rows=MOST_PATIENTS)
    keys = [row.operation.key for row in found.rows]
    who = {key: (pk, patient) for key, pk, patient in Episode.objects.filter(key__in=keys).values_list(*COLUMNS)}
    ids = [pk for pk, _ in who.values()]
    states, steps = _states(ids, shift.start), _steps(ids, shift, now)
    allergies = allergies_of_all(patient for _, patient in who.values())
    patients = tuple(
        Handed(row, states.get(pk, ""), tuple(steps.get(pk, ())), allergies[patient])
        for row in found.rows
        for pk, patient in (who[row.operation.key],)
    )
    return Handover(shift, found.wards, ward, patients, found.total)


def _states(ids: Iterable[int], at: datetime) -> dict[int, str]:
    rows = Snapshot.objects.filter(episode_id__in=list(ids), made_at__lte=at, made_at__gt=at - STATE_WITHIN)
    return {pk: state or "" for pk, state in rows.order_by("made_at").values_list("episode_id", KT("content__state"))}


def _steps(ids: Iterable[int], shift: Shift, now: datetime) -> dict[int, list[StepTaken]]:
    rows = AlertTransition.objects.filter(
        alert__episode_id__in=list(ids), at__gte=shift.start, at__lt=min(shift.end, now + timedelta(seconds=1))
    ).select_related("alert", "actor")
    found: dict[int, list[StepTaken]] = {}
    for row in rows.order_by("at", "id"):
        found.setdefault(row.alert.episode_id, []).append(step_taken(row))
    return found


def step_taken(row: AlertTransition) -> StepTaken:
    actor = (row.actor.get_full_name() if row.actor else "") or row.actor_name
    return StepTaken(row.at, row.alert.headline, row.from_status, row.to_status, actor, row.reason)
