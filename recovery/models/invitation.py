"""One-time links by which staff choose their first password, or a new one."""

from django.conf import settings
from django.db import models


class StaffInvitation(models.Model):
    """Only the digest of the link's secret is kept: who reads the database cannot use the link."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=150)
