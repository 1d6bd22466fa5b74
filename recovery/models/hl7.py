"""HL7 v2 messages that arrived over MLLP, and what became of each."""

from django.db import models


class Hl7Message(models.Model):
    """One message by its sender (MSH-3|MSH-4), control id (MSH-10) and content: sent again, it is answered as before.

    `answer`: the acknowledgement code given (AA taken, AE refused for what it says, AR not for us). `text` is kept of
    refused ones only, until they are taken or dropped by a person: what was taken is in the record it made.
    """

    sender = models.CharField(max_length=200)
    control_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the message as it arrived.")
    kind = models.CharField(max_length=20, blank=True, help_text="ADT^A01")
    peer = models.CharField(max_length=64, blank=True)
    answer = models.CharField(max_length=2)
    reason = models.CharField(max_length=500, blank=True)
    place = models.CharField(max_length=60, blank=True, help_text="Segment and field: PID-3")
    text = models.TextField(blank=True)
    batch = models.ForeignKey("recovery.Batch", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    times = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    last_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True, help_text="A refused one: taken after all, or dropped.")
    settled_as = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "control_id", "digest"], name="hl7_message_once")]
        indexes = [
            models.Index(fields=["-received_at"], name="hl7_newest"),
            models.Index(
                fields=["received_at"],
                condition=models.Q(settled_at__isnull=True) & ~models.Q(answer="AA"),
                name="hl7_dead_letters",
            ),
        ]


class PatientMerge(models.Model):
    """`gone` was found to be the same person as `survivor`, who has had what was `gone`'s since.

    `moved`: row ids by kind, and what has to be put back word for word, so that it can be undone.
    """

    survivor = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="merges")
    gone = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="merged_into")
    moved = models.JSONField(default=dict)
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=150)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(survivor=models.F("gone")), name="merge_of_two"),
            models.UniqueConstraint(
                fields=["gone"], condition=models.Q(undone_at__isnull=True), name="merged_into_one"
            ),
        ]


class PausedPipe(models.Model):
    """A way in or out that an administrator has stopped for now."""

    name = models.CharField(max_length=80, unique=True)
    paused_at = models.DateTimeField()
    paused_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
