"""`manage.py model_report`: judge the served models on this unit's own patients now; the nightly job does the same.

`--again` computes the newest report once more for its own moment and compares every figure that the pages show.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recovery.audit import Actor
from recovery.services import model_report


class Command(BaseCommand):
    help = "Compute calibration, discrimination, drift, subgroups and alert burden; print them as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="compute the newest report again and compare")

    def handle(self, *args: Any, again: bool = False, **options: Any) -> None:
        if again:
            return self._compare()
        report = model_report.make_report(actor=Actor.system("model_report"), now=timezone.now())
        self.stdout.write(json.dumps({"models": report.model_version, **report.content}, indent=1))

    def _compare(self) -> None:
        found = model_report.differences()
        if found is None:
            raise CommandError("There is no report yet.")
        at, lines = found
        for line in lines:
            self.stdout.write(line)
        if lines:
            raise CommandError(f"{len(lines)} figures of the report of {at:%Y-%m-%d %H:%M} are others now.")
        self.stdout.write(f"Every figure of the report of {at:%Y-%m-%d %H:%M} is the same.")
