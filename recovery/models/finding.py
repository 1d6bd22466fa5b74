"""Findings: comorbidities, complications, stays and baseline factors that the models read."""

from django.db import models
from django.db.models import Q


class Finding(models.Model):
    """One coded fact about a patient, projected from a Condition, Encounter or one-off Observation document.

    `key` is the product's word ("diabetes", "ssi", "asa", "inpatient"); blank when no word fits the code.
    `recorded_at` is when it became known, `onset_at` when it began.
    """

    class Kind(models.TextChoices):
        COMORBIDITY = "comorbidity", "Comorbidity"
        COMPLICATION = "complication", "Complication"
        STAY = "stay", "Hospital stay"
        FACTOR = "factor", "Baseline factor"

    patient = models.ForeignKey("recovery.Patient", on_delete=models.CASCADE, related_name="findings")
    document_type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64, blank=True)
    text = models.CharField(max_length=300, blank=True)
    number = models.FloatField(null=True, blank=True)
    onset_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document_type", "fhir_id"], name="finding_of_one_document"),
            models.CheckConstraint(
                condition=Q(kind__in=["comorbidity", "complication", "stay", "factor"]),
                name="finding_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["patient", "kind"], name="finding_of_patient")]
