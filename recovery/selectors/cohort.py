"""Operations of this person's teams as a cohort: who was followed how long, what happened first, and in which group.

Followed for 30 days from the end of surgery, or until now, death, or the patient's next operation, whichever is first.
Five queries, however many operations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from recovery.consent_rules import IMPROVEMENT, RECORDS
from recovery.models import ConsentDecision, Episode, Finding, User
from recovery.permissions import visible_episodes
from recovery.twin.incidence import NAMED

FOLLOWED_DAYS = 30
MOST_OPERATIONS = 20_000
GROUPINGS = ("procedure", "sex", "age", "team")
AGE_BANDS = ((65, "under 65"), (80, "65 to 79"), (200, "80 and over"))
FIRST_EVENTS = ("complication", *NAMED, "readmission", "death")
FREE, EVENT, RIVAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class CohortFilter:
    """`event`: one of FIRST_EVENTS; `by`: one of GROUPINGS; operations that ended in [since, until)."""

    since: datetime
    until: datetime
    event: str = "complication"
    by: str = "procedure"
    procedure: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Per operation of the group, days followed and what ended it: FREE (still free, or no longer followed), EVENT, or
    RIVAL (death before it). episodes: their row ids, in the same order."""

    name: str
    days: tuple[float, ...]
    ends: tuple[int, ...]
    episodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Groups, the largest first. `cut`: more operations than are counted at once. `synthetic`: of how many patients
    the data are synthetic."""

    groups: tuple[Group, ...]
    operations: int
    procedures: tuple[str, ...]
    synthetic: int
    cut: bool
    filter: CohortFilter = field(repr=False)


class _Row(NamedTuple):
    pk: int
    patient: int
    end: datetime
    discharged: datetime | None
    procedure: str
    team: str | None
    sex: str
    born: date | None
    died: datetime | None
    synthetic: bool


def cohort(user: User, now: datetime, wanted: CohortFilter) -> Cohort:
    """The operations that this person may see, grouped, with what happened to each."""
    seen = visible_episodes(user, now).exclude(status=Episode.Status.CANCELLED).exclude(patient_id__in=said_no())
    inside = seen.filter(surgery_end__gte=wanted.since, surgery_end__lt=min(wanted.until, now))
    procedures = tuple(sorted(set(inside.exclude(procedure="").values_list("procedure", flat=True))))
    if wanted.procedure:
        inside = inside.filter(procedure=wanted.procedure)
    rows = _rows(inside.order_by("-surgery_end", "pk"))
    ends = _ends(rows, wanted.event, now)
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(_group_of(row, wanted.by), []).append(place)
    found = [_group(name, places, rows, ends) for name, places in groups.items()]
    found.sort(key=lambda group: (-len(group.days), group.name))
    return Cohort(
        groups=tuple(found),
        operations=len(rows),
        procedures=procedures,
        synthetic=sum(row.synthetic for row in rows),
        cut=len(rows) == MOST_OPERATIONS,
        filter=wanted,
    )


def said_no() -> QuerySet[ConsentDecision, Any]:
    """Patients who do not allow their record to improve the service: outcomes are counted for that."""
    kept = {"purpose": IMPROVEMENT, "data_type": RECORDS, "allowed": False, "until__isnull": True}
    return ConsentDecision.objects.filter(**kept).values("patient_id")


def _group(name: str, places: Sequence[int], rows: Sequence[_Row], ends: Sequence[tuple[float, int]]) -> Group:
    return Group(
        name,
        tuple(ends[place][0] for place in places),
        tuple(ends[place][1] for place in places),
        tuple(rows[place].pk for place in places),
    )


def _rows(episodes: QuerySet[Episode]) -> list[_Row]:
    columns = ("pk", "patient_id", "surgery_end", "discharged_at", "procedure", "team__name")
    of_patient = ("patient__sex", "patient__birth_date", "patient__died_at", "patient__is_synthetic")
    return [_Row(*row) for row in episodes.values_list(*columns, *of_patient)[:MOST_OPERATIONS]]


def _group_of(row: _Row, by: str) -> str:
    """Key of the group; blank where it is not known."""
    if by == "age":
        return "" if row.born is None else age_band(row.born, row.end)
    return {"procedure": row.procedure, "sex": row.sex, "team": row.team or ""}[by]


def age_band(born: date, at: datetime) -> str:
    return next(label for below, label in AGE_BANDS if _age(born, at) < below)


def _age(born: date, at: datetime) -> int:
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def _ends(rows: Sequence[_Row], event: str, now: datetime) -> list[tuple[float, int]]:
    """Per operation (days followed, FREE, EVENT or RIVAL)."""
    happened = _happened(rows, event)
    following = _next_operations(rows)
    return [_end(row, event, happened.get(row.pk), following.get(row.pk), now) for row in rows]


def _end(
    row: _Row, event: str, happened: datetime | None, following: datetime | None, now: datetime
) -> tuple[float, int]:
    last = min(row.end + timedelta(days=FOLLOWED_DAYS), now, following or now)
    died = row.died if row.died is not None and row.died >= row.end else None
    first = died if event == "death" else happened
    if first is not None and first <= last and (died is None or first <= died):
        return _days(row, first), EVENT
    if died is not None and died <= last:
        return _days(row, died), RIVAL
    return _days(row, last), FREE


def _days(row: _Row, at: datetime) -> float:
    return max((at - row.end) / timedelta(days=1), 0.0)


def _next_operations(rows: Sequence[_Row]) -> dict[int, datetime]:
    """Per operation the end of the same patient's next one, shown here or not: what follows belongs to that one."""
    several = Episode.objects.filter(patient_id__in={row.patient for row in rows}, surgery_end__isnull=False)
    of_patient: dict[int, list[datetime]] = {}
    for patient, end in several.exclude(status=Episode.Status.CANCELLED).values_list("patient_id", "surgery_end"):
        if end is not None:
            of_patient.setdefault(patient, []).append(end)
    later = {row.pk: [end for end in of_patient.get(row.patient, ()) if end > row.end] for row in rows}
    return {pk: min(ends) for pk, ends in later.items() if ends}


def _happened(rows: Sequence[_Row], event: str) -> Mapping[int, datetime]:
    """Per operation, when the event was first recorded after it."""
    if event == "death":
        return {}
    stays = event == "readmission"
    kind = Finding.Kind.STAY if stays else Finding.Kind.COMPLICATION
    keys = ("inpatient",) if stays else NAMED if event == "complication" else (event,)
    when = "onset_at" if stays else "recorded_at"
    since = min((row.end for row in rows), default=None)
    if since is None:
        return {}
    found: dict[int, list[datetime]] = {}
    told = Finding.objects.filter(kind=kind, key__in=keys, **{f"{when}__gte": since}).order_by(when)
    mine = {row.patient for row in rows}
    for patient, at in told.values_list("patient_id", when).iterator(chunk_size=5_000):
        if patient in mine:
            found.setdefault(patient, []).append(at)
    return {row.pk: at for row in rows if (at := _first(row, found.get(row.patient, ()), stays)) is not None}


def _first(row: _Row, times: Iterable[datetime], stays: bool) -> datetime | None:
    """A readmission begins after discharge; where that is not known there is none to tell."""
    after = row.discharged if stays else row.end
    return None if after is None else next((at for at in times if at > after), None)
