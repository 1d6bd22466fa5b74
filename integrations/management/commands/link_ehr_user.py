"""`link_ehr_user ISS FHIRUSER USERNAME`: who a person of an EHR is here, when the EHR opens our pages."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.services.ehr_identities import link, unlink


class Command(BaseCommand):
    help = "Link a person of an EHR (iss, fhirUser) with a user here, or end the link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("issuer", help="the EHR's FHIR address, as in EHR_ISSUERS")
        parser.add_argument("fhir_user", help="as the EHR's id_token says it: Practitioner/123")
        parser.add_argument("username", nargs="?", default="", help="who that is here; without it the link is ended")

    def handle(self, *args: Any, **options: Any) -> None:
        said = {"issuer": options["issuer"], "fhir_user": options["fhir_user"]}
        actor, now = Actor.system("link_ehr_user"), timezone.now()
        try:
            if options["username"]:
                link(**said, username=options["username"], actor=actor, now=now)
            else:
                unlink(**said, actor=actor, now=now)
        except RecoveryError as error:
            raise CommandError(error.message) from error
        self.stdout.write("linked" if options["username"] else "unlinked")
