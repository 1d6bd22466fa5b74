"""A backup taken while the database is written to is whole, and a restore gives back what it held."""

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from twinweb import backup, lock
from twinweb.backup import DATABASE, KEY, KEYS, BackupRefused, restore_backup, write_backup


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / KEY).write_text("a-key")
    with closing(sqlite3.connect(directory / DATABASE)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE pair (a INTEGER, b INTEGER)")
    return directory


def _pairs(path: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute("SELECT a, b FROM pair").fetchall()


def _insert(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path, timeout=20)) as opened, opened:
        opened.execute("INSERT INTO pair VALUES (?, 0)", (number,))
        opened.execute("UPDATE pair SET b = ? WHERE a = ?", (number, number))


def test_a_backup_during_writes_holds_only_whole_transactions(data: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            _insert(data / DATABASE, number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            write_backup(data, tmp_path / f"backup-{number}")
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        assert all(a == b for a, b in _pairs(tmp_path / f"backup-{number}" / DATABASE))


def test_a_restore_gives_back_the_backup_and_keeps_the_former_database(data: Path, tmp_path: Path) -> None:
    _insert(data / DATABASE, 1)
    write_backup(data, tmp_path / "backup")
    _insert(data / DATABASE, 2)
    (data / KEY).write_text("another-key")
    old = restore_backup(tmp_path / "backup", data)
    assert _pairs(data / DATABASE) == [(1, 1)]
    assert (data / KEY).read_text() == "a-key"
    assert old is not None and _pairs(old / DATABASE) == [(1, 1), (2, 2)]


def test_a_restore_on_a_new_machine_brings_every_key(data: Path, tmp_path: Path) -> None:
    """Else apps distrust the id_tokens, and browsers that asked for notices are never told again."""
    for name in KEYS:
        (data / name).write_text(f"of {name}")
    write_backup(data, tmp_path / "backup")
    (tmp_path / "new").mkdir()
    restore_backup(tmp_path / "backup", tmp_path / "new")
    assert [(tmp_path / "new" / name).read_text() for name in KEYS] == [f"of {name}" for name in KEYS]


def test_a_backup_that_fails_half_way_leaves_nothing_and_may_be_tried_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (data / KEY).write_text("a-key")
    with monkeypatch.context() as patched:
        patched.setattr(backup, "_copy_private", full)
        with pytest.raises(BackupRefused, match="No space left"):
            write_backup(data, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    write_backup(data, tmp_path / "backup")


def test_a_backup_is_private(data: Path, tmp_path: Path) -> None:
    write_backup(data, tmp_path / "backup")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backup").iterdir()}
    assert modes == {0o600} and stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700


def test_a_backup_never_overwrites_another(data: Path, tmp_path: Path) -> None:
    write_backup(data, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="never overwrites"):
        write_backup(data, tmp_path / "backup")


def test_a_damaged_backup_changes_nothing(data: Path, tmp_path: Path) -> None:
    _insert(data / DATABASE, 1)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / DATABASE).write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    with pytest.raises(BackupRefused, match="not sound"):
        restore_backup(broken, data)
    assert _pairs(data / DATABASE) == [(1, 1)]


def test_a_restore_under_a_running_product_is_refused(data: Path, tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.EMBEDDED = data, True
    write_backup(data, tmp_path / "backup")
    held = lock.hold(data, "process 1 (http://127.0.0.1:8000)")
    with pytest.raises(CommandError, match="in use by process 1"):
        call_command("restore", str(tmp_path / "backup"))
    os.close(held)


def test_production_is_sent_to_its_own_tools(settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", str(tmp_path / "backup"))
