"""A signed-in person as other systems are told of them."""

from dataclasses import dataclass

from recovery.models import User


@dataclass(frozen=True, slots=True)
class Who:
    """`patient`: FHIR id of the patient whom the person is, "" for others."""

    user_id: int
    username: str
    given_name: str
    family_name: str
    patient: str


def user_named(username: str) -> User | None:
    """The person of that name who may sign in."""
    return User.objects.filter(username=username, is_active=True).first()


def who(user_id: int) -> Who | None:
    row = User.objects.filter(pk=user_id, is_active=True).select_related("patient").first()
    if row is None:
        return None
    patient = getattr(row, "patient", None)
    is_patient = row.role == User.Role.PATIENT and patient is not None and patient.deleted_at is None
    fhir_id = patient.fhir_id if is_patient and patient is not None else ""
    return Who(row.pk, row.get_username(), row.first_name, row.last_name, fhir_id)
