"""`manage.py seed_demo`: a ward of synthetic patients, people who may sign in, and the simulator's token."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from integrations.simulator import ward as wards
from integrations.simulator.accounts import LOGINS_FILE, TOKEN_FILE
from integrations.simulator.cast import CAST
from integrations.simulator.feed import STATE_FILE
from integrations.simulator.seeding import take_in_the_past
from recovery.selectors.fhir_store import get_document


class Command(BaseCommand):
    help = "Fill the demo ward with synthetic patients, once. Running it again adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="another seed, another ward (default 1)")
        parser.add_argument("--patients", type=int, default=None, help="only the first so many patients")

    def handle(self, *args: Any, seed: int, patients: int | None, **options: Any) -> None:
        began = time.monotonic()
        directory = settings.DATA_DIR
        zone = settings.HOSPITAL_TIME_ZONE
        if get_document("Patient", CAST[0].key) is None:
            _forget(directory)
        ward = wards.begin(directory, timezone.now(), seed=seed, zone=zone, patients=patients)
        if ward.finished:
            self.stdout.write("The demo ward is already there.")
            return
        done = take_in_the_past(ward, directory)
        wards.finish(directory, ward)
        self.stdout.write(
            f"Demo ward: {done.patients} synthetic patients, {done.new} new items in {done.rounds} rounds,"
            f" {done.refreshed} looks at twins, in {time.monotonic() - began:.1f} s."
        )


def _forget(directory: Path) -> None:
    """The database holds no demo ward, so files that tell of one (and of its passwords) are from another."""
    for name in (wards.WARD_FILE, LOGINS_FILE, TOKEN_FILE, STATE_FILE):
        (directory / name).unlink(missing_ok=True)
