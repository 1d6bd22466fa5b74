"""Who saw or changed what, when, and with which outcome. Append-only; sealed into a hash chain by a job."""

from django.db import models


class AuditEvent(models.Model):
    """One access. `seal` = HMAC(key, previous seal || this row), filled in order by the sealing job."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12)  # user, connection, system
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    patient = models.ForeignKey(  # `audit_of_patient` begins with it: an index of its own would find nothing more
        "recovery.Patient",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="audit_events",
        db_index=False,
    )
    entity = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=12, default="success")
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "at"], name="audit_of_patient"),
            models.Index(fields=["id"], condition=models.Q(seal=""), name="audit_unsealed"),
        ]
