"""Those who help a patient are told as well: how each is reached, of what, and what was sent to them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0024_privacy_officers_are_told"),
    ]

    operations = [
        migrations.AddField(
            model_name="caregivergrant",
            name="told_check_ins",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="caregivergrant",
            name="told_messages",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="CaregiverContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("none", "Not at all"), ("email", "E-mail"), ("sms", "SMS"), ("push", "Push message")],
                        default="none",
                        max_length=5,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=254)),
                ("quiet_from", models.TimeField()),
                ("quiet_until", models.TimeField()),
                ("zone", models.CharField(max_length=64)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("set_at", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="caregiver_contact",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("channel", "sms")), fields=["address"], name="caregiver_by_phone")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["none", "email", "sms", "push"])),
                        name="caregiver_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("channel__in", ["none", "push"]), models.Q(("address", ""), _negated=True), _connector="OR"
                        ),
                        name="caregiver_has_an_address",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaregiverMessageNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("channel", models.CharField(max_length=5)),
                ("not_before", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_as",
                    models.CharField(
                        blank=True, help_text="sent, answered, read, expired, stopped, failed", max_length=12
                    ),
                ),
                ("last_error", models.CharField(blank=True, max_length=200)),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="message_notices",
                        to="recovery.caregivergrant",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="caregiver_notices",
                        to="recovery.message",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_as", "")), fields=["not_before"], name="caregiver_notice_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("grant", "message"), name="caregiver_notice_once_a_message")
                ],
            },
        ),
        migrations.CreateModel(
            name="CaregiverReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("channel", models.CharField(max_length=5)),
                ("not_before", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_as",
                    models.CharField(
                        blank=True, help_text="sent, answered, read, expired, stopped, failed", max_length=12
                    ),
                ),
                ("last_error", models.CharField(blank=True, max_length=200)),
                ("slot", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField()),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="recovery.episode"
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reminders",
                        to="recovery.caregivergrant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_as", "")), fields=["not_before"], name="caregiver_reminder_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("grant", "episode", "slot"), name="caregiver_reminder_once_a_slot")
                ],
            },
        ),
    ]
