"""Making the search index of documents anew, after search parameters have changed. Content is not touched."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.models import Document, DocumentIndex
from recovery.services.documents import index_rows
from recovery.services.intake import IndexEntry

DOCUMENTS_AT_ONCE = 200
# (type, content) -> what the document can be found by
Indexed = Callable[[str, str], Iterable[IndexEntry]]


def reindex(*, indexed: Indexed, actor: Actor, now: datetime, after: int = 0) -> tuple[int, int | None]:
    """Index the next documents beyond row `after`: (how many, row of the last; None when there were none).

    Each step is a transaction; a document that is written meanwhile waits for it.
    """
    with transaction.atomic():
        rows = Document.objects.select_for_update().filter(pk__gt=after, deleted=False).order_by("pk")
        documents = list(rows[:DOCUMENTS_AT_ONCE])
        if not documents:
            audit.record(actor=actor, now=now, action="reindex", entity="Document")
            return 0, None
        DocumentIndex.objects.filter(document__in=documents).delete()
        DocumentIndex.objects.bulk_create(
            row for document in documents for row in index_rows(document, indexed(document.type, document.content))
        )
    return len(documents), documents[-1].pk
