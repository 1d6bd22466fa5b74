"""What each event does: the resources that a message says, taken in through the same tray and `deliver` as FHIR's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.fhir import wire
from integrations.fhir.outcomes import FhirError
from integrations.fhir.receiving import Tray, Wish
from integrations.hl7v2 import people, visits
from integrations.hl7v2.errors import SEGMENT_SEQUENCE, UNKNOWN_KEY, UNSUPPORTED_EVENT, UNSUPPORTED_TYPE, Hl7Error
from integrations.hl7v2.identity import id_of, identifiers, known, wanted
from integrations.hl7v2.merging import merge, unmerge
from integrations.hl7v2.message import Message, Segment
from integrations.hl7v2.results import results
from recovery.audit import Actor
from recovery.exceptions import RecoveryError
from recovery.selectors import fhir_search, fhir_store
from recovery.services.ingestion import DeliveryRefused, deliver

CHANNEL = "hl7v2"
Json = dict[str, Any]


@dataclass
class Work:
    """A message being carried out. `resources`: with the segment that each came from."""

    message: Message
    actor: Actor
    now: datetime
    zone: ZoneInfo
    resources: list[tuple[Json, str]] = field(default_factory=list)

    def deliver(self) -> int | None:
        """All of them or none; returns the delivery's row id. Raises Hl7Error naming the segment that was refused."""
        if not self.resources:
            return None
        tray = Tray()
        held = fhir_search.held_observations(one["id"] for one, _ in self.resources if one["resourceType"] == OBSERVED)
        for index, (resource, place) in enumerate(self.resources):
            try:
                tray.take(resource, Wish(index, "put", resource["id"], held=held.get(resource["id"])))
            except FhirError as error:
                raise Hl7Error(place, f"{place}: {error.issues[0].diagnostics}"[:400]) from error
        try:
            delivery = tray.delivery(CHANNEL, from_outside=True)
            return deliver(delivery=delivery, actor=self.actor, now=self.now, atomic=True).batch_id
        except DeliveryRefused as error:
            place = self.resources[error.outcome.index][1]
            raise Hl7Error(place, f"{place}: {error.message}"[:400]) from error


OBSERVED = "Observation"


def carry_out(message: Message, actor: Actor, now: datetime) -> int | None:
    """Do what the message says; returns the row id of the delivery. The caller holds the transaction.

    Raises Hl7Error.
    """
    event = _EVENTS.get(message.header.kind)
    if event is None:
        _refuse_kind(message.header.kind)
    assert event is not None  # noqa: S101  (refused above)
    zone = ZoneInfo(settings.HOSPITAL_TIME_ZONE)
    work = Work(message, actor, now, zone)
    try:
        event(work)
        return work.deliver()
    except RecoveryError as error:
        raise Hl7Error("MSH", error.message[:400]) from error


def _refuse_kind(kind: str) -> None:
    names = ", ".join(sorted(_EVENTS))
    kinds = {one.partition("^")[0] for one in _EVENTS}
    code = UNSUPPORTED_EVENT if kind.partition("^")[0] in kinds else UNSUPPORTED_TYPE
    raise Hl7Error("MSH-9", f"MSH-9: this is not taken here; taken are {names}.", code, "AR")


def _held(type_name: str, fhir_id: str) -> Mapping[str, Any]:
    found = fhir_store.get_document(type_name, fhir_id)
    return wire.parse_object(found.content.encode()) if found is not None and not found.deleted else {}


# ---- ADT ---


def _admit(work: Work) -> None:
    """A01, A03, A04, A08, A28, A31: the patient as PID says, and the visit as PV1 does."""
    pid = work.message.one("PID")
    patient = _lay_patient(work, pid)
    number = visits.visit_number(work.message)
    if number is None:
        if work.message.header.event == "A03":
            raise Hl7Error("PV1-19", "PV1-19 is empty: which visit ends?", SEGMENT_SEQUENCE)
        return
    held = _held("Encounter", visits.encounter_id(number))
    _refuse_anothers(held, patient)
    visit = visits.encounter(work.message, number, patient, held, work.zone)
    work.resources.append((visit, "PV1"))


def _lay_patient(work: Work, pid: Segment) -> str:
    found = identifiers(pid, 3, work.message.header)
    name = known(found, pid.place(3)) or id_of("Patient", found[0].system, found[0].value)
    resource = people.patient(pid, found, name, _held("Patient", name), work.zone)
    work.resources.append((resource, pid.place(3)))
    return name


def _refuse_anothers(held: Mapping[str, Any], patient: str) -> None:
    """A visit never moves from one person to another by a stray number."""
    whose = held.get("subject", {}).get("reference", f"Patient/{patient}")
    if whose != f"Patient/{patient}":
        words = "PV1-19 is the visit of another patient of ours: merge them first (A40), or correct the number."
        raise Hl7Error("PV1-19", words, UNKNOWN_KEY)


# ---- ORU ---


def _observe(work: Work) -> None:
    """R01: results of patients that are known."""
    header = work.message.header
    pids = list(work.message.all("PID"))
    if not pids:
        raise Hl7Error("PID", "The message has no PID segment.", SEGMENT_SEQUENCE)
    patients = {pid.number: wanted(identifiers(pid, 3, header), pid.place(3)) for pid in pids}
    by_id: dict[str, tuple[Json, str]] = {}
    for one in results(work.message, patients, work.zone):
        if one.resource["id"] in by_id:
            words = f"{one.place} is the same result as {by_id[one.resource['id']][1]}: tell them apart by OBX-4."
            raise Hl7Error(f"{one.place}-4", words)
        by_id[one.resource["id"]] = (one.resource, one.place)
    if not by_id:
        raise Hl7Error("OBX", "The message has no OBX segment.", SEGMENT_SEQUENCE)
    work.resources += by_id.values()


# ---- merge and unmerge ---


def _merge(work: Work) -> None:
    """A40: MRG-1 names who turned out to be the patient of PID-3. Several pairs may follow each other."""
    header, pid, pairs = work.message.header, None, 0
    for one in work.message.segments:
        if one.name == "PID":
            pid = one
        elif one.name == "MRG":
            if pid is None:
                raise Hl7Error("MRG", "MRG stands under no PID.", SEGMENT_SEQUENCE)
            survivor = wanted(identifiers(pid, 3, header), pid.place(3))
            gone = known(identifiers(one, 1, header), one.place(1))
            pairs += 1
            if gone is None:
                raise Hl7Error(
                    one.place(1), f"{one.place(1)} names nobody here: there is nothing to merge.", UNKNOWN_KEY
                )
            if gone != survivor:  # told again, it is done already
                merge(survivor, gone, work.actor, work.now, CHANNEL)
    if not pairs:
        raise Hl7Error("MRG", "The message has no MRG segment.", SEGMENT_SEQUENCE)


def _unmerge(work: Work) -> None:
    """A37: two PIDs, who were merged and are two people after all."""
    pids = list(work.message.all("PID"))
    if len(pids) != 2:
        raise Hl7Error("PID", "Unlinking names two patients: two PID segments.", SEGMENT_SEQUENCE)
    header = work.message.header
    named = [[(one.system, one.value) for one in identifiers(pid, 3, header)] for pid in pids]
    unmerge(named[0], named[1], work.actor, work.now, CHANNEL)


_EVENTS: Mapping[str, Callable[[Work], None]] = {
    **dict.fromkeys(("ADT^A01", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A28", "ADT^A31"), _admit),
    "ADT^A37": _unmerge,
    "ADT^A40": _merge,
    "ORU^R01": _observe,
}
