"""Taking in an export: the same validation, mapping and `deliver` as the HTTP door, in large deliveries.

Every resource keeps its id (documents by put, readings as `fhir_id`), so running again adds nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.fhir import codes, wire
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import ID
from integrations.fhir.receiving import Tray, Wish
from recovery.audit import Actor
from recovery.selectors import fhir_search
from recovery.services.ingestion import deliver
from recovery.services.intake import Outcome

CHANNEL = "import"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export file. `resource`: what it holds, or why it holds nothing."""

    type: str
    source: str  # file name:line number
    resource: Mapping[str, Any] | FhirError

    @property
    def name(self) -> str:
        """Type/id as far as they can be read."""
        said = self.resource.get("id") if isinstance(self.resource, Mapping) else None
        return f"{self.type}/{said}" if isinstance(said, str) else self.type


@dataclass(frozen=True, slots=True)
class Note:
    """A line that was not stored, and why: refused, or held already under another id."""

    source: str
    name: str
    status: str
    reason: str
    field: str = ""


@dataclass(slots=True)
class Tally:
    """Per type: in = stored + held + refused."""

    read: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return self.read == self.stored + self.held + self.refused


@dataclass(frozen=True, slots=True)
class Marks:
    """What is said about where the data came from, on each Patient."""

    origin: str = ""
    is_synthetic: bool = False


def read_line(type_name: str, source: str, line: bytes, marks: Marks) -> Line:
    try:
        resource = wire.parse_object(line)
    except FhirError as error:
        return Line(type_name, source, error)
    return Line(type_name, source, marked(resource, marks) if type_name == "Patient" else resource)


def marked(patient: dict[str, Any], marks: Marks) -> dict[str, Any]:
    """The Patient with its origin as a tag, and the R4 label for test data where it is synthetic."""
    meta = dict(patient.get("meta") or {})
    if marks.origin:
        meta["tag"] = [*meta.get("tag", []), {"system": codes.ORIGIN, "code": "import", "display": marks.origin}]
    if marks.is_synthetic:
        system, code = codes.TEST_DATA
        meta["security"] = [*meta.get("security", []), {"system": system, "code": code}]
    return {**patient, "meta": meta} if meta else patient


def take_in(batch: Iterable[Line], *, actor: Actor, now: datetime, tally: Tally) -> None:
    """Deliver a batch of lines as received at `now`, and count what became of each."""
    lines = list(batch)
    tray = Tray()
    held = _held(lines)
    waiting: dict[int, Line] = {}
    for index, line in enumerate(lines):
        tally.read[line.type] += 1
        try:
            _take(index, line, tray, held)
            waiting[index] = line
        except FhirError as error:
            issue = error.issues[0]
            _refuse(tally, line, issue.diagnostics, issue.expression)
    if not waiting:
        return
    receipt = deliver(delivery=tray.delivery(CHANNEL), actor=actor, now=now, atomic=False)
    for index, line in waiting.items():
        _count(tally, line, receipt.outcomes[index])


def _held(lines: Iterable[Line]) -> fhir_search.HeldById:
    resources = [line.resource for line in lines if line.type == "Observation"]
    ids = [one["id"] for one in resources if isinstance(one, Mapping) and isinstance(one.get("id"), str)]
    return fhir_search.held_observations(ids)


def _take(index: int, line: Line, tray: Tray, held: fhir_search.HeldById) -> None:
    """Raises FhirError for a line that is not a valid resource with an id of its own."""
    if isinstance(line.resource, FhirError):
        raise line.resource
    fhir_id = line.resource.get("id")
    if not isinstance(fhir_id, str) or ID.fullmatch(fhir_id) is None:
        raise refused(400, "required", f"{line.type}.id: an exported resource has its id.", f"{line.type}.id")
    standing = held.get(fhir_id) if line.type == "Observation" else None
    tray.take(line.resource, Wish(index, "put", fhir_id, held=standing), line.type)


def _count(tally: Tally, line: Line, outcome: Outcome) -> None:
    if outcome.status == "refused":
        _refuse(tally, line, outcome.reason, outcome.field)
    elif outcome.status == "unchanged":
        tally.held[line.type] += 1
        name = f"{line.type}/{outcome.fhir_id}"
        if name != line.name:
            tally.notes.append(Note(line.source, line.name, "held", f"duplicate of {name}"))
    else:
        tally.stored[line.type] += 1


def _refuse(tally: Tally, line: Line, reason: str, field_name: str) -> None:
    tally.refused[line.type] += 1
    tally.notes.append(Note(line.source, line.name, "refused", reason, field_name))


def batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Lines in lists of at most `size`; an id stands once in a list, so that its last word wins in a later one."""
    batch: list[Line] = []
    names: set[str] = set()
    for line in lines:
        if len(batch) >= size or line.name in names:
            yield batch
            batch, names = [], set()
        batch.append(line)
        names.add(line.name)
    if batch:
        yield batch
