"""`manage.py restore DIR`: put a backup of the embedded database in place. The product must be stopped."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from twinweb import lock
from twinweb.backup import BackupRefused, note_done, restore_backup


class Command(BaseCommand):
    help = "Replace the embedded database by a backup; the present one is moved aside, not deleted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("With DATABASE_URL set, use pg_restore; see docs/production.md.")
        try:
            held = lock.hold(settings.DATA_DIR, f"process {os.getpid()} (restore)")
            old = restore_backup(directory, settings.DATA_DIR)
            note_done(settings.DATA_DIR, "restore")
            os.close(held)
        except (lock.DataDirectoryInUse, BackupRefused, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Restored." + (f" The former database is in {old}." if old else ""))
        self.stdout.write("Start with: python manage.py up (it applies migrations that the backup lacks).")
