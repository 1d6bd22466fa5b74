"""Who is on call: for which team, at which level, from when until when."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class RosterShift(models.Model):
    """One person's turn. `level`: key of pathway_plan.ESCALATE_TO. Turns may overlap: then both are told."""

    class Level(models.TextChoices):
        FIRST = "on_call_first", "First on call"
        SECOND = "on_call_second", "Second on call"
        LEAD = "lead", "Ward lead"

    team = models.ForeignKey("recovery.Team", on_delete=models.CASCADE, related_name="shifts")
    level = models.CharField(max_length=24, choices=Level.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shifts")
    start = models.DateTimeField()
    until = models.DateTimeField()
    noted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "level", "user", "start"], name="shift_once"),
            models.CheckConstraint(condition=Q(until__gt=F("start")), name="shift_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(level__in=["on_call_first", "on_call_second", "lead"]), name="shift_level_known"
            ),
        ]
        indexes = [models.Index(fields=["team", "until"], name="shift_of_team")]
