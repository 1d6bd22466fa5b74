"""What a patient allows: one row a decision, never rewritten; the newest of its kind stands."""

from django.db import models
from django.db.models import Q


class ConsentDecision(models.Model):
    """For one purpose and one type of data: allowed or not, from `since` until `until` (null: it stands).

    `said_by` names who decided, in words ("Anna (daughter) for the patient"); `document`: id of the FHIR Consent.
    """

    class Purpose(models.TextChoices):
        CARE = "care", "My care"
        IMPROVEMENT = "improvement", "Making the service better"
        RESEARCH = "research", "Research"

    class DataType(models.TextChoices):
        ACTIVITY = "activity", "Activity and sleep"
        VITALS = "vitals", "Pulse, breathing, oxygen and temperature"
        IMPLANT = "implant", "Readings of an implant"
        ANSWERS = "answers", "My answers and reports"
        RECORDS = "records", "Hospital records and blood values"

    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    data_type = models.CharField(max_length=10, choices=DataType.choices)
    allowed = models.BooleanField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    said_by = models.CharField(max_length=150)
    document = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "purpose", "data_type"], condition=Q(until__isnull=True), name="consent_stands_once"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["care", "improvement", "research"]), name="consent_purpose"
            ),
            models.CheckConstraint(
                condition=Q(data_type__in=["activity", "vitals", "implant", "answers", "records"]), name="consent_type"
            ),
            # Without its own operation and blood values on record nobody can be cared for (ADR of consents).
            models.CheckConstraint(
                condition=~Q(purpose="care", data_type="records", allowed=False), name="consent_records_for_care"
            ),
        ]


class SourceChoice(models.Model):
    """Of two sources that tell the same measure, the one that the patient wants to be believed."""

    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="source_choices")
    metric = models.CharField(max_length=40)
    source = models.CharField(max_length=200)
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "metric"], name="source_choice_once")]
