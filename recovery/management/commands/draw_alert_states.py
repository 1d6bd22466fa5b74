"""`draw_alert_states [--write]`: the diagram of what may be done with an alert, as docs/alerts.md has it."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recovery.alert_states import diagram

BEGIN, END = "<!-- states:begin -->", "<!-- states:end -->"


def drawn_into(text: str) -> str:
    """The document with the diagram as the table has it now. Raises CommandError where the place for it is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise CommandError(f"There is no {BEGIN} ... {END} in the document.")
    return f"{before}{BEGIN}\n```mermaid\n{diagram()}\n```\n{END}{after}"


class Command(BaseCommand):
    requires_system_checks = []
    help = "Draw the states of an alert from the table that the services obey."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="Renew docs/alerts.md.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["write"]:
            self.stdout.write(diagram())
            return
        path = Path(settings.BASE_DIR) / "docs" / "alerts.md"
        path.write_text(drawn_into(path.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"renewed {path.name}")
