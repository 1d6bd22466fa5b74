"""`import_fhir DIR`: take in a FHIR Bulk Data export (NDJSON, optionally gzip). Running it again adds nothing."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.bulk import arrivals
from integrations.bulk.files import ExportFile, export_files, lines
from integrations.bulk.importing import Line, Marks, Tally, batches, read_line, take_in
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.services.enrolment import entrust

LINES_A_DELIVERY = 5_000
ENTRUST_AT_ONCE = 500


class Command(BaseCommand):
    help = "Import a FHIR Bulk Data export through the same door as everybody else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--as-arrived", action="store_true", help="received when issued or recorded, oldest first")
        parser.add_argument("--team", default="", help="key of the team to which the patients are entrusted")
        parser.add_argument("--origin", default="", help="where the data came from and its licence; shown with it")
        parser.add_argument("--synthetic", action="store_true", help="the patients are not real people")
        parser.add_argument("--refused", type=Path, help="write refusals and duplicates there, one JSON object a line")
        parser.add_argument("--progress", action="store_true", help="tell the rate on stderr")

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        if not directory.is_dir():
            raise CommandError(f"{directory} is not a directory.")
        files = export_files(directory)
        if not files:
            raise CommandError(f"{directory} holds no FHIR NDJSON files (like Patient.ndjson.gz).")
        tally, marks = Tally(), Marks(options["origin"], options["synthetic"])
        progress = Progress(tally) if options["progress"] else None
        actor = Actor.system("import_fhir")
        if options["as_arrived"]:
            self._in_order_of_arrival(files, marks, actor, tally, progress)
        else:
            for batch in batches(_all_lines(files, marks), LINES_A_DELIVERY):
                take_in(batch, actor=actor, now=timezone.now(), tally=tally)
                _tell(progress)
        if options["team"]:
            self._entrust(files, marks, options["team"], actor)
        self._report(tally, options["refused"])

    def _in_order_of_arrival(
        self, files: Iterable[ExportFile], marks: Marks, actor: Actor, tally: Tally, progress: "Progress | None"
    ) -> None:
        with arrivals.sorted_arrivals(_all_lines(files, marks)) as found:
            for now, arrived in found:
                for batch in batches(arrived, LINES_A_DELIVERY):
                    take_in(batch, actor=actor, now=now, tally=tally)
                _tell(progress)

    def _entrust(self, files: Iterable[ExportFile], marks: Marks, team: str, actor: Actor) -> None:
        patients = (line for line in _all_lines((f for f in files if f.type == "Patient"), marks))
        names = [line.name.partition("/")[2] for line in patients]
        for start in range(0, len(names), ENTRUST_AT_ONCE):
            part = names[start : start + ENTRUST_AT_ONCE]
            try:
                entrust(patient_fhir_ids=part, team_key=team, actor=actor, now=timezone.now())
            except RecoveryError as error:
                raise CommandError(error.message) from error

    def _report(self, tally: Tally, refused: Path | None) -> None:
        for name in tally.read:
            counts = tally.read[name], tally.stored[name], tally.held[name], tally.refused[name]
            self.stdout.write("{}: {} in = {} stored + {} already held + {} refused".format(name, *counts))
        if refused is not None:
            with refused.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(asdict(note)) + "\n" for note in tally.notes)
        if not tally.is_whole:
            raise CommandError("The counts do not add up: this is a fault of the import, please report it.")


def _all_lines(files: Iterable[ExportFile], marks: Marks) -> Iterator[Line]:
    for file in files:
        for number, line in lines(file.path):
            yield read_line(file.type, f"{file.path.name}:{number}", line, marks)


class Progress:
    """Lines a second on stderr, at most once a second."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._began, self._told = tally, time.monotonic(), 0.0

    def tell(self) -> None:
        now = time.monotonic()
        if now - self._told < 1:
            return
        self._told = now
        done = sum(self._tally.read.values())
        print(f"\r{done:,} lines, {done / (now - self._began):,.0f} a second ", end="", file=sys.stderr, flush=True)


def _tell(progress: Progress | None) -> None:
    if progress is not None:
        progress.tell()
