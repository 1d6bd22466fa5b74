"""`reindex_fhir`: make the search index of all documents anew, after an update has brought search parameters."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.routes import ROUTES
from recovery.audit import Actor
from recovery.services.intake import IndexEntry
from recovery.services.reindexing import reindex


class Command(BaseCommand):
    help = "Make the search index of FHIR documents anew. Safe at any time; may be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        done, last = 0, 0
        while True:
            count, row = reindex(indexed=_indexed, actor=Actor.system("reindex_fhir"), now=timezone.now(), after=last)
            if row is None:
                break
            done, last = done + count, row
        self.stdout.write(f"{done} documents indexed.")


def _indexed(type_name: str, text: str) -> tuple[IndexEntry, ...]:
    route = ROUTES.get(type_name)
    return index_entries(route, wire.parse_object(text.encode())) if route is not None else ()
