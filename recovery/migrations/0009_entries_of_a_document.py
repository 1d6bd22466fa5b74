"""A criterion on a document already in hand reads that parameter's entries, not all of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recovery", "0008_readings_by_delivery"),
    ]

    operations = [
        migrations.AlterField(
            model_name="documentindex",
            name="document",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="index",
                to="recovery.document",
            ),
        ),
        migrations.AddIndex(
            model_name="documentindex",
            index=models.Index(fields=["document", "param"], name="index_of_document"),
        ),
    ]
