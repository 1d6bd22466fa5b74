"""Patients: a projection of the FHIR Patient document, and the person the samples belong to."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Patient(models.Model):
    """One person. `key` goes into URLs (never a name or record number); `fhir_id` is the document's id."""

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Unknown"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    fhir_id = models.CharField(max_length=64, unique=True)
    record_number = models.CharField(max_length=128, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=8, choices=Sex.choices, default=Sex.UNKNOWN)
    died_at = models.DateTimeField(null=True, blank=True)
    is_synthetic = models.BooleanField(default=False)
    origin = models.CharField(max_length=200, blank=True, help_text="Where imported data came from; shown with it.")
    deleted_at = models.DateTimeField(null=True, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="patient"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sex__in=["female", "male", "other", "unknown"]), name="patient_sex_known"
            )
        ]
        indexes = [models.Index(fields=["record_number"], name="patient_record_number")]

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.given_name, self.family_name) if part) or "Unnamed patient"
