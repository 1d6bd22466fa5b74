"""From one received resource to an item of a Delivery: validated, put on its shelf, mapped. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.fhir import validation
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.documents.paths import first
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import ID, LOCAL_REFERENCE
from integrations.fhir.routes import Route, route_of
from integrations.fhir.streams.mapping import map_observation
from integrations.fhir.streams.projection import project
from recovery.services.intake import (
    Delivery,
    DocumentWrite,
    NumberReading,
    PacketReading,
    ProjectedSample,
    Unmapped,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a resource is to be stored.

    `fhir_id`: chosen by the sender. `if_match`: version that must be current. `criteria`: mark of a conditional
    create. `as_document`: its id is already a document here, so it stays one.
    """

    index: int
    method: str = "create"  # create, put
    fhir_id: str | None = None
    if_match: int | None = None
    criteria: str | None = None
    as_document: bool = False


@dataclass(slots=True)
class Tray:
    """What has been taken in so far, in the order received."""

    readings: list[NumberReading] = field(default_factory=list)
    packets: list[PacketReading] = field(default_factory=list)
    documents: list[DocumentWrite] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)

    def take(self, resource: Mapping[str, Any], wish: Wish, expected: str | None = None) -> None:
        """Validate and map one resource. Raises FhirError, and then nothing of it is on the tray."""
        if resource.get("resourceType") == "Observation" and expected in (None, "Observation"):
            if self._take_reading(resource, wish):
                return
        self._take_document(resource, wish, expected)

    def _take_reading(self, resource: Mapping[str, Any], wish: Wish) -> bool:
        """A conditional create is decided by documents; a known document stays one."""
        if wish.criteria is not None or wish.if_match is not None or wish.as_document:
            return False
        if wish.fhir_id is None and "id" in resource and not _is_id(resource["id"]):
            return False
        mapped = map_observation(wish.index, resource, wish.fhir_id)
        if mapped is None:
            return False
        if isinstance(mapped.reading, NumberReading):
            self.readings.append(mapped.reading)
        else:
            self.packets.append(mapped.reading)
        if mapped.unmapped is not None:
            self.unmapped.append(mapped.unmapped)
        return True

    def _take_document(self, resource: Mapping[str, Any], wish: Wish, expected: str | None) -> None:
        name = validation.check(resource, expected)
        route = writable(name)
        patient = patient_of(route, resource, wish.fhir_id)
        samples: tuple[ProjectedSample, ...] = ()
        if name == "Observation":
            samples, unmapped = project(resource, patient)
            self.unmapped.extend(unmapped)
        self.documents.append(
            DocumentWrite(
                index=wish.index,
                type=name,
                method="put" if wish.method == "put" else "create",
                content=resource,
                fhir_id=wish.fhir_id,
                if_match=wish.if_match,
                criteria=wish.criteria,
                patient=patient,
                index_entries=index_entries(route, resource),
                facts=facts_of(name, resource),
                samples=samples,
            )
        )

    def delete(self, type_name: str, fhir_id: str, index: int, if_match: int | None = None) -> None:
        writable(type_name)
        write = DocumentWrite(index, type_name, "delete", {}, fhir_id=fhir_id, if_match=if_match)
        self.documents.append(write)

    def delivery(self, channel: str) -> Delivery:
        return Delivery(channel, tuple(self.readings), tuple(self.packets), tuple(self.documents), tuple(self.unmapped))


def _is_id(value: object) -> bool:
    return type(value) is str and ID.fullmatch(value) is not None


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
