"""Connections: external systems and apps that may talk to us, and with which scopes."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Connection(models.Model):
    """A client: a system with a fixed bearer token, a backend service that signs for its tokens, or an app of people.

    Secrets are kept as hashes only and shown once, when issued. `scopes` is the most that it may be given. What OAuth
    knows of it (client id, secret, redirect addresses) is in `application`; a fixed token has none.
    """

    class Kind(models.TextChoices):
        TOKEN = "token", "System with a fixed token"
        BACKEND = "backend", "Backend service"
        APP = "app", "App that people open"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TOKEN, db_default=Kind.TOKEN)
    scopes = models.CharField(max_length=2000)
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    application = models.OneToOneField(
        "oauth2_provider.Application", null=True, blank=True, on_delete=models.PROTECT, related_name="connection"
    )
    jwks = models.JSONField(default=dict, blank=True, help_text="Public keys, where it gives no address for them.")
    jwks_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    launch_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    patient = models.ForeignKey(
        "recovery.Patient",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Of a fixed token: the one patient whom its patient/ scopes reach.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="token", token_hash__isnull=False, application__isnull=True)
                | Q(kind__in=["backend", "app"], token_hash__isnull=True, application__isnull=False),
                name="connection_shows_what_its_kind_has",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SpentAssertion(models.Model):
    """An assertion that a backend service has signed and used: it is good once, for all processes together."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    jti = models.CharField(max_length=64, help_text="SHA-256 of the assertion's own jti, which may be of any length.")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "jti"], name="assertion_once")]


class Launch(models.Model):
    """An app about to be opened for a patient: what `launch` stands for. Good once, for some minutes."""

    handle_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="launches")
    patient = models.ForeignKey("recovery.Patient", on_delete=models.CASCADE)
    encounter = models.CharField(max_length=64, blank=True, help_text="Id of the Encounter document.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class Authorization(models.Model):
    """What a person has allowed an app: as whom it acts, for which patient, with which scopes.

    Found by the hash of its authorization code at first, by the family of its refresh tokens and by its access tokens
    (AuthorizedToken) then.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="authorizations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    patient = models.ForeignKey("recovery.Patient", null=True, blank=True, on_delete=models.CASCADE)
    encounter = models.CharField(max_length=64, blank=True)
    scopes = models.CharField(max_length=2000)
    is_launched = models.BooleanField(default=False, help_text="The patient came with a launch, nobody picked one.")
    code_hash = models.CharField(max_length=64, unique=True)
    family = models.UUIDField(null=True, blank=True, unique=True)
    session_hash = models.CharField(max_length=64, blank=True, help_text="Of online_access: ends with this session.")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "connection"], name="authorization_of_person")]


class AuthorizedToken(models.Model):
    """Which access token stands for which authorization."""

    access_token = models.OneToOneField(
        "oauth2_provider.AccessToken", on_delete=models.CASCADE, related_name="authorized"
    )
    authorization = models.ForeignKey(Authorization, on_delete=models.CASCADE, related_name="tokens")


class EhrIdentity(models.Model):
    """Who a person of an EHR is here, where the EHR opens our pages (`fhir_user` as the EHR's id_token says it)."""

    issuer = models.CharField(max_length=300)
    fhir_user = models.CharField(max_length=300)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "fhir_user"], name="ehr_identity_once")]
