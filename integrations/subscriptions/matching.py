"""Which subscribers a change is told: those whose criteria it fits and who may read it. Each change is read once."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations.fhir import shelves, wire
from integrations.fhir.outcomes import FhirError
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES
from integrations.fhir.shelves import Entry
from integrations.subscriptions.criteria import Sought, understood
from integrations.subscriptions.rights import reach_of
from recovery.selectors import fhir_store
from recovery.selectors.consents import entry_is_sealed
from recovery.selectors.deliveries import Change, Receiver
from recovery.services.deliveries import Judge, Verdict

logger = logging.getLogger(__name__)


def judge_at(now: datetime) -> Judge:
    """The judge of `services.deliveries.match_changes`. Dates in criteria that speak of now mean this hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)

    def judge(changes: Sequence[Change], receivers: Sequence[Receiver]) -> Sequence[Verdict]:
        listening: dict[str, list[Receiver]] = {}
        for one in receivers:
            listening.setdefault(one.topic or one.type, []).append(one)
        reaches = {one.row_id: reach_of(one, now) for one in receivers}
        return [_verdict(change, listening.get(change.topic or change.type, ()), reaches, hour) for change in changes]

    return judge


def _verdict(change: Change, receivers: Sequence[Receiver], reaches: dict[int, Reach], hour: datetime) -> Verdict:
    """One change that cannot be judged stops no other."""
    try:
        return Verdict(tuple(_told(change, receivers, reaches, hour)))
    except Exception as error:
        logger.exception("a change could not be held against the subscriptions")
        return Verdict(tuple(one.row_id for one in receivers), f"It could not be judged ({type(error).__name__}).")


def _told(change: Change, receivers: Sequence[Receiver], reaches: dict[int, Reach], hour: datetime) -> list[int]:
    if not receivers:
        return []
    entry = version_of(change.type, change.fhir_id, change.version)
    if entry is None or entry_is_sealed(entry.type, entry.fhir_id, entry.patient_id):
        return []
    resource = wire.parse_object(entry.text.encode())
    return [
        one.row_id
        for one in receivers
        if _fits(one, entry, resource, hour) and reaches[one.row_id].takes(resource, entry.type, entry.fhir_id, "read")
    ]


def _fits(receiver: Receiver, entry: Entry, resource: dict[str, Any], hour: datetime) -> bool:
    sought = _sought(receiver, hour)
    return sought is not None and sought.fits(resource, entry.fhir_id, entry.updated_at, receiver.base)


def _sought(receiver: Receiver, hour: datetime) -> Sought | None:
    """None for criteria that were admitted once and cannot be read any more: nothing fits them."""
    try:
        return understood(receiver.criteria, receiver.base, hour)
    except FhirError:
        return None


def version_of(type_name: str, fhir_id: str, version: int) -> Entry | None:
    """The resource as it was told of; as it is now where that version is not kept. None when it is gone."""
    route = ROUTES[type_name]
    if route.shelf != "views":
        held = fhir_store.get_document_version(type_name, fhir_id, version)
        if held is not None and held.content:
            return shelves.of_document(held)
    found = shelves.find(route, fhir_id)
    return None if found is None or found.deleted else found
