"""What Django cannot say: partitions on PostgreSQL, and an audit trail that the database itself keeps append-only."""

from django.db import migrations

PARTITIONED = {"recovery_sample": "series_id, at_ms, value, digits", "recovery_packet": "series_id, at_ms, digest"}


def partition_by_time(apps, schema_editor):
    """Turn the still empty tables into range-partitioned ones; a default partition takes what has no month yet."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, key in PARTITIONED.items():
        run = schema_editor.execute
        run(f"ALTER TABLE {table} RENAME TO {table}_plain")
        run(
            f"CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            " PARTITION BY RANGE (at_ms)"
        )
        run(f"DROP TABLE {table}_plain")
        run(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
        run(f"CREATE INDEX {table}_by_fhir_id ON {table} (fhir_id) WHERE fhir_id IS NOT NULL")
        run(f"ALTER TABLE {table} ADD FOREIGN KEY (series_id) REFERENCES recovery_series (id)")
        run(f"ALTER TABLE {table} ADD FOREIGN KEY (batch_id) REFERENCES recovery_batch (id)")
        run(f"ALTER TABLE {table} ADD FOREIGN KEY (ended_batch_id) REFERENCES recovery_batch (id)")
        run(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")


APPEND_ONLY_SQLITE = [
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON recovery_auditevent
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_no_rewrite BEFORE UPDATE ON recovery_auditevent
       WHEN OLD.seal <> '' OR OLD.at IS NOT NEW.at OR OLD.actor_name IS NOT NEW.actor_name
         OR OLD.action IS NOT NEW.action OR OLD.entity IS NOT NEW.entity OR OLD.outcome IS NOT NEW.outcome
         OR OLD.detail IS NOT NEW.detail
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
]
APPEND_ONLY_POSTGRESQL = [
    """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' OR OLD.seal <> '' OR OLD.at IS DISTINCT FROM NEW.at
            OR OLD.actor_name IS DISTINCT FROM NEW.actor_name OR OLD.action IS DISTINCT FROM NEW.action
            OR OLD.entity IS DISTINCT FROM NEW.entity OR OLD.outcome IS DISTINCT FROM NEW.outcome
            OR OLD.detail IS DISTINCT FROM NEW.detail THEN
           RAISE EXCEPTION 'the audit trail is append-only';
         END IF;
         RETURN NEW;
       END $$""",
    """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON recovery_auditevent
       FOR EACH ROW EXECUTE FUNCTION audit_append_only()""",
]


def keep_audit_append_only(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in APPEND_ONLY_POSTGRESQL if vendor == "postgresql" else APPEND_ONLY_SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("recovery", "0001_initial")]
    operations = [
        migrations.RunPython(partition_by_time, migrations.RunPython.noop),
        migrations.RunPython(keep_audit_append_only, migrations.RunPython.noop),
    ]
