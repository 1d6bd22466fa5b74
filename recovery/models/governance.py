"""How models come into service and are watched: training runs, changes of what is served, shadows, reports."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from recovery.models.care import Team
from recovery.models.twin import ModelVersion, Snapshot


class TrainingRun(models.Model):
    """One training on the unit's own operations. The row is the truth: any worker goes on from `state`.

    Operations that ended in `since`..`until` are gathered; those from `cut_at` on, and those of `held_out` (a site),
    are kept back to judge the model, never to fit it. `under`: the expected courses whose deviations are learned from;
    null: those shipped with the product. `progress` 0..100 with `words`. `figures`: what was measured.
    """

    kind = models.CharField(max_length=16)  # population | hazard | hypotheses
    status = models.CharField(max_length=10, default="queued")
    since = models.DateTimeField()
    until = models.DateTimeField()
    cut_at = models.DateTimeField(null=True, blank=True)
    held_out = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    under = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    seed = models.PositiveIntegerField(default=7)
    progress = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=300, blank=True)
    state = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)
    version = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "refused", "failed", "cancelled"]),
                name="training_status_known",
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="training_progress_to_100"),
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="training_window_has_length"),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(status__in=["queued", "running"]), name="training_once_per_kind"
            ),
        ]


class TrainingPart(models.Model):
    """What was gathered from one slice of the operations of a run, as plain numbers; gone when the run has ended."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="training_part_once")]


class ModelChange(models.Model):
    """A change of what is served, with who, when and why. Rows are added and answered, never rewritten.

    promote: asked for by one person and answered by another. shadow, unshadow, rollback: done at once by one. follow:
    named causes that went out of or into service with the expected courses under which they were learned.
    `version` None: the model shipped with the product. `replaced`: what was served before (None: the shipped one).
    """

    kind = models.CharField(max_length=16)
    action = models.CharField(max_length=10)
    status = models.CharField(max_length=10, default="open")
    version = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="changes")
    replaced = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_name = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_name = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["promote", "rollback", "shadow", "unshadow", "follow"]),
                name="model_change_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "done", "refused", "withdrawn"]), name="model_change_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(action="promote", status="done")
                | (Q(answered_by__isnull=False) & ~Q(answered_by=F("asked_by"))),
                name="model_promoted_by_two_people",
            ),
            models.UniqueConstraint(fields=["kind"], condition=Q(status="open"), name="model_change_open_once"),
        ]


class ShadowRisk(models.Model):
    """What a version in shadow would have said at a snapshot. For the models pages alone: no clinician, no patient
    and no other system is ever shown it."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="shadows")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    risks = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "snapshot"], name="shadow_once_per_snapshot")]


class ModelReport(models.Model):
    """How the served models did on this unit's own patients, as computed at `made_at` over `since`..`until`."""

    made_at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    model_version = models.CharField(max_length=128)
    content = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["-made_at"], name="model_report_newest")]
