"""People who sign in."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """A person: staff, patient or caregiver. What they see follows from role *and* relationship (permissions.py)."""

    class Role(models.TextChoices):
        CLINICIAN = "clinician", "Clinician"
        LEAD = "lead", "Ward lead"
        ADMINISTRATOR = "administrator", "Administrator"
        PATIENT = "patient", "Patient"
        CAREGIVER = "caregiver", "Caregiver"

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.CLINICIAN)
    is_model_steward = models.BooleanField(default=False, help_text="May train, compare and change the models served.")
    is_privacy_officer = models.BooleanField(default=False, help_text="Reviews every emergency access (break-glass).")
    last_board_visit = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["clinician", "lead", "administrator", "patient", "caregiver"]),
                name="user_role_known",
            )
        ]

    @property
    def is_staff_member(self) -> bool:
        """Somebody of the hospital, whatever their role; never a patient or a caregiver."""
        return self.role in (self.Role.CLINICIAN, self.Role.LEAD, self.Role.ADMINISTRATOR)

    @property
    def is_clinical(self) -> bool:
        return self.role in (self.Role.CLINICIAN, self.Role.LEAD)
