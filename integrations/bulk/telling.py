"""Streamed readings as lines, quickly: the same text as `shelves.of_reading`, with what is the same for all readings of
a series worked out once."""

from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring as quoted

import orjson

from integrations.fhir import shelves
from integrations.fhir.primitives import write_time
from integrations.fhir.streams import template
from integrations.fhir.streams.template import Template, number_text
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.selectors.fhir_export import Number, PacketRow, marked_number, received
from recovery.services.documents import instant

# Fills one slot: (own strings, id, updated, at_ms, end_ms, number as text, data as text) -> JSON text
Row = tuple[list[str], str, str, int, int | None, str, str]
Fill = Callable[[Row], str]


def number_line(template_text: str, series: int, row: Number) -> str:
    at_ms, value, digits, slots, fhir_id, at, is_marked = row
    if is_marked:
        return shelves.of_reading(marked_number(series, row)).text
    name = fhir_id or encode(ReadingId("r", series, at_ms, value_mark(value, digits)))
    own = orjson.loads(slots) if slots else []
    return _written(template_text, (own, name, _updated(at), at_ms, None, number_text(value, digits), ""))


def packet_line(template_text: str, series: int, row: PacketRow) -> str:
    at_ms, digest, end_ms, data, slots, fhir_id, at, _ = row
    name = fhir_id or encode(ReadingId("k", series, at_ms, digest))
    own = orjson.loads(slots) if slots else []
    return _written(template_text, (own, name, _updated(at), at_ms, end_ms, "", data))


def _written(template_text: str, row: Row) -> str:
    pieces, fills = _plan(template_text)
    pieces = pieces.copy()
    for place, fill in fills:
        pieces[place] = fill(row)
    return "".join(pieces)


@lru_cache(maxsize=512)
def _plan(template_text: str) -> tuple[list[str], list[tuple[int, Fill]]]:
    parsed = template.parse(template_text)
    fills = [(place, _fill(parsed.parts[place], parsed)) for place in range(1, len(parsed.parts), 2)]
    return list(parsed.parts), fills


def _fill(name: str, parsed: Template) -> Fill:
    if name in parsed.own:
        place = parsed.own.index(name)
        return lambda row: quoted(row[0][place])
    if name == "at":
        offset, digits = parsed.at
        return lambda row: f'"{write_time(row[3], offset, digits)}"'
    if name == "end" and parsed.end is not None:
        return _end(*parsed.end)
    fixed: dict[str, Fill] = {
        "id": lambda row: f'"{row[1]}"',
        "version": lambda row: '"1"',
        "updated": lambda row: f'"{row[2]}"',
        "value": lambda row: row[5],
        "data": lambda row: quoted(row[6]),
    }
    return fixed[name]


def _end(offset: str, digits: int, span_ms: int) -> Fill:
    return lambda row: f'"{write_time(row[3] + span_ms if row[4] is None else row[4], offset, digits)}"'


@lru_cache(maxsize=4096)
def _updated(at: object) -> str:
    return instant(received(at))
