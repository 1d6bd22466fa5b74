"""Bulk exports that systems asked for: the row is the truth, any worker goes on with it from its position."""

import uuid

from django.db import models
from django.db.models import Q


class Export(models.Model):
    """One `$export`. Its files lie under `settings.EXPORT_FILES`/key until `expires_at`.

    What is told is what stood at `transaction_time`. `wanted`: what was asked (types, since, until, filters by type) in
    the door's own words. `position`: where the next slice begins; `output`: the files finished so far. A worker holds
    the row until `claimed_until` and says so at each checkpoint; when it stops saying so, the row is open again.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Kind(models.TextChoices):
        SYSTEM = "system", "Everything"
        PATIENT = "patient", "Of all patients"
        GROUP = "group", "Of the members of a group"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    group = models.CharField(max_length=64, blank=True)
    connection = models.ForeignKey("recovery.Connection", on_delete=models.PROTECT, related_name="exports")
    scopes = models.TextField()
    request = models.TextField(help_text="The address that was asked.")
    base = models.CharField(max_length=500)
    wanted = models.JSONField(default=dict)
    transaction_time = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    position = models.JSONField(default=dict)
    output = models.JSONField(default=list)
    written = models.BigIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(progress__lte=100), name="export_progress_to_100"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"]) | Q(ended_at__isnull=False),
                name="export_ended_is_dated",
            ),
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="export_open")]


class ExportMember(models.Model):
    """A patient whose record an export of a group (or of named patients) tells."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="members")
    patient = models.ForeignKey("recovery.Patient", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "patient"], name="export_member_once")]
