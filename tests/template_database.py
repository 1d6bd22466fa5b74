"""The migrated, empty SQLite database of the tests, kept between runs: making it anew costs more than most tests.

It is keyed by everything that shapes it (migrations, models, requirements), so a changed model never meets an old one.
`TWINWEB_TEST_TEMPLATE=0` always migrates.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHAPED_BY = ("recovery/migrations/*.py", "recovery/models/*.py", "requirements.txt", "twinweb/settings.py")


def path() -> Path | None:
    """Where the template is or would be; None when it is not wanted or the tests do not run on SQLite."""
    if os.environ.get("TWINWEB_TEST_TEMPLATE") == "0" or os.environ.get("DATABASE_URL"):
        return None
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    for pattern in SHAPED_BY:
        for file in sorted(ROOT.glob(pattern)):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return Path(tempfile.gettempdir()) / f"twinweb-template-{os.getuid()}" / f"{digest.hexdigest()[:24]}.sqlite3"


def make() -> None:
    """The template, where it is wanted and not there yet: else each worker of a run would make it."""
    template = path()
    if template is None or template.exists():
        return
    with tempfile.TemporaryDirectory(prefix="twinweb-template-") as data:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "TWINWEB_DATA": data, "TWINWEB_DEMO": "0"}, check=True)
        with closing(sqlite3.connect(Path(data) / "twinweb.sqlite3")) as migrated:
            _store(template, migrated)


def begin(data: Path) -> bool:
    """A data directory begins with a copy of the template; False where there is none, and it has to migrate."""
    template = path()
    if template is None or not template.exists():
        return False
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(template, data / "twinweb.sqlite3")
    return True


def load(template: Path, connection: Any) -> None:
    """The test database becomes a copy of the template."""
    connection.ensure_connection()
    source = sqlite3.connect(template)
    try:
        source.backup(connection.connection)
    finally:
        source.close()


def keep(template: Path, connection: Any) -> None:
    """The test database, just migrated, becomes the template."""
    connection.ensure_connection()
    _store(template, connection.connection)


def _store(template: Path, migrated: sqlite3.Connection) -> None:
    """Written aside and renamed, so none is ever half there."""
    template.parent.mkdir(mode=0o700, exist_ok=True)
    aside = template.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(aside)) as target:
        migrated.backup(target)
    aside.rename(template)
