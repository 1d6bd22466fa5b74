"""When privacy officers were told of an emergency access, and when they were reminded of its review."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recovery", "0023_surgeons")]

    operations = [
        migrations.AddField("emergencyaccess", "told_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("emergencyaccess", "reminded_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("emergencyaccess", "telling_until", models.DateTimeField(blank=True, null=True)),
    ]
