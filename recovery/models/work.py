"""Work owed: the row is the truth, the broker a doorbell (design section 9)."""

from django.db import models
from django.db.models import F, Q


class Owed(models.Model):
    """Work owed for one (kind, key), written in the same transaction as its cause.

    `seq` grows with every cause; the work is done when `done_seq == seq`. A worker claims the row with a
    conditional UPDATE until `claimed_until`, works on the `seq` it saw, and sets `done_seq` to that number: what
    arrived meanwhile is still owed. `dirty_from_ms` is the earliest reading time not yet folded in.
    """

    kind = models.CharField(max_length=24)
    key = models.BigIntegerField()
    seq = models.BigIntegerField(default=1)
    done_seq = models.BigIntegerField(default=0)
    dirty_from_ms = models.BigIntegerField(null=True, blank=True)
    owed_since = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="owed_once"),
            models.CheckConstraint(condition=Q(done_seq__lte=F("seq")), name="owed_never_overdone"),
        ]
        indexes = [models.Index(fields=["kind", "owed_since"], condition=Q(done_seq__lt=F("seq")), name="owed_open")]
