"""What people changed about an episode, so that it can be taken back: day zero, team, end, pathway, surgeon."""

import uuid

from django.db import models
from django.db.models import Q


class EpisodeChange(models.Model):
    """One change by a person, or by the record where it wins. `before`, `after`: changed values as plain JSON."""

    class What(models.TextChoices):
        DAY_ZERO = "day_zero", "Date of the operation"
        TEAM = "team", "Team"
        STATUS = "status", "Status"
        PATHWAY = "pathway", "Pathway"
        SURGEON = "surgeon", "Surgeon"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="changes")
    what = models.CharField(max_length=12, choices=What.choices)
    before = models.JSONField()
    after = models.JSONField()
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    actor_name = models.CharField(max_length=150)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(what__in=["day_zero", "team", "status", "pathway", "surgeon"]),
                name="episode_change_known",
            )
        ]
        indexes = [models.Index(fields=["episode", "-at"], name="episode_change_of")]
