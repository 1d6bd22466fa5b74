"""Readings that a person has marked as wrong, why, and whether the mark still stands."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

# The channel of the batches that end a reading and let it speak again: no sender's delivery has it.
MARK_CHANNEL = "mark"


class ReadingMark(models.Model):
    """One judgement on one reading, named by the key of its Sample (ADR 1).

    `received`: the delivery that had brought the reading. `ended`: the batch that ended it, at `marked_at`. While the
    mark stands (`undone_at` null) no sender's retry makes the reading speak again.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    series = models.ForeignKey("recovery.Series", on_delete=models.PROTECT, db_index=False, related_name="+")
    at_ms = models.BigIntegerField()
    value = models.FloatField()
    digits = models.SmallIntegerField(default=0)
    reason = models.CharField(max_length=300)
    received = models.ForeignKey("recovery.Batch", on_delete=models.PROTECT, db_index=False, related_name="+")
    ended = models.ForeignKey("recovery.Batch", on_delete=models.PROTECT, db_index=False, related_name="+")
    marked_at = models.DateTimeField()
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    marked_by_name = models.CharField(max_length=150)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "at_ms", "value", "digits"],
                condition=Q(undone_at__isnull=True),
                name="reading_marked_once",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reading_mark_has_a_reason"),
        ]
        indexes = [models.Index(fields=["series", "at_ms"], name="reading_mark_by_time")]
