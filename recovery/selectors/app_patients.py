"""Patients for whom a person may open an app."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from recovery.models import User
from recovery.permissions import visible_patients


@dataclass(frozen=True, slots=True)
class Choice:
    fhir_id: str
    name: str
    birth_date: date | None
    record_number: str
    is_synthetic: bool


def choices(user_id: int, find: str, now: datetime, limit: int, fhir_id: str = "") -> list[Choice]:
    """By name; `find`: part of a name or a record number."""
    user = User.objects.filter(pk=user_id).first()
    if user is None or "\x00" in find:
        return []
    rows = visible_patients(user, now)
    if fhir_id:
        rows = rows.filter(fhir_id=fhir_id)
    for word in find.split()[:5]:
        asked = Q(family_name__icontains=word) | Q(given_name__icontains=word) | Q(record_number__istartswith=word)
        rows = rows.filter(asked)
    page = rows.order_by("family_name", "given_name", "pk")[:limit]
    return [Choice(row.fhir_id, row.name, row.birth_date, row.record_number, row.is_synthetic) for row in page]
