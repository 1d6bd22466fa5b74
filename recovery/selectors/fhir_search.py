"""Finding documents by their index, page by page; and what stands at an Observation's id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, CharField, F, FloatField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Collate

from recovery.models import Document, DocumentIndex, Packet, Sample, Series
from recovery.reading_ids import decode
from recovery.selectors.fhir_criteria import CANONICAL, Criterion, DocumentQuery, Match, matching, micros, moment_of
from recovery.selectors.fhir_order import Key, Order, Place, Step, Value, beyond
from recovery.selectors.fhir_store import (
    StoredDocument,
    StoredReading,
    get_reading,
    reading_of_packet,
    reading_of_sample,
    stored,
)

IDS_A_QUERY = 400
# Which shelf an entry stands on, in a place (see `fhir_order`).
DOCUMENTS, NUMBERS, PACKETS, CONCLUSIONS = range(4)
_BINARY = {"postgresql": "C", "sqlite": "BINARY"}
_NEVER_NULL = ("pk", "updated_at")

__all__ = ["Criterion", "DocumentQuery", "Match"]


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document and its place in the order asked for."""

    document: StoredDocument
    place: Place


def search_documents(
    query: DocumentQuery, order: Order | None = None, after: Place | None = None, limit: int = 100
) -> list[FoundDocument]:
    """Up to `limit` documents by keyset: nothing repeats or is lost while others write."""
    order = order or Order()
    rows = matching(query)
    keys = []
    for number, step in enumerate(order.steps):
        field, column = _column(query.type, step, f"key{number}")
        rows = rows if column is None else rows.annotate(**{field: column})
        keys.append(Key(field))
    keys += [Key(constant=DOCUMENTS), Key("pk")]
    if after is not None:
        rest = beyond(order, keys, _as_columns(keys, after))
        if rest is None:
            return []
        rows = rows.filter(rest)
    page = _ordered(rows, order, keys)[:limit]
    return [FoundDocument(stored(row), _place_of(row, keys)) for row in page]


def count_documents(query: DocumentQuery) -> int:
    return matching(query).count()


def document_names(query: DocumentQuery, limit: int) -> list[str]:
    """Type/id of up to `limit` documents."""
    return [f"{query.type}/{name}" for name in matching(query).values_list("fhir_id", flat=True)[:limit]]


def referred_names(query: DocumentQuery, param: str, limit: int) -> list[str]:
    """What the matches of `query` refer to by `param` (Type/id, or as written): up to `limit`."""
    entries = DocumentIndex.objects.filter(type=query.type, param=param, document__in=matching(query).values("pk"))
    return list(entries.order_by().values_list("value", flat=True).distinct()[:limit])


def documents_named(type_name: str, ids: Iterable[str]) -> list[StoredDocument]:
    """The current documents of these ids."""
    wanted = sorted(set(ids))
    found: list[StoredDocument] = []
    for start in range(0, len(wanted), IDS_A_QUERY):
        part = wanted[start : start + IDS_A_QUERY]
        rows = Document.objects.filter(type=type_name, fhir_id__in=part, deleted=False)
        found += [stored(row) for row in rows.order_by("pk")]
    return found


def _as_columns(keys: Sequence[Key], place: Place) -> tuple[Any, ...]:
    """A place as the values that its columns hold."""
    return tuple(
        moment_of(value) if key.field == "updated_at" else value for key, value in zip(keys, place, strict=False)
    )


def _place_of(row: Document, keys: Sequence[Key]) -> Place:
    found: list[Value] = []
    for key in keys:
        value: Any = getattr(row, key.field) if key.field else key.constant
        found.append(micros(value) if key.field == "updated_at" else value)
    return tuple(found)


def _ordered(rows: QuerySet[Document], order: Order, keys: Sequence[Key]) -> QuerySet[Document]:
    """Missing values come last, and so first where the order is walked backwards."""
    columns = []
    for number, key in enumerate(keys):
        if not key.field:
            continue
        nulls: Any = {} if key.field in _NEVER_NULL else {"nulls_first" if order.backwards else "nulls_last": True}
        column = F(key.field)
        columns.append(column.desc(**nulls) if order.goes_down(number) else column.asc(**nulls))
    return rows.order_by(*columns)


def _column(type_name: str, step: Step, name: str) -> tuple[str, Any]:
    """(field, its annotation or None) of one key of the order."""
    if step.name == "_lastUpdated":
        return "updated_at", None
    if step.name == "_id":
        return name, Collate(F("fhir_id"), _BINARY[connection.vendor])
    entries = DocumentIndex.objects.filter(document=OuterRef("pk"), type=type_name, param=step.name)
    if step.kind == "text":
        return name, Collate(_extreme(entries, "value", step, CharField()), _BINARY[connection.vendor])
    if step.kind == "date":
        return name, _extreme(entries, "low_ms", step, BigIntegerField())
    canonical = _extreme(entries.filter(system__startswith=CANONICAL), "number", step, FloatField())
    return name, Coalesce(canonical, _extreme(entries, "number", step, FloatField()))


def _extreme(entries: QuerySet[DocumentIndex], field: str, step: Step, output: Any) -> Subquery:
    """The least value, or the greatest where the order falls."""
    known = entries.filter(**{f"{field}__isnull": False})
    if field == "value":
        known = known.annotate(shown=Collate(F("value"), _BINARY[connection.vendor]))
        field = "shown"
    return Subquery(known.order_by(f"{'-' if step.descending else ''}{field}").values(field)[:1], output_field=output)


@dataclass(frozen=True, slots=True)
class HeldObservation:
    """What stands at an Observation's id: a document (deleted ones too), or a streamed reading."""

    reading: StoredReading | None = None

    @property
    def is_document(self) -> bool:
        return self.reading is None


HeldById = Mapping[str, HeldObservation]


def held_observations(fhir_ids: Iterable[str]) -> HeldById:
    """What stands at each of these ids; ids that name nothing here are left out."""
    wanted = sorted(set(fhir_ids))
    found: dict[str, HeldObservation] = {}
    for start in range(0, len(wanted), IDS_A_QUERY):
        found |= _held_part(wanted[start : start + IDS_A_QUERY])
    return found


def _held_part(wanted: list[str]) -> dict[str, HeldObservation]:
    found: dict[str, HeldObservation] = {}
    for name in wanted:
        reading = get_reading(name) if decode(name) is not None else None
        if reading is not None:
            found[name] = HeldObservation(reading)
    mine = {"fhir_id__in": wanted, "ended_batch__isnull": True}
    numbers = Sample.objects.filter(**mine, series__shape=Series.Shape.NUMBER).select_related("series", "batch")
    packets = Packet.objects.filter(**mine).select_related("series", "batch")
    found |= {str(row.fhir_id): HeldObservation(reading_of_sample(row)) for row in numbers}
    found |= {str(row.fhir_id): HeldObservation(reading_of_packet(row)) for row in packets}
    documents = Document.objects.filter(type="Observation", fhir_id__in=wanted).values_list("fhir_id", flat=True)
    return found | {name: HeldObservation() for name in documents}
