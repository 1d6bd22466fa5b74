"""Codes sent to a phone, which show that whoever gave its number holds it."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class PhoneCode(models.Model):
    """One code, sent to `number` for `user`. It is kept as a keyed digest; `tries`: wrong ones typed against it.

    `proven_at`: when it was typed in; from then on the number is this person's.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="phone_codes")
    number = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    proven_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["number", "sent_at"], name="phone_code_by_number")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "number"], condition=Q(proven_at__isnull=False), name="phone_proven_once"
            )
        ]
