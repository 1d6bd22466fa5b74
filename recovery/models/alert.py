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
    useful = models.BooleanField(null=True, blank=True, help_text="Whoever resolved it: was it worth telling?")
    value = models.FloatField(null=True, blank=True, help_text="What the rule measured at the last hit.")
    policy_version = models.CharField(max_length=64, blank=True, default="", db_default="")
    acknowledged_at = models.DateTimeField(null=True, blank=True, help_text="When somebody first said: I have it.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="By when somebody should have it.")
    wake = models.JSONField(null=True, blank=True, help_text="What ends a snooze early: recovery.wake.")
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
        indexes = [
            models.Index(fields=["episode", "status"], name="alert_of_episode"),
            models.Index(fields=["raised_at"], name="alert_by_time_raised"),
            models.Index(fields=["snoozed_until"], condition=Q(status="snoozed"), name="alert_snoozed"),
        ]


class AlertTransition(models.Model):
    """One step of an alert. `detail.before` holds what an undo restores."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="transitions")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    # Key of recovery.alert_states.TRANSITIONS; blank for what was written before they were kept.
    action = models.CharField(max_length=12, blank=True, default="", db_default="")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["alert", "at"], name="transition_of_alert")]


class AlertSight(models.Model):
    """When a person first had an alert before their eyes."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="sights")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "user"], name="alert_first_seen_once")]


class EscalationStep(models.Model):
    """One step of the ladder for one wait of an alert: whom to tell when nobody has it by `due_at`.

    `round` grows each time the alert opens again. A worker takes a due step with a conditional UPDATE, so that two
    workers tell once. `ended_by`: the step of the alert that made it needless; an undo takes that back.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TOLD = "told", "Told"
        OFF = "off", "Not needed"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="escalations")
    round = models.PositiveIntegerField(default=1)
    number = models.PositiveSmallIntegerField()
    to = models.CharField(max_length=24, help_text="Key of pathway_plan.ESCALATE_TO.")
    due_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    done_at = models.DateTimeField(null=True, blank=True)
    told = models.CharField(max_length=300, blank=True, help_text="Who was told, and why them.")
    ended_by = models.ForeignKey(AlertTransition, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "round", "number"], name="escalation_step_once"),
            models.CheckConstraint(condition=Q(status__in=["waiting", "told", "off"]), name="escalation_status_known"),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(status="waiting"), name="escalation_due")]
