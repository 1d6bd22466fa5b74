"""Accounts of patients at makers of wearables: what lets us ask there, and the ways in that are under way."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class VendorLink(models.Model):
    """One patient's account at one maker (`provider`: its slug in settings). Tokens are sealed, and gone when it ends.

    `device`: id of the Device whose readings come through it. `asked_at`: the last contact that went well; `since`:
    from when on readings are still wanted. `grant_until`: when the maker's own consent runs out, where it says so.
    """

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        REVOKED = "revoked", "Taken back at the maker"
        EXPIRED = "expired", "Run out"
        ENDED = "ended", "Disconnected here"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="vendor_links")
    provider = models.SlugField(max_length=40)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CONNECTED)
    device = models.CharField(max_length=64)
    access_sealed = models.TextField(blank=True)
    refresh_sealed = models.TextField(blank=True)
    access_until = models.DateTimeField(null=True, blank=True)
    grant_until = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "provider"], name="vendor_link_once"),
            models.CheckConstraint(
                condition=Q(status__in=["connected", "revoked", "expired", "ended"]), name="vendor_link_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="connected") | Q(access_sealed="", refresh_sealed=""),
                name="vendor_link_keeps_tokens_only_connected",
            ),
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(status="connected"), name="vendor_link_due")]


class VendorAsk(models.Model):
    """A way to a maker that a person has begun: good once, for some minutes, in the session that began it.

    `state_hash`: of the OAuth `state`; `session_mark`: keyed hash of the session. The PKCE verifier is sealed.
    """

    state_hash = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.CASCADE, related_name="vendor_asks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    provider = models.SlugField(max_length=40)
    session_mark = models.CharField(max_length=64)
    verifier_sealed = models.TextField()
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
