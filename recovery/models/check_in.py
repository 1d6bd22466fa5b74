"""Check-ins: what a patient is answering, and what they have answered, once each time they were asked."""

from django.conf import settings
from django.db import models


class CheckInDraft(models.Model):
    """Answers not yet sent. `slot` names the time it was asked for ("daily-2026-03-04"); `client_id` the attempt.

    `answers`: link id -> answer as plain JSON. `told`: questions whose dangerous answer the team was told already.
    """

    episode = models.ForeignKey("recovery.Episode", on_delete=models.CASCADE, related_name="check_in_drafts")
    slot = models.CharField(max_length=64)
    client_id = models.UUIDField(unique=True)
    answers = models.JSONField(default=dict)
    told = models.JSONField(default=list)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["episode", "slot"], name="draft_once_a_slot")]
        indexes = [models.Index(fields=["updated_at"], name="draft_by_age")]


class CheckInResponse(models.Model):
    """One answered check-in: the database admits one for a slot, and one for a client id.

    `answered_at`: when the person answered (offline: by the phone's clock, kept within reason), `received_at` when it
    came here. `dangers`: [{question, level}] as the patient was told. `document`: id of the QuestionnaireResponse.
    """

    episode = models.ForeignKey("recovery.Episode", on_delete=models.PROTECT, related_name="check_ins")
    slot = models.CharField(max_length=64)
    questionnaire = models.CharField(max_length=64)
    version = models.CharField(max_length=20)
    client_id = models.UUIDField(unique=True)
    answers = models.JSONField(default=dict)
    dangers = models.JSONField(default=list)
    channel = models.CharField(max_length=12)
    document = models.CharField(max_length=64)
    answered_at = models.DateTimeField()
    received_at = models.DateTimeField()
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text="From the first page to sending.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    by_words = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["episode", "slot"], name="response_once_a_slot")]
        indexes = [models.Index(fields=["episode", "-answered_at"], name="response_of_episode")]


class DraftPhoto(models.Model):
    """A photo taken for a question and not yet sent: gone without a trace when retaken, deleted or never sent."""

    draft = models.ForeignKey(CheckInDraft, on_delete=models.CASCADE, related_name="photos")
    link_id = models.CharField(max_length=64)
    jpeg = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "link_id"], name="photo_once_a_question")]
