"""Whose data a person may see through an app: FHIR ids of patients, by the same rule as on the pages."""

from dataclasses import dataclass
from datetime import datetime

from recovery.models import User
from recovery.permissions import visible_patients


@dataclass(frozen=True, slots=True)
class PersonReach:
    """`patients`: FHIR ids of those whom the person may see now. `is_staff`: of a care team, who may also act."""

    patients: frozenset[str]
    is_staff: bool


def person_reach(user_id: int, now: datetime) -> PersonReach:
    """Nobody for a person who is gone or signed off."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return PersonReach(frozenset(), False)
    return PersonReach(frozenset(visible_patients(user, now).values_list("fhir_id", flat=True)), user.is_clinical)
