"""What a member of staff has set up and seen: the board as they want it, and when they last looked at whom."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

# Looking away from the board for this long ends a visit [G: this project's choice].
VISIT_GAP = timedelta(minutes=30)

# Among the hidden columns: the trend of a week, in whose place stands that of a month.
WEEK = "week"


class Desk(models.Model):
    """One person's settings, and the states that the board showed them.

    `hidden_columns`: optional columns that they do not want. `seen`: state -> ids of the episodes shown in it at
    `seen_at`; `before`: the same at the end of the visit before this one, at `before_at`.
    """

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        DENSE = "dense", "Dense"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk")
    density = models.CharField(max_length=12, choices=Density.choices, default=Density.COMFORTABLE)
    hidden_columns = models.JSONField(default=list)
    theme = models.CharField(max_length=8, default="system")
    toured_at = models.DateTimeField(null=True, blank=True)
    seen = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True, blank=True)
    before = models.JSONField(default=dict)
    before_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(density__in=["comfortable", "dense"]), name="desk_density_known"),
            models.CheckConstraint(condition=Q(theme__in=["system", "light", "dark"]), name="desk_theme_known"),
        ]


class SavedView(models.Model):
    """A person's own name for a set of the board's filters; `query` as it stands in the address."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_view_name_once")]


class Look(models.Model):
    """When a person last left the page of an episode: `at` is the time of what they had seen there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "episode"], name="look_once")]
