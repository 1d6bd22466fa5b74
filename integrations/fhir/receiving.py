"""From one received resource to an item of a Delivery: validated, put on its shelf, mapped. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrations.fhir import validation, wire
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.documents.paths import first
from integrations.fhir.documents.references import localised, references_of
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import LOCAL_REFERENCE
from integrations.fhir.reach import EVERYTHING, Reach
from integrations.fhir.routes import Route, route_of
from integrations.fhir.shelves import concluded, find, of_reading, of_sent
from integrations.fhir.streams.mapping import NOT_MEASURED
from integrations.fhir.streams.projection import project
from integrations.fhir.streams.recalled import map_entry
from integrations.subscriptions import admission
from recovery.reading_ids import decode
from recovery.records import record
from recovery.selectors.fhir_search import HeldObservation
from recovery.selectors.fhir_store import StoredReading
from recovery.services.intake import (
    Delivery,
    DocumentWrite,
    NumberReading,
    PacketReading,
    ProjectedSample,
    ReplacedReading,
    Stands,
    SubscriptionFacts,
    Unmapped,
)
from recovery.twin.clocks import AHEAD_MS, MS_AN_HOUR, hours_ahead

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # a document's own time of change takes its place


@record
class Wish:
    """How a resource is to be stored.

    `fhir_id`: chosen by the sender, or (`promised`) by us for other entries to refer to. `if_match`: version that must
    be current. `criteria`: mark of conditions that nothing fits. `held`: what stands at the id of an Observation now.
    """

    index: int
    method: str = "create"  # create, put, delete
    fhir_id: str | None = None
    if_match: int | None = None
    criteria: str | None = None
    held: HeldObservation | None = None
    promised: bool = False


@dataclass(slots=True)
class Tray:
    """What has been taken in so far, in the order received. `base`: this server's own address, where it has one.

    `reach`: of the sender; what would lie beyond it is not taken.
    """

    readings: list[NumberReading] = field(default_factory=list)
    packets: list[PacketReading] = field(default_factory=list)
    documents: list[DocumentWrite] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    promised: dict[int, str] = field(default_factory=dict)
    base: str = ""
    reach: Reach = EVERYTHING

    def take(self, resource: Mapping[str, Any], wish: Wish, expected: str | None = None) -> None:
        """Validate and map one resource. Raises FhirError, and then nothing of it is on the tray."""
        self._check_reach(resource, wish, expected)
        self._put(resource, wish, expected)
        if wish.promised and wish.fhir_id is not None:
            self.promised[wish.index] = wish.fhir_id

    def _check_reach(self, resource: Mapping[str, Any], wish: Wish, expected: str | None) -> None:
        """Raises FhirError 403, or what validation raises: only a valid resource can be held against a limit."""
        interaction = "update" if wish.method == "put" else "create"
        if self.reach is EVERYTHING or (expected and self.reach.is_unlimited(expected, interaction)):
            return
        name = validation.check(resource, expected)
        if not self.reach.takes(resource, name, wish.fhir_id or "", interaction):
            raise refused(403, "forbidden", f"Your scopes do not allow {interaction} of this {name}.")

    def _put(self, resource: Mapping[str, Any], wish: Wish, expected: str | None) -> None:
        if resource.get("resourceType") == "Observation" and expected in (None, "Observation"):
            if self._take_reading(resource, wish):
                return
        self._take_document(resource, wish, expected)

    def _take_reading(self, resource: Mapping[str, Any], wish: Wish) -> bool:
        """A document stays one, and a changed reading becomes one."""
        if wish.if_match is not None or (wish.held and wish.held.is_document):
            return False
        derived = wish.fhir_id is not None and decode(wish.fhir_id) is not None
        mapped = map_entry(wish.index, resource, None if derived else wish.fhir_id)
        if mapped is None or (wish.held and not _is_same(mapped.reading, wish.held.reading)):
            return False
        if derived and wish.held is None:  # an id that looks like one of ours but names nothing
            return False
        if isinstance(mapped.reading, NumberReading):
            self.readings.append(mapped.reading)
        else:
            self.packets.append(mapped.reading)
        if mapped.unmapped is not None:
            self.unmapped.append(mapped.unmapped)
        return True

    def _take_document(self, resource: Mapping[str, Any], wish: Wish, expected: str | None) -> None:
        write, unmapped = document_write(resource, wish, expected, self.base)
        self.documents.append(write)
        self.unmapped.extend(unmapped)

    def delete(self, type_name: str, wish: Wish) -> None:
        writable(type_name)
        replaces = _replaced(wish.held, wish.fhir_id)
        self.documents.append(
            DocumentWrite(
                wish.index, type_name, "delete", {}, fhir_id=wish.fhir_id, if_match=wish.if_match, replaces=replaces
            )
        )

    def ahead(self, now: datetime) -> dict[int, float]:
        """index -> hours by which a reading in it is dated ahead of the clock, where it is (twin.clocks)."""
        now_ms = now.timestamp() * MS_AN_HOUR / 3600.0
        limit = now_ms + AHEAD_MS
        found = {one.index: one.at_ms for one in self.readings if one.at_ms > limit}
        found |= {one.index: one.points[-1][0] for one in self.packets if one.points and one.points[-1][0] > limit}
        for document in self.documents:
            latest = max((one.at_ms for one in document.samples), default=0)
            if latest > limit:
                found[document.index] = latest
        return {index: hours_ahead(at_ms, now_ms) for index, at_ms in found.items()}

    def _is_beyond(self, type_name: str, fhir_id: str) -> bool:
        route = route_of(type_name)
        entry = find(route, fhir_id) if route is not None else None
        return entry is not None and self.reach.hides(entry)

    def delivery(self, channel: str, *, from_outside: bool = False) -> Delivery:
        """`from_outside`: as R4 asks of a server, references must hold, and readings sent again after they were taken
        back, or under a second id, are told as documents. An import is forgiving: its files come in any order."""
        return Delivery(
            channel,
            tuple(self.readings),
            tuple(self.packets),
            tuple(self.documents),
            tuple(self.unmapped),
            retold if from_outside else None,
            dict(self.promised),
            Stands(stands, self._is_beyond if self.reach.is_of_some else None) if from_outside else None,
        )


def document_write(
    resource: Mapping[str, Any], wish: Wish, expected: str | None = None, base: str = ""
) -> tuple[DocumentWrite, tuple[Unmapped, ...]]:
    """A resource as a document, with what it projects. Raises FhirError when it is not valid.

    It is kept as sent (a Subscription without its secrets, see `subscriptions.admission`); what is drawn from it reads
    references to our own address (`base`) as relative ones.
    """
    name = validation.check(resource, expected)
    route = writable(name)
    asked: SubscriptionFacts | None = None
    if name == "Subscription":
        resource, asked = admission.admitted(resource, base)
    read: Mapping[str, Any] = localised(resource, base) if base else resource
    patient = patient_of(route, read, wish.fhir_id)
    samples: tuple[ProjectedSample, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    if name == "Observation":
        samples, unmapped = project(read, patient)
    write = DocumentWrite(
        index=wish.index,
        type=name,
        method="put" if wish.method == "put" else "create",
        content=resource,
        fhir_id=wish.fhir_id,
        if_match=wish.if_match,
        criteria=wish.criteria,
        patient=patient,
        index_entries=index_entries(route, read),
        facts=asked or facts_of(name, read),
        samples=samples,
        replaces=_replaced(wish.held, wish.fhir_id),
        references=references_of(read, name, (name, wish.fhir_id)),
    )
    return write, unmapped


def stands(type_name: str, fhir_id: str) -> bool:
    """Whether a conclusion of this server has that name."""
    route = route_of(type_name)
    return route is not None and concluded(route, fhir_id) is not None


def retold(reading: NumberReading | PacketReading, fhir_id: str, held: str | None) -> DocumentWrite | None:
    """A reading sent again, as the next version at `fhir_id`; None when a correction stands there (see Retell)."""
    if held and wire.parse_object(held.encode()).get("status") not in NOT_MEASURED:
        return None
    resource = wire.parse_object(of_sent(reading, fhir_id, _ANY_TIME).encode())
    write, _ = document_write(resource, Wish(reading.index, "put", fhir_id), "Observation")
    return write


def _is_same(sent: NumberReading | PacketReading, held: StoredReading | None) -> bool:
    """Whether a sent reading says exactly what stands."""
    if held is None or (sent.series.template, sent.at_ms, sent.slots) != (held.template, held.at_ms, held.slots):
        return False
    if isinstance(sent, NumberReading):
        return (sent.value, sent.digits) == (held.value, held.digits)
    return (sent.data, sent.end_ms) == (held.data, held.end_ms)


def _replaced(held: HeldObservation | None, fhir_id: str | None) -> ReplacedReading | None:
    if held is None or held.reading is None:
        return None
    entry = of_reading(held.reading, fhir_id)
    return ReplacedReading(entry.text, entry.updated_at)


def writable(type_name: str) -> Route:
    """The route of a type that may be written. Raises FhirError 404 or 405."""
    route = route_of(type_name)
    if route is None:
        raise refused(404, "not-supported", f"This server does not keep {type_name[:60]} resources.")
    if "create" not in route.interactions:
        raise refused(405, "not-supported", f"{type_name} is written by this server, not sent to it.")
    return route


def patient_of(route: Route, resource: Mapping[str, Any], own_id: str | None) -> str | None:
    """Whose compartment the resource belongs to: id of a local Patient, or None."""
    if route.type == "Patient":
        return None if own_id is None else own_id
    reference = first(resource, f"{route.patient}.reference") if route.patient else None
    match = LOCAL_REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return match.group(2) if match and match.group(1) == "Patient" else None
