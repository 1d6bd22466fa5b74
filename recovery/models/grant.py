"""Caregivers: people whom a patient lets in, each with an own sign-in, own scopes and an end."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class CaregiverGrant(models.Model):
    """One caregiver of one patient: invited by a link, accepted by a person, ended in one tap.

    `called`: how the patient names them ("Anna"). Only the SHA-256 of the link
    is kept, and it goes blank when the link is used. `tries`: wrong answers to the link's question so far.
    `told_check_ins`, `told_messages`: whether the patient lets us tell them that a check-in waits, or that the team has
    written; it counts only with the scope to answer, or to write.
    """

    class Relation(models.TextChoices):
        PARTNER = "partner", "Partner"
        DAUGHTER = "daughter", "Daughter"
        SON = "son", "Son"
        PARENT = "parent", "Parent"
        RELATIVE = "relative", "Relative"
        FRIEND = "friend", "Friend"
        CARER = "carer", "Carer"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="grants"
    )
    called = models.CharField(max_length=80)
    relation = models.CharField(max_length=10, choices=Relation.choices)
    may_see = models.BooleanField(default=False)
    may_answer = models.BooleanField(default=False)
    may_write = models.BooleanField(default=False)
    may_connect = models.BooleanField(default=False)
    told_check_ins = models.BooleanField(default=True, db_default=True)
    told_messages = models.BooleanField(default=False, db_default=False)
    link_hash = models.CharField(max_length=64, blank=True)
    link_until = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link_hash"], condition=~Q(link_hash=""), name="grant_link_once"),
            models.UniqueConstraint(
                fields=["patient", "user"],
                condition=Q(ended_at__isnull=True, user__isnull=False),
                name="grant_open_once",
            ),
            models.CheckConstraint(
                condition=Q(may_see=True) | Q(may_answer=True) | Q(may_write=True) | Q(may_connect=True),
                name="grant_allows_something",
            ),
        ]
        indexes = [models.Index(fields=["user"], condition=Q(ended_at__isnull=True), name="grant_open_of_user")]
