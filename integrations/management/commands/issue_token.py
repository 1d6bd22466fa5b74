"""`issue_token NAME --scopes "system/*.cruds"`: register a connected system and print its bearer token, once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.smart import scopes
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.services.connections import issue_token


class Command(BaseCommand):
    help = "Register a connected system (or replace its token) and print the bearer token and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the system is called in the audit trail")
        parser.add_argument("--scopes", default="system/*.cruds", help="SMART v2 system scopes, space separated")
        parser.add_argument("--days", type=int, help="valid for so many days; without it until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        if not scopes.parse(options["scopes"]).held:
            raise CommandError(f'"{options["scopes"]}" grants nothing here: write scopes like system/Observation.cruds')
        now = timezone.now()
        expires_at = now + timedelta(days=options["days"]) if options["days"] else None
        try:
            token = issue_token(
                name=options["name"],
                scopes=options["scopes"],
                actor=Actor.system("issue_token"),
                now=now,
                expires_at=expires_at,
            )
        except RecoveryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)
