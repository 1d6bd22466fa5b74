"""A delivery writes an audit row per patient, and each row went into two indexes that begin with its patient.

The index alone is dropped: altering the field would make SQLite copy the table, and lose the triggers that keep the
trail append-only.
"""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "recovery_auditevent"


def drop_index_of_patient_alone(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        held = connection.introspection.get_constraints(cursor, TABLE)
    for name, one in held.items():
        if one["index"] and one["columns"] == ["patient_id"]:
            schema_editor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("recovery", "0030_helper_readings")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop_index_of_patient_alone, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="auditevent",
                    name="patient",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="audit_events",
                        to="recovery.patient",
                    ),
                ),
            ],
        )
    ]
