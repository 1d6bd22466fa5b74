"""Requests to be erased, and what an administrator answered."""

import uuid

from django.db import models
from django.db.models import Q


class ErasureRequest(models.Model):
    """Asked by the patient; held with a reason (a legal hold), or carried out. The row outlives what was erased."""

    class Status(models.TextChoices):
        ASKED = "asked", "Asked"
        HELD = "held", "Kept by law"
        ERASED = "erased", "Erased"
        TAKEN_BACK = "taken_back", "Taken back"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="erasure_requests")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ASKED)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_name = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    review_on = models.DateField(null=True, blank=True)
    rows_erased = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status__in=["asked", "held"]), name="erasure_open_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "held", "erased", "taken_back"]), name="erasure_status_known"
            ),
            models.CheckConstraint(condition=~Q(status="held", reason=""), name="erasure_hold_has_a_reason"),
        ]
