"""`manage.py simulate`: the demo ward's devices, sending to the FHIR door over HTTP like anybody's."""

import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations.simulator import ward as wards
from integrations.simulator.accounts import TOKEN_FILE
from integrations.simulator.client import Client
from integrations.simulator.feed import cadence
from integrations.simulator.live import Loop


class Command(BaseCommand):
    help = "Go on sending the demo ward's synthetic readings to the FHIR endpoint, catching up on what was missed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/fhir"
        parser.add_argument("--rate", type=float, default=2.0, help="at most so many readings a second (default 2)")
        parser.add_argument("--base-url", default=address, help=f"FHIR endpoint (default {address})")

    def handle(self, *args: Any, rate: float, base_url: str, **options: Any) -> None:
        if not rate > 0:
            raise CommandError("--rate must be more than 0 readings a second.")
        directory = settings.DATA_DIR
        ward, token = wards.remembered(directory), directory / TOKEN_FILE
        if ward is None or not token.exists():
            raise CommandError("There is no demo ward here yet: run manage.py seed_demo first.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Loop(
            ward=ward,
            members=ward.members,
            directory=directory,
            client=Client(base_url, lambda: token.read_text().strip(), stop.wait),
            every=cadence(ward.members, rate),
            clock=timezone.now,
            wait=stop.wait,
            tell=lambda line: self.stdout.write(line),
        ).run()
