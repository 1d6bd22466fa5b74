"""Quantities and composites become searchable: a range of numbers, and which component an entry stands in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recovery", "0004_models_in_service")]
    operations = [
        migrations.AddField("documentindex", "number_high", models.FloatField(blank=True, null=True)),
        migrations.AddField("documentindex", "part", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddIndex(
            "documentindex",
            models.Index(
                fields=["type", "param", "system", "number"],
                condition=models.Q(number__isnull=False),
                name="index_by_number",
            ),
        ),
    ]
