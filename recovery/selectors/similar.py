"""How people like this one recovered: the same operation, the same band of age, whoever cares for them; no names.

Numbers of a group only, never of few: below FEWEST people, or on a day with fewer of them, nothing is told. Patients
who do not allow their record to improve the service are not in it; real people are never compared with synthetic ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recovery.models import Episode, User
from recovery.permissions import visible_episodes
from recovery.selectors.cohort import FOLLOWED_DAYS, age_band, said_no
from recovery.selectors.cohort_courses import DayOfGroup, of_group, values_by_day
from recovery.selectors.timeline import Observed, observed

FEWEST = 20
"""Of fewer people nothing is told: neither are their quartiles worth anything nor are they unrecognisable [G]."""
MOST = 200  # newest operations that are read
LOOKED_AT = 5_000  # newest operations of the kind among which those of the age are sought


@dataclass(frozen=True, slots=True)
class Similar:
    """`people`: how many others are like this one, at most MOST; `days` empty when they are too few. `age`: the band,
    blank where the birth date is not known. `why_not`: why nobody can be found."""

    people: int
    age: str
    days: tuple[DayOfGroup, ...] = ()
    why_not: str = ""


def similar_to(episode: Episode, metric: str, now: datetime) -> Similar:
    """Raises KeyError for a metric that is not in the catalogue."""
    born, end = episode.patient.birth_date, episode.surgery_end
    if end is None or not episode.procedure:
        return Similar(0, "", why_not="The operation is not one of the catalogue, so none is known to be the same.")
    if born is None:
        return Similar(0, "", why_not="The birth date is not known.")
    band = age_band(born, end)
    found = _alike(episode, band, now)
    if len({one.patient_id for one in found}) < FEWEST:
        return Similar(len(found), band)
    values = values_by_day(found, metric)
    return Similar(len(found), band, of_group([values.get(one.pk, {}) for one in found], FEWEST))


def _alike(episode: Episode, band: str, now: datetime) -> list[Episode]:
    """One operation of each other patient, the newest first."""
    rows = (
        Episode.objects.filter(
            procedure=episode.procedure,
            surgery_end__lt=now,
            patient__birth_date__isnull=False,
            patient__deleted_at__isnull=True,
            patient__is_synthetic=episode.patient.is_synthetic,
        )
        .exclude(status=Episode.Status.CANCELLED)
        .exclude(patient_id=episode.patient_id)
        .exclude(patient_id__in=said_no())
        .select_related("patient")
        .order_by("-surgery_end", "pk")[:LOOKED_AT]
    )
    mine: dict[int, Episode] = {}
    for row in rows:
        born, end = row.patient.birth_date, row.surgery_end
        if born is not None and end is not None and age_band(born, end) == band:
            mine.setdefault(row.patient_id, row)
        if len(mine) == MOST:
            break
    return list(mine.values())


def other_operations(user: User, episode: Episode, now: datetime) -> list[Episode]:
    """The person's other operations that are over and that this member of staff may see, the newest first."""
    rows = visible_episodes(user, now).filter(patient_id=episode.patient_id, surgery_end__lt=now)
    return list(
        rows.exclude(pk=episode.pk)
        .exclude(status__in=[Episode.Status.CANCELLED, Episode.Status.PLANNED])
        .order_by("-surgery_end")
    )


def course_of(episode: Episode, metrics: list[str], now: datetime) -> dict[str, Observed]:
    """What was measured in the FOLLOWED_DAYS after another operation, or until the next one."""
    if episode.surgery_end is None:
        return {}
    later = Episode.objects.filter(patient_id=episode.patient_id, surgery_end__gt=episode.surgery_end)
    following = later.order_by("surgery_end").values_list("surgery_end", flat=True).first()
    until = min(episode.surgery_end + timedelta(days=FOLLOWED_DAYS), now, following or now)
    return observed(episode, until, metrics)
