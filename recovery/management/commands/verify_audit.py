"""Check the chain of the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recovery import audit


class Command(BaseCommand):
    help = "Check that no sealed row of the audit trail was changed, removed or reordered."

    def handle(self, *args: Any, **options: Any) -> None:
        audit.seal_all()
        broken = audit.verify_chain()
        if broken is not None:
            raise CommandError(f"The chain breaks at row {broken}.")
        self.stdout.write("The audit trail is whole.")
