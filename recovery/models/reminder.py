"""Reminding a patient of a check-in: how they want to be reached, what was sent, and what came back by SMS."""

import uuid

from django.db import models
from django.db.models import Q


class ContactChoice(models.Model):
    """How one patient is reminded. Quiet hours are the patient's own clock; `stopped_at`: they sent STOP."""

    class Channel(models.TextChoices):
        NONE = "none", "Not at all"
        EMAIL = "email", "E-mail"
        SMS = "sms", "SMS"

    patient = models.OneToOneField("recovery.Patient", on_delete=models.CASCADE, related_name="contact_choice")
    channel = models.CharField(max_length=5, choices=Channel.choices, default=Channel.NONE)
    address = models.CharField(max_length=254, blank=True)
    quiet_from = models.TimeField()
    quiet_until = models.TimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["none", "email", "sms"]), name="contact_channel_known"),
            models.CheckConstraint(condition=Q(channel="none") | ~Q(address=""), name="contact_has_an_address"),
        ]
        indexes = [models.Index(fields=["address"], condition=Q(channel="sms"), name="contact_by_phone")]


class Reminder(models.Model):
    """One reminder of one check-in: the database admits one a slot. Times: intended, sent, answered.

    Leased, then marked: `claimed_until` while a worker sends. `key`: for the provider, the same at each try.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="reminders")
    slot = models.CharField(max_length=64)
    channel = models.CharField(max_length=5)
    intended_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_as = models.CharField(max_length=12, blank=True, help_text="sent, answered, expired, stopped, failed")
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["episode", "slot"], name="reminder_once_a_slot")]
        indexes = [models.Index(fields=["not_before"], condition=Q(ended_as=""), name="reminder_open")]


class SmsReceived(models.Model):
    """An SMS that arrived, by its provider's id, so that one told twice is acted on once. Its words are not kept."""

    provider_id = models.CharField(max_length=100, unique=True)
    received_at = models.DateTimeField()
    meant = models.CharField(max_length=12)
