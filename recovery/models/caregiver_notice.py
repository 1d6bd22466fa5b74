"""Telling those who help a patient: how each of them is reached, and what was sent to them once."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from recovery.models.reminder import ContactChoice, Outgoing


class CaregiverContact(models.Model):
    """How one caregiver is reached, about all whom they help. Quiet hours are the clock of `zone` (IANA name), which is
    where the caregiver lives; `stopped_at`: they sent STOP. What they are told of is the patient's choice (the grant).
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="caregiver_contact")
    channel = models.CharField(max_length=5, choices=ContactChoice.Channel.choices, default=ContactChoice.Channel.NONE)
    address = models.CharField(max_length=254, blank=True)
    quiet_from = models.TimeField()
    quiet_until = models.TimeField()
    zone = models.CharField(max_length=64)
    stopped_at = models.DateTimeField(null=True, blank=True)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["none", "email", "sms", "push"]), name="caregiver_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["none", "push"]) | ~Q(address=""), name="caregiver_has_an_address"
            ),
        ]
        indexes = [models.Index(fields=["address"], condition=Q(channel="sms"), name="caregiver_by_phone")]


class CaregiverReminder(Outgoing):
    """One reminder of one check-in to one caregiver: the database admits one a slot and grant."""

    grant = models.ForeignKey("recovery.CaregiverGrant", on_delete=models.CASCADE, related_name="reminders")
    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="+")
    slot = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["grant", "episode", "slot"], name="caregiver_reminder_once_a_slot")
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(ended_as=""), name="caregiver_reminder_open")]


class CaregiverMessageNotice(Outgoing):
    """That the team has written to whom they help: one a message and grant, owed in the message's transaction."""

    grant = models.ForeignKey("recovery.CaregiverGrant", on_delete=models.CASCADE, related_name="message_notices")
    message = models.ForeignKey("recovery.Message", on_delete=models.CASCADE, related_name="caregiver_notices")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "message"], name="caregiver_notice_once_a_message")]
        indexes = [models.Index(fields=["not_before"], condition=Q(ended_as=""), name="caregiver_notice_open")]
