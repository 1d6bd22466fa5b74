"""Finding a patient by name or record number, among those whom the person may see."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recovery.models import User
from recovery.permissions import visible_episodes

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One operation of a person who fits."""

    key: UUID
    name: str
    record_number: str
    procedure: str
    status: str
    surgery_end: datetime | None
    team: str
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class Found:
    people: tuple[FoundPerson, ...]
    total: int


def find_people(user: User, words: str, now: datetime) -> Found:
    """Everyone whose name or record number holds every word, whatever its case; newest operations first."""
    wanted = words.casefold().split()
    if not wanted:
        return Found((), 0)
    rows = visible_episodes(user, now).values_list(
        "id", "patient__given_name", "patient__family_name", "patient__record_number"
    )
    fitting = [pk for pk, *texts in rows if _fits(" ".join(texts).casefold(), wanted)]
    found = visible_episodes(user, now).filter(id__in=fitting[:1_000]).select_related("patient", "team")
    people = tuple(
        FoundPerson(
            key=row.key,
            name=row.patient.name,
            record_number=row.patient.record_number,
            procedure=row.procedure_text,
            status=row.status,
            surgery_end=row.surgery_end,
            team=row.team.name if row.team else "",
            is_synthetic=row.patient.is_synthetic,
        )
        for row in found.order_by("-surgery_end", "id")[:MOST_FOUND]
    )
    return Found(people, len(fitting))


def _fits(text: str, wanted: list[str]) -> bool:
    return all(word in text for word in wanted)
