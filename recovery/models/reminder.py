"""Reaching a patient: how they want to be reached, what was sent (of check-ins, of messages), what came back by SMS."""

import uuid

from django.db import models
from django.db.models import Q


class ContactChoice(models.Model):
    """How one patient is reached. Quiet hours are the patient's own clock; `stopped_at`: they sent STOP.

    `about_messages`: whether they are also told that their team has written. Push goes to the patient's own browsers.
    """

    class Channel(models.TextChoices):
        NONE = "none", "Not at all"
        EMAIL = "email", "E-mail"
        SMS = "sms", "SMS"
        PUSH = "push", "Push message"

    patient = models.OneToOneField("recovery.Patient", on_delete=models.CASCADE, related_name="contact_choice")
    channel = models.CharField(max_length=5, choices=Channel.choices, default=Channel.NONE)
    address = models.CharField(max_length=254, blank=True)
    quiet_from = models.TimeField()
    quiet_until = models.TimeField()
    about_messages = models.BooleanField(default=True, db_default=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["none", "email", "sms", "push"]), name="contact_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["none", "push"]) | ~Q(address=""), name="contact_has_an_address"
            ),
        ]
        indexes = [models.Index(fields=["address"], condition=Q(channel="sms"), name="contact_by_phone")]


class Outgoing(models.Model):
    """What is sent to a patient once: leased, sent, then marked (`claimed_until` while a worker sends).

    `key`: for the provider, the same at each try.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(max_length=5)
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_as = models.CharField(max_length=12, blank=True, help_text="sent, answered, read, expired, stopped, failed")
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


class Reminder(Outgoing):
    """One reminder of one check-in: the database admits one a slot. Times: intended, sent, answered."""

    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="reminders")
    slot = models.CharField(max_length=64)
    intended_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["episode", "slot"], name="reminder_once_a_slot")]
        indexes = [models.Index(fields=["not_before"], condition=Q(ended_as=""), name="reminder_open")]


class MessageNotice(Outgoing):
    """That the team has written: one a message, owed in its transaction. It says nothing of what was written."""

    message = models.OneToOneField("recovery.Message", on_delete=models.CASCADE, related_name="notice")

    class Meta:
        indexes = [models.Index(fields=["not_before"], condition=Q(ended_as=""), name="message_notice_open")]


class SmsReceived(models.Model):
    """An SMS that arrived, by its provider's id, so that one told twice is acted on once. Its words are not kept."""

    provider_id = models.CharField(max_length=100, unique=True)
    received_at = models.DateTimeField()
    meant = models.CharField(max_length=12)
