"""Connections: external systems that may talk to us, and with which scopes."""

from django.db import models


class Connection(models.Model):
    """A system client. Only the SHA-256 of its bearer token is kept; the token is shown once, when issued."""

    name = models.CharField(max_length=120, unique=True)
    scopes = models.CharField(max_length=2000)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
