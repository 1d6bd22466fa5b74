"""Who asked to be told of what, what happened, and what has been told. Deliveries are rows before they are messages."""

from django.db import models
from django.db.models import Q


class Subscription(models.Model):
    """A FHIR Subscription in service, beside its document, whose id it has.

    `watch`: what an event must at least be about (see services.outbox.Watch), so that the ingest path keeps little that
    nobody asked for. `headers`: sealed, never shown. `numbered`: number of the last event given to it. A worker takes
    it with a conditional UPDATE until `claimed_until`; nothing is sent before `not_before`.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ACTIVE = "active", "Active"
        ERROR = "error", "Error"
        OFF = "off", "Off"

    fhir_id = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(
        "recovery.Connection", null=True, blank=True, on_delete=models.SET_NULL, related_name="subscriptions"
    )
    topic = models.CharField(max_length=300, blank=True, help_text="Canonical address; blank: by criteria.")
    type = models.CharField(max_length=40)
    criteria = models.CharField(max_length=2000, blank=True)
    watch = models.JSONField(default=dict)
    endpoint = models.CharField(max_length=2000)
    payload = models.CharField(max_length=100, blank=True)
    content = models.CharField(max_length=16, default="empty")
    headers = models.TextField(blank=True)
    heartbeat_s = models.PositiveIntegerField(null=True, blank=True)
    timeout_s = models.PositiveIntegerField(null=True, blank=True)
    most_events = models.PositiveIntegerField(default=1)
    ends_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices)
    error = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(help_text="Since when it has its status.")
    numbered = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="Tries in a row that failed.")
    not_before = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["requested", "active", "error", "off"]), name="subscription_status_known"
            ),
            models.CheckConstraint(
                condition=Q(content__in=["empty", "id-only", "full-resource"]), name="subscription_content_known"
            ),
        ]


class ChangeEvent(models.Model):
    """Something that a subscription may want to know of, written in the transaction of its cause.

    It goes once it has been held against all subscriptions. `topic`: for what only a topic tells; blank: the resource
    was created or changed.
    """

    at = models.DateTimeField()
    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.BigIntegerField(default=1)
    patient = models.ForeignKey("recovery.Patient", null=True, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=300, blank=True)


class SubscriptionEvent(models.Model):
    """One event that one subscription is told of: numbered, sent in order, kept until it has arrived.

    It refers to a version of a resource and holds none of it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="events")
    number = models.BigIntegerField()
    at = models.DateTimeField()
    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.BigIntegerField(default=1)
    patient = models.ForeignKey("recovery.Patient", null=True, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=300, blank=True, help_text="Why the last try failed.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "number"], name="subscription_event_once"),
            models.CheckConstraint(condition=Q(status__in=["waiting", "sent", "dead"]), name="event_status_known"),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "status", "number"], condition=~Q(status="sent"), name="event_still_owed"
            ),
            models.Index(fields=["sent_at"], condition=Q(status="sent"), name="event_by_time_sent"),
        ]


class ToldRisk(models.Model):
    """The risk of an episode when the topic risk-change last told of it: the next change is measured from there."""

    episode = models.OneToOneField("recovery.Episode", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    said = models.JSONField(default=dict)
