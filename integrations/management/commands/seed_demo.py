"""`manage.py seed_demo`: a ward of synthetic patients, people who may sign in, and the simulator's token."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from integrations.simulator import ward as wards
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
        ward = wards.begin(directory, timezone.now(), seed=seed, zone=zone, patients=patients)
        if ward.finished and get_document("Patient", ward.members[0].key) is not None:
            self.stdout.write("The demo ward is already there.")
            return
        done = take_in_the_past(ward, directory)
        wards.finish(directory, ward)
        self.stdout.write(
            f"Demo ward: {done.patients} synthetic patients, {done.new} new items in {done.rounds} rounds,"
            f" {done.refreshed} looks at twins, in {time.monotonic() - began:.1f} s."
        )
