"""A reading is found by its identifier: an index on the reading's own strings (see `selectors.fhir_streams`).

It leaves out readings whose first string is a time: those without an identifier, or with an end of their own.
"""

from django.db import migrations

TABLES = ("recovery_sample", "recovery_packet")
HAS_IDENTIFIER = "slots IS NOT NULL AND NOT (slots LIKE '[\"____-__-__T%')"


def index_identifiers(apps, schema_editor):
    """Prefixes are looked for, whatever the database's collation."""
    by_prefix = " text_pattern_ops" if schema_editor.connection.vendor == "postgresql" else ""
    for table in TABLES:
        schema_editor.execute(
            f"CREATE INDEX {table}_by_own ON {table} (slots{by_prefix}) WHERE {HAS_IDENTIFIER}", params=None
        )


def drop(apps, schema_editor):
    for table in TABLES:
        schema_editor.execute(f"DROP INDEX {table}_by_own", params=None)


class Migration(migrations.Migration):
    dependencies = [("recovery", "0005_numbers_and_parts_of_the_index")]
    operations = [migrations.RunPython(index_identifiers, drop)]
