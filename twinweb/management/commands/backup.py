"""`manage.py backup DIR`: copy the embedded database while it is in use."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from twinweb.backup import BackupRefused, note_done, write_backup


class Command(BaseCommand):
    help = "Write a consistent copy of the embedded database and its keys to a new directory. May run at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("With DATABASE_URL set, use pg_dump; see docs/production.md.")
        try:
            write_backup(settings.DATA_DIR, directory)
            note_done(settings.DATA_DIR, "backup")
        except BackupRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Written to {directory}. It holds patient data and the secret keys: encrypt it.")
