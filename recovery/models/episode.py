"""Episodes: one operation, its day zero and its pathway."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q

from recovery.exceptions import Invalid


class Episode(models.Model):
    """One operation of one patient. Day k is the 24 h from `surgery_end + 24 k h`; before: planned.

    `window_start`..`window_end` (derived at write) bound which samples belong to this episode's twin.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        ACTIVE = "active", "Active"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="episodes")
    fhir_id = models.CharField(max_length=64, unique=True, help_text="Id of the Procedure document.")
    procedure = models.CharField(max_length=64, blank=True, help_text="Key in recovery.twin.profile; blank: unknown.")
    procedure_text = models.CharField(max_length=300, blank=True)
    surgeon = models.CharField(max_length=150, blank=True, help_text="Name of who operated, as the Procedure has it.")
    surgeon_key = models.CharField(max_length=64, blank=True, help_text="What stands for that name in an address.")
    surgeon_by_hand = models.BooleanField(
        default=False, db_default=False, help_text="The team wrote the name; a Procedure that names one wins."
    )
    surgery_start = models.DateTimeField(null=True, blank=True)
    surgery_end = models.DateTimeField(null=True, blank=True)
    discharged_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    team = models.ForeignKey("recovery.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="episodes")
    pathway = models.ForeignKey("recovery.Pathway", null=True, blank=True, on_delete=models.PROTECT)
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(surgery_start__isnull=True)
                | Q(surgery_end__isnull=True)
                | Q(surgery_end__gte=F("surgery_start")),
                name="surgery_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(surgery_end__isnull=False) | Q(status__in=["planned", "cancelled"]),
                name="episode_without_surgery_is_planned",
            ),
        ]
        indexes = [models.Index(fields=["team", "status"], name="episode_of_team")]

    @property
    def day_zero(self) -> datetime:
        """End of surgery: where the clock of the episode starts. Raises Invalid while the operation is planned."""
        if self.surgery_end is None:
            raise Invalid("The operation has no end yet, so there is no day zero.", field="surgery_end")
        return self.surgery_end
