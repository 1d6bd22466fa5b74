"""The documents shelf: what others tell us, kept whole and versioned (design section 5)."""

from django.db import models


class Document(models.Model):
    """The current version of one FHIR resource. `content` is the exact JSON text, with id and meta set."""

    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    content = models.TextField(blank=True)
    deleted = models.BooleanField(default=False)
    updated_at = models.DateTimeField()
    patient = models.ForeignKey(
        "recovery.Patient", null=True, blank=True, on_delete=models.PROTECT, related_name="documents"
    )
    batch = models.ForeignKey("recovery.Batch", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "fhir_id"], name="document_once")]
        indexes = [
            models.Index(fields=["type", "updated_at", "id"], name="document_by_type"),
            models.Index(fields=["patient", "type"], name="document_of_patient"),
        ]


class DocumentVersion(models.Model):
    """A superseded version (the current one is the Document itself)."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.TextField(blank=True)
    deleted = models.BooleanField(default=False)
    updated_at = models.DateTimeField()
    batch = models.ForeignKey("recovery.Batch", null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="document_version_once")]


class DocumentIndex(models.Model):
    """One value of one search parameter of one document: the same table for every type, on both engines.

    `kind` says which columns speak: token (system, value), string (value, folded), reference (value =
    "Type/id"), date (low_ms..high_ms, half open), number and quantity (number..number_high, system, unit in `value`;
    a system that begins with "~" names a dimension, whose base unit the numbers then have). `part`: which of several
    components it stands in, 0 for the resource itself.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="index", db_index=False)
    type = models.CharField(max_length=40)
    param = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    system = models.CharField(max_length=300, blank=True)
    value = models.CharField(max_length=300, blank=True)
    low_ms = models.BigIntegerField(null=True, blank=True)
    high_ms = models.BigIntegerField(null=True, blank=True)
    number = models.FloatField(null=True, blank=True)
    number_high = models.FloatField(null=True, blank=True)
    part = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            models.Index(fields=["type", "param", "value", "document"], name="index_by_value"),
            models.Index(fields=["document", "param"], name="index_of_document"),
            models.Index(fields=["type", "param", "low_ms"], name="index_by_date"),
            models.Index(
                fields=["type", "param", "system", "number"],
                condition=models.Q(number__isnull=False),
                name="index_by_number",
            ),
        ]


class ConditionalKey(models.Model):
    """Conditional create, safe under concurrency: one row per criteria and a unique constraint."""

    type = models.CharField(max_length=40)
    criteria = models.CharField(max_length=64, help_text="SHA-256 of the normalised criteria.")
    document = models.ForeignKey(Document, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "criteria"], name="conditional_create_once")]


class UnmappedCode(models.Model):
    """A code or unit that the twin has no metric for: stored and listed rather than lost."""

    system = models.CharField(max_length=300, blank=True)
    code = models.CharField(max_length=100, blank=True)
    unit = models.CharField(max_length=60, blank=True)
    display = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=200)
    readings = models.BigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "code", "unit"], name="unmapped_code_once")]
