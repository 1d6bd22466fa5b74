"""At the door of every page of the portal: whose portal it is, who acts, and a line in the trail that says so."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from recovery.exceptions import NotFound
from recovery.permissions import PortalScope
from recovery.presenters.portal_people import by_words
from recovery.selectors import check_ins
from recovery.selectors.portal_people import Subject, own_subject, subject_of
from recovery.views import door

CHOSEN = "portal_grant"


def subject(request: HttpRequest, scope: PortalScope | None, now: datetime) -> Subject:
    """Whose portal this is. Raises NotFound for whom the page does not exist (see selectors.portal_people)."""
    return subject_of(door.person(request), scope, now, str(request.session.get(CHOSEN, "")))


def only_self(request: HttpRequest, now: datetime) -> Subject:
    """For what a patient decides alone. Raises NotFound for caregivers too."""
    return own_subject(door.person(request), now)


def choose(request: HttpRequest, grant: str) -> None:
    request.session[CHOSEN] = grant


def zone_of(found: Subject) -> ZoneInfo:
    """The patient's own clock; the hospital's before an operation is known."""
    try:
        return check_ins.zone_of(check_ins.episode_of(found.patient_id))
    except NotFound:
        return door.zone()


def note(
    request: HttpRequest,
    found: Subject,
    now: datetime,
    action: str,
    *,
    entity: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Audit a view: a caregiver's says for whom, and as what."""
    said = {**(detail or {}), **({} if found.is_self else {"as": found.relation})}
    door.note(request, now, action, patient_ids=[found.patient_id], entity=entity, detail=said)


def acts(found: Subject) -> str:
    """Who acts, as everybody reads it: "Ida", or "Anna (daughter) for Ida"."""
    return by_words(found)
