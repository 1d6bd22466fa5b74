"""Which readings a delivery brought, for histories: rows lie in the order of arrival, so a block range index does."""

from django.db import migrations

TABLES = ("recovery_sample", "recovery_packet")


def index_by_delivery(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(
            f"CREATE INDEX {table}_by_batch ON {table} USING brin (batch_id) WITH (autosummarize = on)"
        )


class Migration(migrations.Migration):
    dependencies = [("recovery", "0007_backtests")]
    operations = [migrations.RunPython(index_by_delivery, migrations.RunPython.noop)]
