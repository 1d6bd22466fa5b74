"""Telling people of an alert: what stands in the product, and what is sent outside. Rows before messages."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Notification(models.Model):
    """One line in a person's notifications: that an alert wants them, and why them."""

    class Reason(models.TextChoices):
        RAISED = "raised", "New alert"
        GRAVER = "graver", "An alert became graver"
        AGAIN = "again", "An alert is open again"
        ASSIGNED = "assigned", "An alert was given to you"
        ESCALATED = "escalated", "Nobody has taken an alert"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    alert = models.ForeignKey("recovery.Alert", on_delete=models.CASCADE, related_name="notifications")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-at"], name="notification_of_person"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notification_unread"),
        ]


class NotificationPreference(models.Model):
    """How a person wants to be reached. Quiet hours are the hospital's clock; both blank: none.

    The product itself always tells. `high_anyway`: what is high, or escalated to them, comes through quiet hours.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preference"
    )
    email = models.BooleanField(default=True)
    push = models.BooleanField(default=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    high_anyway = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_both_or_none",
            )
        ]


class PushSubscription(models.Model):
    """A browser that may be woken (Push API). `ended_at`: the push service says that it is gone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)


class TeamHook(models.Model):
    """An address of a team's own system (pager, switchboard) that is called for each alert worth a message.

    The secret that signs its calls follows from `key` (services.hooks.secret_of): none is stored.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey("recovery.Team", on_delete=models.CASCADE, related_name="hooks")
    url = models.CharField(max_length=2000)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)


class Delivery(models.Model):
    """One message to be sent outside: claimed, sent, then marked, so that a crash in between sends twice, never none.

    To a person by e-mail (`user`), to one of their browsers (`push`), or to a team's system (`hook`).
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        PUSH = "push", "Push message"
        HOOK = "hook", "Webhook"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"
        OFF = "off", "Not needed"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    alert = models.ForeignKey("recovery.Alert", on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    reason = models.CharField(max_length=12, choices=Notification.Reason.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    push = models.ForeignKey(PushSubscription, null=True, blank=True, on_delete=models.CASCADE)
    hook = models.ForeignKey(TeamHook, null=True, blank=True, on_delete=models.CASCADE)
    at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=300, blank=True, help_text="Why the last try failed, or why none was needed.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="email", user__isnull=False, push__isnull=True, hook__isnull=True)
                | Q(channel="push", user__isnull=False, push__isnull=False, hook__isnull=True)
                | Q(channel="hook", user__isnull=True, push__isnull=True, hook__isnull=False),
                name="delivery_has_its_receiver",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "sent", "dead", "off"]), name="delivery_status_known"
            ),
        ]
        indexes = [models.Index(fields=["not_before"], condition=Q(status="waiting"), name="delivery_owed")]
