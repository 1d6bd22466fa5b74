"""The audit trail is append-only in the database itself, and its chain shows what was tampered with."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Event, Thread

import pytest
from django.db import DatabaseError, connection, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.models import AuditEvent

NOW = datetime(2026, 3, 5, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)
storage = import_module("recovery.migrations.0002_streams_and_audit_storage")


@pytest.fixture
def kept_append_only():
    """The delete trigger of the migration, which the other tests do without (tests/conftest.py)."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(storage.APPEND_ONLY_SQLITE[0])
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_delete")


def write(count: int) -> None:
    for k in range(count):
        audit.record(actor=Actor.system("test"), now=NOW + timedelta(seconds=k), action="view", entity=f"X/{k}")


def tampered(change: str) -> int | None:
    """Break the trail as somebody with the database in hand could: without its triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_no_rewrite")
        else:
            cursor.execute("ALTER TABLE recovery_auditevent DISABLE TRIGGER audit_append_only")
        try:
            cursor.execute(change)
            return audit.verify_chain()
        finally:
            if connection.vendor == "sqlite":
                cursor.execute(storage.APPEND_ONLY_SQLITE[1])
            else:
                cursor.execute("ALTER TABLE recovery_auditevent ENABLE TRIGGER audit_append_only")


def test_a_row_cannot_be_deleted(kept_append_only):
    write(2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.count() == 2


def test_a_row_cannot_be_rewritten():
    write(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(actor_name="somebody else")


def test_a_sealed_row_cannot_be_sealed_again():
    write(1)
    audit.seal_chain()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(seal="0" * 64)


def test_sealing_goes_on_where_it_stopped_and_the_chain_is_whole():
    write(3)
    assert audit.seal_chain() == 3
    write(2)
    assert audit.seal_chain() == 2
    assert audit.verify_chain() is None


def on_another_connection(work) -> Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_row_whose_writer_commits_late_does_not_break_the_chain():
    written, go_on = Event(), Event()

    def commit_late() -> None:
        with transaction.atomic():
            write(1)
            written.set()
            go_on.wait(20)

    late = on_another_connection(commit_late)
    assert written.wait(20)
    write(2)
    sealed_meanwhile = audit.seal_chain()
    go_on.set()
    late.join()
    assert sealed_meanwhile == 0
    assert audit.seal_chain() == 3
    assert audit.verify_chain() is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_sealers_that_meet_keep_the_chain_whole():
    write(600)
    sealers = [on_another_connection(audit.seal_chain) for _ in range(3)]
    write(50)
    for sealer in sealers:
        sealer.join()
    audit.seal_chain()
    assert not AuditEvent.objects.filter(seal="").exists()
    assert audit.verify_chain() is None


def test_an_edited_row_shows():
    write(4)
    audit.seal_chain()
    second = AuditEvent.objects.order_by("id")[1].pk
    assert tampered(f"UPDATE recovery_auditevent SET entity = 'Y' WHERE id = {second}") == second


def test_a_removed_row_shows_at_its_successor():
    write(4)
    audit.seal_chain()
    ids = list(AuditEvent.objects.order_by("id").values_list("pk", flat=True))
    assert tampered(f"DELETE FROM recovery_auditevent WHERE id = {ids[1]}") == ids[2]


def test_everything_is_sealed_however_much_there_is(monkeypatch):
    monkeypatch.setattr(audit, "SEAL_BATCH", 3)
    write(8)
    assert audit.seal_all() == 8
    assert audit.verify_chain() is None
