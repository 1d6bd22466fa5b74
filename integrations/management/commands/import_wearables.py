"""`import_wearables KIND PATH`: real wearable files through the FHIR door. Running it again adds nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.bulk.importing import Line, Tally, batches, take_in
from integrations.wearables.registry import KINDS, mapper
from recovery.audit import Actor

LINES_A_DELIVERY = 5_000


class Command(BaseCommand):
    help = "Import a published wearable data set; licence and origin are shown with each person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, kind: str, path: Path, **options: Any) -> None:
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        tally, actor = Tally(), Actor.system("import_wearables")
        made = mapper(kind)(path)
        lines = (Line(one["resourceType"], f"{path.name}:{number}", one) for number, one in enumerate(made, start=1))
        try:
            for batch in batches(lines, LINES_A_DELIVERY):
                take_in(batch, actor=actor, now=timezone.now(), tally=tally)
        except (KeyError, ValueError, UnicodeDecodeError) as error:
            raise CommandError(f"{path.name} is not a {kind} file: {error}") from error
        for name in tally.read:
            counts = (tally.read[name], tally.stored[name], tally.held[name], tally.refused[name])
            self.stdout.write("{}: {} in = {} stored + {} already held + {} refused".format(name, *counts))
        for note in tally.notes[:20]:
            self.stderr.write(f"{note.source} {note.name}: {note.reason}")
