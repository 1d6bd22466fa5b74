"""Pathways: what is expected after a procedure, and when to call someone."""

from django.db import models
from django.db.models import Q


class Pathway(models.Model):
    """A versioned procedure template. `policy` is `twin.alerts.AlertPolicy` as plain numbers.

    `content` is `recovery.pathway_plan.Plan` as plain JSON; blank: the shipped plan. `note` says why this version was
    published; `published_*` is blank for versions older than the editor.
    """

    key = models.SlugField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=120)
    procedure = models.CharField(max_length=64, blank=True, help_text="Key in recovery.twin.profile; blank: any.")
    days = models.PositiveSmallIntegerField(default=30)
    policy = models.JSONField(default=dict)
    content = models.JSONField(default=dict, blank=True)
    note = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=150, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="pathway_version_once"),
            models.UniqueConstraint(fields=["key"], condition=Q(active=True), name="pathway_active_once"),
            models.CheckConstraint(condition=Q(days__gte=1) & Q(days__lte=365), name="pathway_days_in_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
