"""Emergency access: a clinician without a relationship opened a record, said why, and was looked at afterwards."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class EmergencyAccess(models.Model):
    """One opened record: it counts from `opened_at` until `until` or `closed_at`, whichever is first."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", "Justified"
        CONCERN = "concern", "Concern"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergency_accesses")
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="emergency_accesses")
    reason = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="reviewed_accesses"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.CharField(max_length=500, blank=True)
    # Privacy officers are told of it: `told_at` the first time, `reminded_at` the last time since it is overdue;
    # `telling_until`: somebody is at it, and whoever comes later waits so long.
    told_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    telling_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("opened_at")), name="emergency_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(reason=""), name="emergency_has_a_reason"),
            models.CheckConstraint(
                condition=Q(verdict="", reviewed_at__isnull=True) | (~Q(verdict="") & Q(reviewed_at__isnull=False)),
                name="emergency_reviewed_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")), name="emergency_reviewed_by_another"
            ),
            models.UniqueConstraint(
                fields=["user", "patient"], condition=Q(closed_at__isnull=True), name="emergency_open_once"
            ),
        ]
        indexes = [models.Index(fields=["verdict", "-opened_at"], name="emergency_to_review")]
