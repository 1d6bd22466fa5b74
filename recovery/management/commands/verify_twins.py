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
        proof = prove_twins(now=timezone.now(), limit=options["limit"])
        left_out = (
            f"Left out: {proof.at_work} with work owed, {proof.outdated} of another model or format,"
            f" {proof.not_reached} beyond the limit."
        )
        if proof.differ:
            raise CommandError(f"{len(proof.differ)} of {proof.compared} twins differ from their rebuild. {left_out}")
        self.stdout.write(f"{proof.compared} twins equal their rebuild to 1e-9. {left_out}")
