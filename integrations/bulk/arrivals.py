"""The lines of an export in the order in which they arrived at the hospital, for a faithful replay.

Arrival is `Observation.issued`, `Condition.recordedDate`, `Encounter.period.start`, the end of a Procedure; who and
what (Patient, Device, ...) was known from the beginning. Lines without such a time arrive when they were measured.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from integrations.bulk.importing import Line, Marks, read_line
from integrations.fhir.documents.paths import first
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import from_ms, span
from recovery.exact_json import dumps

# Lines that arrived in the same quarter of an hour are one delivery, received at its end.
TOGETHER_MS = 15 * 60_000
_ARRIVED = {
    "Observation": ("issued", "effectiveDateTime", "effectivePeriod.end", "effectivePeriod.start"),
    "Condition": ("recordedDate", "onsetDateTime"),
    "Encounter": ("period.start",),
    "Procedure": ("performedPeriod.end", "performedDateTime", "performedPeriod.start"),
}
Arrival = tuple[datetime, list[Line]]


def arrival_ms(line: Line) -> int | None:
    """When a line arrived, ms since 1970; None for what was known from the beginning or cannot be read."""
    if isinstance(line.resource, FhirError):
        return None
    said = first(line.resource, *_ARRIVED.get(line.type, ()))
    try:
        return span(said).low_ms if isinstance(said, str) else None
    except ValueError:
        return None


@contextmanager
def sorted_arrivals(lines: Iterable[Line]) -> Iterator[Iterator[Arrival]]:
    """Deliveries in order of arrival, through a temporary file: memory holds one small tuple a line."""
    with tempfile.TemporaryFile() as file:
        index = [_write(file, line, place) for place, line in enumerate(lines)]
        earliest = min((at for at, *_ in index if at is not None), default=0)
        index.sort(key=lambda one: (earliest if one[0] is None else one[0], one[1]))
        yield _deliveries(file, index, earliest)


Place = tuple[int | None, int, int, int]  # arrival, number, offset, length


def _write(file: IO[bytes], line: Line, number: int) -> Place:
    content = "null" if isinstance(line.resource, FhirError) else dumps(line.resource)
    why = line.resource.issues[0].diagnostics if isinstance(line.resource, FhirError) else ""
    record = json.dumps([line.type, line.source, content, why]).encode()
    offset = file.tell()
    file.write(record)
    return arrival_ms(line), number, offset, len(record)


def _deliveries(file: IO[bytes], index: list[Place], earliest: int) -> Iterator[Arrival]:
    batch: list[Line] = []
    until = earliest
    for at, _, offset, length in index:
        when = earliest if at is None else at
        if when > until and batch:
            yield from_ms(until), batch
            batch = []
        if when > until:
            until = -(-when // TOGETHER_MS) * TOGETHER_MS  # rounded up
        file.seek(offset)
        batch.append(_read(file.read(length)))
    if batch:
        yield from_ms(until), batch


def _read(record: bytes) -> Line:
    type_name, source, content, why = json.loads(record)
    if why:
        return Line(type_name, source, refused(400, "structure", why))
    return read_line(type_name, source, content.encode(), Marks())
