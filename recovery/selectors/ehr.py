"""People and patients of an EHR that opens our pages, as they are known here."""

from datetime import datetime
from uuid import UUID

from recovery.models import EhrIdentity, User
from recovery.permissions import visible_episodes


def person_of_ehr(issuer: str, fhir_user: str) -> User | None:
    """Who that fhirUser is here: linked by an administrator, and still active."""
    if not fhir_user:
        return None
    name = relative(fhir_user, issuer)
    row = EhrIdentity.objects.filter(issuer=issuer.rstrip("/"), fhir_user=name, user__is_active=True)
    found = row.select_related("user").first()
    return found.user if found is not None else None


def relative(fhir_user: str, issuer: str) -> str:
    """Practitioner/1, whether it is said with the EHR's address or without."""
    return fhir_user.removeprefix(f"{issuer.rstrip('/')}/")


def episode_of(user: User, patient: str, now: datetime) -> UUID | None:
    """The newest episode of the EHR's patient (by the id that the EHR's resources have here too) that the user sees."""
    rows = visible_episodes(user, now).filter(patient__fhir_id=patient).order_by("-surgery_end", "-pk")
    return rows.values_list("key", flat=True).first()
