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
        parser.add_argument("--scopes", default="system/*.cruds", help="SMART scopes, space separated")
        parser.add_argument("--patient", default="", help="FHIR id of the one patient whom its patient/ scopes reach")
        parser.add_argument("--days", type=int, help="valid for so many days; without it until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        held = scopes.parse(options["scopes"]).held
        wanted = "patient" if options["patient"] else "system"
        if not any(one.context == wanted for one in held):
            raise CommandError(f'"{options["scopes"]}" grants nothing here: write scopes like {wanted}/Observation.rs')
        now = timezone.now()
        expires_at = now + timedelta(days=options["days"]) if options["days"] else None
        try:
            token = issue_token(
                name=options["name"],
                scopes=options["scopes"],
                actor=Actor.system("issue_token"),
                now=now,
                expires_at=expires_at,
                patient=options["patient"],
            )
        except RecoveryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)
