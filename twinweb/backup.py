"""Backup and restore of the embedded product: the database, copied while it is written to, and its keys.

The broker's file is left out on purpose: the work owed is in the database, and the sweep rings for it. Production
uses PostgreSQL's own tools (docs/production.md).
"""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

DATABASE, KEY = "twinweb.sqlite3", "secret_key"
# What sessions and seals, id_tokens and push messages are signed with. Without the last two every app's key set is
# another, and no browser that asked for notices is ever told again.
KEYS = (KEY, "smart-signing-key.pem", "vapid-key.pem")


class BackupRefused(RuntimeError):
    """The backup or restore was not begun, or its result is not sound; the text says why."""


def write_backup(data: Path, target: Path) -> None:
    """Write a consistent copy of the data directory's database and keys to the new directory `target` (0700).

    Raises BackupRefused when `target` exists, cannot be written, or holds a copy that does not pass SQLite's
    integrity check; nothing of it is left then, so that the same command may be given again.
    """
    if not (data / DATABASE).exists():
        raise BackupRefused(f"There is no {DATABASE} in {data}.")
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackupRefused(f"{target} exists; a backup never overwrites another.") from None
    except OSError as error:
        raise BackupRefused(f"{target} cannot be made: {error.strerror}.") from None
    try:
        _copy_database(data / DATABASE, target / DATABASE)
        _copy_keys(data, target)
    except (BackupRefused, OSError) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise BackupRefused(str(error)) from None


def note_done(data: Path, deed: str) -> None:
    """Leave a mark that a "backup" or a "restore" went well: the status page tells its age."""
    (data / f"{deed}.done").touch(mode=0o600)


def ages(data: Path) -> dict[str, float | None]:
    """Seconds since the last good backup and the last good restore, None where there never was one."""
    marks = {deed: data / f"{deed}.done" for deed in ("backup", "restore")}
    return {
        deed: max(time.time() - mark.stat().st_mtime, 0.0) if mark.exists() else None for deed, mark in marks.items()
    }


def restore_backup(source: Path, data: Path) -> Path | None:
    """Put the backup in place of the data directory's database; returns where the old one was moved, if any.

    The product must be stopped: the caller holds the lock of the data directory. Raises BackupRefused when the
    backup is not sound; nothing is changed then.
    """
    if not (source / DATABASE).exists():
        raise BackupRefused(f"There is no {DATABASE} in {source}.")
    fresh = data / f"{DATABASE}.restoring"
    fresh.unlink(missing_ok=True)
    _copy_database(source / DATABASE, fresh)
    old = _move_aside(data)
    fresh.rename(data / DATABASE)
    _copy_keys(source, data)
    return old


def _copy_database(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
            read.backup(write)
            verdict = write.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        target.unlink()
        raise BackupRefused(f"The copy of {source} is not sound: {verdict}")


def _move_aside(data: Path) -> Path | None:
    """Move the present database, with its log, out of the way; nothing is deleted."""
    if not (data / DATABASE).exists():
        return None
    aside = data / f"before-restore-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    aside.mkdir(mode=0o700)
    _copy_keys(data, aside)  # first: where there is no room for them, the database still stands where it stood
    for suffix in ("", "-wal", "-shm"):
        if (data / f"{DATABASE}{suffix}").exists():
            (data / f"{DATABASE}{suffix}").rename(aside / f"{DATABASE}{suffix}")
    return aside


def _copy_keys(source: Path, target: Path) -> None:
    for name in KEYS:
        if (source / name).exists():
            _copy_private(source / name, target / name)


def _copy_private(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        with source.open("rb") as original:
            shutil.copyfileobj(original, copy)
