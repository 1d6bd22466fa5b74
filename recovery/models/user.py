"""People who sign in."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """A person: staff or a patient. What they may see follows from role *and* relationship (permissions.py)."""

    class Role(models.TextChoices):
        CLINICIAN = "clinician", "Clinician"
        LEAD = "lead", "Ward lead"
        ADMINISTRATOR = "administrator", "Administrator"
        PATIENT = "patient", "Patient"

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.CLINICIAN)
    is_model_steward = models.BooleanField(default=False, help_text="May train, compare and change the models served.")
    last_board_visit = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["clinician", "lead", "administrator", "patient"]),
                name="user_role_known",
            )
        ]

    @property
    def is_clinical(self) -> bool:
        return self.role in (self.Role.CLINICIAN, self.Role.LEAD)
