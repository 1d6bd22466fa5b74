"""`backtest COHORT --out DIR`: replay a hospital's past through the twin; writes what it would have said."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.running import Options, backtest, end_with
from integrations.backtest.served import served, tuned
from integrations.fhir.primitives import moment_of
from recovery.twin.evaluate_backtest_run import EVERY_H

DIVISORS = (1, 2, 3, 4, 6, 8, 12, 24)
REFUSED = 2


class Command(BaseCommand):
    help = "Replay a FHIR Bulk Data export in order of arrival and report what the twin would have said."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cohort", type=Path, help="folder of NDJSON files, optionally gzip")
        parser.add_argument("--out", type=Path, required=True, help="folder for the CSV files and the report")
        parser.add_argument("--model", default="", help="version of a stored model, or 'current'; default: as shipped")
        parser.add_argument("--until", default="", help="FHIR dateTime: rows before it, from what was known by then")
        parser.add_argument("--folds", type=int, default=0, help="judge each patient by a model fitted on other folds")
        parser.add_argument(
            "--budget", type=float, help="tune the alert policy to so many false alarms per patient-day"
        )
        parser.add_argument(
            "--tuned-on", type=Path, help="report.json of an earlier backtest whose burden the tuning uses"
        )
        parser.add_argument("--workers", type=int, default=cores(), help="processes (default: all cores)")
        parser.add_argument(
            "--every", type=int, default=EVERY_H, choices=DIVISORS, help="hours between looks (default: %(default)s)"
        )
        parser.add_argument("--in-background", action="store_true", help="give way to others; end with the caller")

    def handle(self, *args: Any, cohort: Path, out: Path, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _stop)
        if options["folds"] not in (0, *range(2, 51)):
            raise CommandError("--folds: give 2 to 50, or none.", returncode=REFUSED)
        if options["in_background"]:
            os.nice(10)
            end_with(os.getppid())
        try:
            wanted = Options(_until(options["until"]), options["folds"], max(options["workers"], 1), options["every"])
            judged = tuned(served(options["model"]), options["budget"], options["tuned_on"])
            report = backtest(cohort, out, judged, wanted, self._tell)
        except BacktestRefused as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except OSError as error:
            raise CommandError(f"{error.strerror or error}: {error.filename or out}") from error
        except KeyboardInterrupt as stopped:
            raise CommandError("Stopped; nothing was written.", returncode=130) from stopped
        alerts = report["alerts"]
        flagged, false = alerts["flagged_before_diagnosis"], alerts["false_alarms_per_patient_day"]
        self.stdout.write(f"{report['subjects']} operations replayed in {report['run']['seconds']} s: {out}")
        self.stdout.write(
            f"complications flagged before diagnosis: {flagged} of {alerts['complications']},"
            f" false alarms per patient-day: {false[0] if false else '-'}"
        )
        self.stdout.write(report["note"])

    def _tell(self, doing: str, done: int, total: int) -> None:
        self.stderr.write(f"{doing}: {done} of {total}" if total else doing)
        sys.stderr.flush()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _until(said: str) -> datetime | None:
    try:
        return moment_of(said) if said else None
    except ValueError as error:
        raise CommandError(f"--until: {error}", returncode=REFUSED) from error


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
