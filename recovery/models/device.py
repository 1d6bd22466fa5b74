"""Devices: what measures, and how much its word counts."""

from django.db import models
from django.db.models import Q


class Device(models.Model):
    """A wearable, implant or instrument. `tier` orders trust: implant > cleared > consumer > self-report."""

    class Tier(models.TextChoices):
        IMPLANT = "implant", "Implant"
        CLEARED = "cleared", "Cleared medical device"
        CONSUMER = "consumer", "Consumer wearable"
        SELF_REPORT = "self_report", "Self-report"

    fhir_id = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(
        "recovery.Patient", null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    name = models.CharField(max_length=200, blank=True)
    manufacturer = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=200, blank=True)
    udi = models.CharField(max_length=200, blank=True)
    version = models.CharField(max_length=200, blank=True, help_text="Firmware and other versions, as last told.")
    tier = models.CharField(max_length=12, choices=Tier.choices, default=Tier.CONSUMER)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__in=["implant", "cleared", "consumer", "self_report"]),
                name="device_tier_known",
            )
        ]
