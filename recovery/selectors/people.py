"""Who the patient is and which operation it was, as every page shows it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from recovery.exceptions import NotFound
from recovery.models import Episode, Patient, User
from recovery.permissions import visible_episodes


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    birth_date: date | None
    sex: str
    record_number: str
    is_synthetic: bool
    origin: str
    died_at: datetime | None


@dataclass(frozen=True, slots=True)
class Operation:
    """`key` is what stands in URLs. `status` as models.Episode.Status."""

    key: UUID
    procedure: str
    procedure_text: str
    surgery_end: datetime | None
    discharged_at: datetime | None
    status: str
    team: str
    surgeon: str = ""


def find_episode(user: User, key: UUID, now: datetime) -> Episode:
    """The episode, if this person may see it. Raises NotFound otherwise: strangers do not learn that it exists."""
    found = visible_episodes(user, now).select_related("patient", "team", "pathway").filter(key=key).first()
    if found is None:
        raise NotFound("There is no such patient, or it is not one of yours.")
    return found


def person_by_id(patient_id: int) -> Person:
    """Somebody whom the caller has found to be theirs already."""
    return person_of(Patient.objects.get(pk=patient_id))


def person_of(patient: Patient) -> Person:
    return Person(
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,
        record_number=patient.record_number,
        is_synthetic=patient.is_synthetic,
        origin=patient.origin,
        died_at=patient.died_at,
    )


def operation_of(episode: Episode) -> Operation:
    return Operation(
        key=episode.key,
        procedure=episode.procedure,
        procedure_text=episode.procedure_text,
        surgery_end=episode.surgery_end,
        discharged_at=episode.discharged_at,
        status=episode.status,
        team=episode.team.name if episode.team else "",
        surgeon=episode.surgeon,
    )
