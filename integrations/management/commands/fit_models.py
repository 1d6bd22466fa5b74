"""`fit_models COHORT --out DIR --suffix NAME`: learn risk model and hypotheses from an export, as plain numbers."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.backtest.errors import BacktestRefused
from integrations.backtest.fitting import learn
from integrations.backtest.running import Options, Served
from integrations.backtest.served import SETS, twin_of
from integrations.management.commands.backtest import cores
from recovery.twin import hazard_store, hypotheses_store
from recovery.twin.fit_hazard import rounded
from recovery.twin.survival import published_model


class Command(BaseCommand):
    help = "Fit the risk model and the hypotheses on a synthetic FHIR Bulk Data export, for shipping."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cohort", type=Path, help="folder of NDJSON files, optionally gzip")
        parser.add_argument("--out", type=Path, required=True, help="folder for hazard_*.json and hypotheses_*.json")
        parser.add_argument("--twin", choices=sorted(SETS), required=True, help="the twin under which they are learned")
        parser.add_argument("--workers", type=int, default=cores(), help="processes (default: all cores)")

    def handle(self, *args: Any, cohort: Path, out: Path, twin: str, workers: int, **options: Any) -> None:
        try:
            learned = learn(
                cohort, Served(published_model(), twin_of(twin)), Options(workers=max(workers, 1)), twin, self._tell
            )
        except BacktestRefused as error:
            raise CommandError(str(error)) from error
        out.mkdir(parents=True, exist_ok=True)
        for kind, plain in (
            ("hazard", hazard_store.to_plain(learned.hazard)),
            ("hypotheses", hypotheses_store.to_plain(learned.hypotheses)),
        ):
            text = json.dumps(rounded(plain), indent=1) + "\n"
            (out / f"{kind}_{twin}.json").write_text(text, encoding="utf-8")

    def _tell(self, doing: str, done: int, total: int) -> None:
        self.stderr.write(f"{doing}: {done} of {total}" if total else doing)
        sys.stderr.flush()
