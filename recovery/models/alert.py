"""Alerts and their transitions. A change of status is a row, written with its cause."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """One open alert per episode and cause: the database guarantees it."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    class Kind(models.TextChoices):
        PHYSIOLOGICAL = "physiological", "Physiological"
        BEHAVIOURAL = "behavioural", "Behavioural"
        DATA_STOPPED = "data_stopped", "Data stopped"
        DEVICE_FAULT = "device_fault", "Device fault"
        MODEL_UNCERTAIN = "model_uncertain", "Model uncertain"

    class Severity(models.TextChoices):
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("recovery.Episode", on_delete=models.PROTECT, related_name="alerts")
    cause = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change: optimistic concurrency.")
    headline = models.CharField(max_length=300)
    because = models.JSONField(default=list)
    steps = models.JSONField(default=list)
    raised_at = models.DateTimeField()
    last_hit_at = models.DateTimeField()
    hits = models.PositiveIntegerField(default=1)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=24, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "cause"], condition=~Q(status="resolved"), name="alert_open_once_per_cause"
            ),
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False)
                | (~Q(status="resolved") & Q(resolved_at__isnull=True)),
                name="alert_resolved_has_a_time",
            ),
            models.CheckConstraint(condition=Q(severity__in=["high", "medium", "low"]), name="alert_severity_known"),
        ]
        indexes = [models.Index(fields=["episode", "status"], name="alert_of_episode")]


class AlertTransition(models.Model):
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="transitions")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["alert", "at"], name="transition_of_alert")]
