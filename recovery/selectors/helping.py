"""What waits at a door that a caregiver may go in by: notices name nobody, so their page says for whom it is."""

from dataclasses import dataclass
from datetime import datetime

from recovery.exceptions import NotFound
from recovery.models import User
from recovery.selectors import check_ins
from recovery.selectors.messages import unread_of
from recovery.selectors.portal_people import Door


@dataclass(frozen=True, slots=True)
class Waits:
    """Only of what the caregiver may do there. `message`: one that they have not opened themself."""

    check_in: bool
    message: bool


def waits_for(door: Door, helper: User, language: str, now: datetime) -> Waits:
    message = "write" in door.scopes and unread_of(door.patient_id, helper) > 0
    return Waits("answer" in door.scopes and _has_check_in(door.patient_id, language, now), message)


def _has_check_in(patient_id: int, language: str, now: datetime) -> bool:
    try:
        return bool(check_ins.open_now(check_ins.episode_of(patient_id), language, now))
    except NotFound:
        return False
