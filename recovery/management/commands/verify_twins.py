"""Prove that every twin equals its rebuild from all readings (promise 2)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recovery.services.proof import prove_twins


class Command(BaseCommand):
    help = "Rebuild every twin from its readings and compare with the stored one; fails when one differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, help="only so many, the ones computed longest ago first")

    def handle(self, *args: Any, **options: Any) -> None:
        compared, differing = prove_twins(now=timezone.now(), limit=options["limit"])
        if differing:
            raise CommandError(f"{len(differing)} of {compared} twins differ from their rebuild.")
        self.stdout.write(f"{compared} twins equal their rebuild to 1e-9.")
