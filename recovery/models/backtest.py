"""Backtests that administrators asked for: the row is the truth, any worker takes it up."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Backtest(models.Model):
    """One replay of an export. Its files lie under `settings.BACKTEST_FILES`/key; `folder` is an export named by its
    place below `settings.BACKTEST_EXPORTS`, blank for uploaded files.

    `progress` 0..100 with `words`. `figures`: the content of report.json without its long tables. A worker holds the
    row until `claimed_until` and says so again and again; when it stops saying so, the row is open again.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    label = models.CharField(max_length=120)
    folder = models.CharField(max_length=300, blank=True)
    folds = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=500, blank=True)
    figures = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed", "cancelled"]),
                name="backtest_status_known",
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="backtest_progress_to_100"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"]) | Q(ended_at__isnull=False),
                name="backtest_ended_is_dated",
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="backtest_newest")]
