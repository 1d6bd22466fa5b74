"""The streams shelf: high-rate readings as narrow rows (design section 5).

A reading is *template + time + value*: everything else is the same for all readings of one patient x metric x
device, so the template is stored once in the Series. A SampledData Observation is a Packet (its text, for reading
back exactly) plus one Sample per number. Samples are a set: the key is the whole reading, so the database itself
makes "the same reading twice" one reading. They are bitemporal through their batches: measured at `at_ms`, known
from `batch.received_at` until `ended_batch.received_at`.
"""

from django.db import models
from django.db.models import F, Q

from recovery.models.consent_sql import SeriesQuerySet
from recovery.models.streams_sql import SampleQuerySet


class Batch(models.Model):
    """One accepted delivery: who brought it and when it was received."""

    connection = models.ForeignKey("recovery.Connection", null=True, blank=True, on_delete=models.PROTECT)
    channel = models.CharField(max_length=24)
    received_at = models.DateTimeField()
    readings = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="batch_by_time")]


class Series(models.Model):
    """One patient x metric x source x shape of message. canonical value = sent value x `scale` + `shift`.

    `metric` is a key of `recovery.twin.metrics` or blank (kept and shown, not in the twin). `source` is the device
    reference or how the reading came about. `shape`: number (a Sample is one Observation), packet (a Packet is
    one), projected (samples drawn from a Document; `Sample.fhir_id` names it). `span_ms`: the time one value covers
    from its `at_ms` on, 0 for an instant.
    """

    class Shape(models.TextChoices):
        NUMBER = "number"
        PACKET = "packet"
        PROJECTED = "projected"

    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="series")
    metric = models.CharField(max_length=40, blank=True)
    system = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=100)
    unit = models.CharField(max_length=60, blank=True)
    scale = models.FloatField(default=1.0)
    shift = models.FloatField(default=0.0)
    source = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=12, default="consumer")
    shape = models.CharField(max_length=10, choices=Shape.choices)
    span_ms = models.BigIntegerField(default=0)
    template = models.TextField(blank=True)
    template_hash = models.CharField(max_length=64)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "template_hash"], name="series_once"),
            models.CheckConstraint(condition=~Q(scale=0), name="series_scale_not_zero"),
        ]
        indexes = [
            models.Index(fields=["patient", "metric"], name="series_of_patient"),
            models.Index(fields=["patient", "code"], name="series_by_code"),
        ]


class Sample(models.Model):
    """One number at one time. Range-partitioned by `at_ms` on PostgreSQL (see migration 0002).

    `digits`: decimals as sent, so that 36.90 reads back as 36.90. `slots`: the few strings that only this reading
    has (identifier, issued), as JSON. `fhir_id`: only where the sender chose the id, or for projected samples.
    """

    pk = models.CompositePrimaryKey("series_id", "at_ms", "value", "digits")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, db_index=False)
    at_ms = models.BigIntegerField()
    value = models.FloatField()
    digits = models.SmallIntegerField(default=0)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="+")
    ended_batch = models.ForeignKey(
        Batch, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    slots = models.TextField(null=True, blank=True)
    fhir_id = models.CharField(max_length=64, null=True, blank=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["fhir_id"], condition=Q(fhir_id__isnull=False), name="sample_by_fhir_id"),
        ]


class FormerSample(models.Model):
    """An earlier life of a Sample that was taken back and said again: known from `batch` until `ended_batch`."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, db_index=False, related_name="+")
    at_ms = models.BigIntegerField()
    value = models.FloatField()
    digits = models.SmallIntegerField(default=0)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="+")
    ended_batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["series", "at_ms"], name="former_by_time")]


class AlsoSaid(models.Model):
    """A second document that says a projected Sample which another one (`Sample.fhir_id`) said first.

    The sample speaks as long as any of them stands: when the first is taken back, the next takes its place.
    """

    fhir_id = models.CharField(max_length=64)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, db_index=False, related_name="+")
    at_ms = models.BigIntegerField()
    value = models.FloatField()
    digits = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "at_ms", "value", "digits", "fhir_id"], name="also_said_once")
        ]
        indexes = [models.Index(fields=["fhir_id"], name="also_said_by_document")]


class Repeated(models.Model):
    """How many readings of a series one delivery brought that were held already: dropped, and counted here alone."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, db_index=False, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="+")
    readings = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "batch"], name="repeated_once_a_delivery")]


class Packet(models.Model):
    """One SampledData Observation as sent: `data` is its text. Its numbers are also Samples of the same Series."""

    pk = models.CompositePrimaryKey("series_id", "at_ms", "digest")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, db_index=False)
    at_ms = models.BigIntegerField()
    digest = models.BigIntegerField(help_text="First 8 bytes of the SHA-256 of what only this packet has.")
    end_ms = models.BigIntegerField()
    data = models.TextField()
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="+")
    ended_batch = models.ForeignKey(
        Batch, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    slots = models.TextField(null=True, blank=True)
    fhir_id = models.CharField(max_length=64, null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end_ms__gte=F("at_ms")), name="packet_ends_after_start")]
        indexes = [
            models.Index(fields=["fhir_id"], condition=Q(fhir_id__isnull=False), name="packet_by_fhir_id"),
        ]
