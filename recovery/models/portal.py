"""A patient's way into the portal: one-time links, wrong tries, and how they like to read."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class PortalInvite(models.Model):
    """A link by which one patient gets (or renews) a sign-in. Only the digest of its secret is kept.

    It opens once, with the date of birth; `wrong_dates` counts the others, and too many end it. `made_by`: name of the
    member of staff, who can revoke it by `key`.
    """

    class Channel(models.TextChoices):
        PRINT = "print", "Printed code"
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="invites")
    digest = models.CharField(max_length=64, unique=True)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    until = models.DateTimeField()
    wrong_dates = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                name="invite_open_once",
            )
        ]


class PortalTry(models.Model):
    """One wrong try at a link from one address (its keyed hash), so that all processes count together."""

    source = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["source", "at"], name="try_from_a_source")]


class PortalPreference(models.Model):
    """Language and text size of a person's pages. `text_size`: 1 usual, 2 large, 3 very large."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="portal_preference")
    language = models.CharField(max_length=8, default="en")
    text_size = models.PositiveSmallIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(text_size__gte=1) & Q(text_size__lte=3), name="text_size_is_known")
        ]


class OwnGoal(models.Model):
    """What a patient wants to do again, in their own words. `closeness`: as they see it, 0 not at all to 10 reached."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("recovery.Episode", on_delete=models.PROTECT, related_name="own_goals")
    text = models.CharField(max_length=120)
    closeness = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(closeness__lte=10), name="closeness_is_of_ten")]
        indexes = [models.Index(fields=["episode"], condition=Q(dropped_at__isnull=True), name="goal_of_episode")]
