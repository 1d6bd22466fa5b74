"""Messages between a patient and the care team, in threads."""

import uuid

from django.conf import settings
from django.db import models


class Thread(models.Model):
    """One matter that a patient and the team write about. `last_at`, `waiting_since`: kept with each message.

    `waiting_since`: when the oldest message of the patient's side came that the team has not answered; null: none.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("recovery.Patient", on_delete=models.PROTECT, related_name="threads")
    subject = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-last_at"], name="thread_of_patient"),
            models.Index(fields=["waiting_since"], name="thread_waiting"),
        ]


class Message(models.Model):
    """What one person wrote once. `key` is chosen by the sender, so that sending twice is one message.

    `author_words`: who it was, as both sides read it ("Anna (daughter) for Ida"). `read_at`: when the other side
    first opened it; of the team's messages, when the patient did (who helps them: HelperReading).
    `document`: id of the FHIR Communication.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages")
    from_team = models.BooleanField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_words = models.CharField(max_length=200)
    text = models.TextField(max_length=4000)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    read_by_words = models.CharField(max_length=200, blank=True)
    document = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["thread", "sent_at"], name="message_of_thread"),
            models.Index(
                fields=["thread", "from_team"], condition=models.Q(read_at__isnull=True), name="message_unread"
            ),
        ]


class HelperReading(models.Model):
    """Someone who helps the patient has opened a message of the team: the patient's own reading is not told by it."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="helper_readings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    words = models.CharField(max_length=200)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="read_once_by_helper")]
