"""CDS Hooks: the EHRs whose signature we trust, and the cards that were shown with what became of them."""

import uuid

from django.db import models
from django.db.models import Q


class TrustedEhr(models.Model):
    """An EHR that signs its CDS Hooks calls itself. `jwks`: its public keys; without them they are at `jwks_url`."""

    connection = models.ForeignKey("recovery.Connection", on_delete=models.CASCADE, related_name="trusted_ehrs")
    issuer = models.CharField(max_length=300, unique=True)
    jwks = models.JSONField(default=dict)
    jwks_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()


class SpentToken(models.Model):
    """A signed call's jti, used once. The unique constraint decides between racing calls."""

    ehr = models.ForeignKey(TrustedEhr, on_delete=models.CASCADE, related_name="+")
    jti = models.CharField(max_length=64, help_text="SHA-256 of the jti, which may be of any length.")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ehr", "jti"], name="cds_token_once")]


class Card(models.Model):
    """A card that an EHR was given, and what the clinician did with it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.CharField(max_length=60)
    shown_at = models.DateTimeField()
    connection = models.ForeignKey("recovery.Connection", null=True, on_delete=models.SET_NULL, related_name="+")
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="cards")
    alert = models.ForeignKey("recovery.Alert", null=True, on_delete=models.SET_NULL, related_name="cards")
    indicator = models.CharField(max_length=10)
    outcome = models.CharField(max_length=10, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", outcome_at__isnull=True)
                | Q(outcome__in=["accepted", "overridden"], outcome_at__isnull=False),
                name="card_outcome_has_a_time",
            )
        ]
        indexes = [models.Index(fields=["episode", "shown_at"], name="card_of_episode")]
