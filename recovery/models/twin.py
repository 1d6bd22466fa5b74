"""The twin's current state, what it said at each time, and the models it used."""

from django.db import models
from django.db.models import Q

from recovery.models.numbers_field import NumbersField


class ModelVersion(models.Model):
    """A served model as plain numbers (never a pickle). One active version per kind."""

    kind = models.CharField(max_length=16)  # population | hazard | hypotheses
    version = models.CharField(max_length=64)
    parameters = models.JSONField()
    trained_on = models.CharField(max_length=300)
    evaluation = models.JSONField(default=dict, help_text="Out-of-fold and held-out figures; empty: never judged.")
    status = models.CharField(max_length=10, default="draft")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="model_version_once"),
            models.UniqueConstraint(fields=["kind"], condition=Q(status="active"), name="model_active_once"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "shadow", "active", "retired"]), name="model_status_known"
            ),
        ]


class Twin(models.Model):
    """The current state of an episode: `recovery.twin.state.TwinState` as plain numbers, and the alert memory."""

    episode = models.OneToOneField("recovery.Episode", on_delete=models.CASCADE, related_name="twin")
    state = NumbersField()
    memory = models.JSONField(default=dict)
    model_version = models.CharField(max_length=64)
    computed_at = models.DateTimeField()
    data_until = models.DateTimeField(null=True, blank=True)


class Snapshot(models.Model):
    """What the twin said: the one thing that chart, portal, RiskAssessment and CDS card read (promise 1).

    One per episode and clock hour: within the hour the row is rewritten, then it stays. `current` marks the newest.
    `content` is `services.snapshots` form: per metric now/expected/band/deviation/data age, forecast, curves, risks,
    scores, reasons, gate decisions.
    """

    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="snapshots")
    hour = models.BigIntegerField(help_text="Hours since 1970, the clock hour of made_at.")
    made_at = models.DateTimeField()
    data_until = models.DateTimeField(null=True, blank=True)
    model_version = models.CharField(max_length=128)
    current = models.BooleanField(default=True)
    content = NumbersField()
    row = NumbersField(
        null=True, help_text="snapshot_row.for_row(content) of a current one; null where not kept: taken from content."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["episode", "hour"], name="snapshot_hourly"),
            models.UniqueConstraint(fields=["episode"], condition=Q(current=True), name="snapshot_current_once"),
        ]


class LiveEvent(models.Model):
    """A change that open pages want to know of. Ids grow; a page asks for what came after the last it saw."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=12)  # twin | alert
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="+", db_index=False)
    team = models.ForeignKey("recovery.Team", null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
