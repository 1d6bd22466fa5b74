"""What every page does at the door: who asks, what time it is, and a line in the audit trail."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone

from recovery import audit
from recovery.alert_states import CAN_BE_UNDONE
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.forms import UndoForm
from recovery.models import User


def person(request: HttpRequest) -> User:
    return cast(User, request.user)


def actor(request: HttpRequest) -> Actor:
    return Actor.of_user(person(request), getattr(request, "request_id", ""))


def clock() -> datetime:
    """The one place where a page reads the time."""
    return timezone.now()


def zone() -> ZoneInfo:
    return ZoneInfo(settings.HOSPITAL_TIME_ZONE)


def note(
    request: HttpRequest,
    now: datetime,
    action: str,
    *,
    patient_ids: Iterable[int | None] = (None,),
    entity: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Audit a view of patient data. Raises when it cannot be written: then nothing is shown either."""
    audit.record(actor=actor(request), now=now, action=action, patient_ids=patient_ids, entity=entity, detail=detail)


def check_is_staff(request: HttpRequest) -> None:
    """Raises NotFound: to a patient or an administrator the ward's pages do not exist."""
    if not person(request).is_clinical:
        raise NotFound("This page is for the care team.")


def cleaned(form: Form) -> dict[str, Any]:
    """The form's values; raises Invalid naming the first field that is wrong and why."""
    if form.is_valid():
        return dict(form.cleaned_data)
    field, errors = next(iter(form.errors.items()))
    raise Invalid(f"{field}: {errors[0]}", field=str(field))


def keys(texts: Iterable[str]) -> list[UUID]:
    """Those of `texts` that are keys; at most a thousand."""
    found = []
    for text in list(texts)[:1_000]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def undo_of(request: HttpRequest) -> UndoForm | None:
    """The undo to offer after an action, read from the URL; None when there is none."""
    form = UndoForm(request.GET)
    return form if "undo" in request.GET and form.is_valid() and form.cleaned_data["done"] in CAN_BE_UNDONE else None
