"""`trust_ehr NAME --issuer URL --keys FILE|URL`: let a connected system sign its CDS Hooks calls itself."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.smart.keys import check_keys
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.services.cards import trust_ehr


class Command(BaseCommand):
    help = "Trust JWTs that an EHR signs, as calls of the connected system NAME (see issue_token)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the connected system whose scopes its calls have")
        parser.add_argument("--issuer", required=True, help="iss as the EHR writes it, https://...")
        parser.add_argument("--keys", required=True, help="its JWKS: a file, or the https address where it is")

    def handle(self, *args: Any, **options: Any) -> None:
        keys, url = options["keys"], ""
        jwks: dict[str, Any] = {}
        if keys.startswith(("https://", "http://")):
            url = keys
        else:
            jwks = _read(Path(keys))
        actor, now = Actor.system("trust_ehr"), timezone.now()
        try:
            trust_ehr(connection=options["name"], issuer=options["issuer"], jwks=jwks, url=url, actor=actor, now=now)
        except RecoveryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{options['issuer']} is trusted as {options['name']}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as JSON.") from error
    if not isinstance(said, dict) or not check_keys(said):
        raise CommandError(f"{path} holds no RSA or EC key that can be used.")
    return said
