"""PV1 as an Encounter: the stay or the visit that an ADT message is about."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from integrations.hl7v2.errors import REQUIRED, TABLE_VALUE, Hl7Error
from integrations.hl7v2.identity import Identifier, id_of, system_of, united
from integrations.hl7v2.message import NULL, Message, Segment

Json = dict[str, Any]
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
# HL7 table 0004 -> v3-ActCode
_CLASSES = {
    "I": "IMP",
    "O": "AMB",
    "E": "EMER",
    "P": "PRENC",
    "R": "AMB",
    "B": "IMP",
    "C": "AMB",
    "N": "AMB",
    "U": "AMB",
}


def visit_number(message: Message) -> Identifier | None:
    """PV1-19, None where the message names no visit."""
    pv1 = message.first("PV1")
    if pv1 is None or pv1.text(19) in ("", NULL):
        return None
    return Identifier(system_of(pv1, 19, 4, message.header), pv1.text(19), "VN")


def encounter_id(number: Identifier) -> str:
    return id_of("Encounter", number.system, number.value)


def encounter(message: Message, number: Identifier, patient: str, held: Mapping[str, Any], zone: ZoneInfo) -> Json:
    """The visit as this event leaves it."""
    pv1, event = message.one("PV1"), message.header.event
    said: Json = {name: value for name, value in held.items() if name != "meta"}
    said |= {
        "resourceType": "Encounter",
        "id": encounter_id(number),
        "identifier": united(held.get("identifier", ()), [number]),
        "status": _status(event, pv1, held, zone),
        "class": {"system": ACTS, "code": _class(pv1)},
        "subject": {"reference": f"Patient/{patient}"},
    }
    period = {**held.get("period", {}), **_period(message, pv1, event, zone)}
    said |= {"period": period} if period else {}
    place = " ".join(part for part in (pv1.text(3, number) for number in (4, 1, 2, 3)) if part)
    return said | ({"location": [{"location": {"display": place}}]} if place else {})


def _status(event: str, pv1: Segment, held: Mapping[str, Any], zone: ZoneInfo) -> str:
    if event == "A03" or pv1.time(45, zone):
        return "finished"
    if event == "A08" and "status" in held:
        return str(held["status"])
    return "planned" if pv1.text(2) == "P" else "in-progress"


def _class(pv1: Segment) -> str:
    said = pv1.required(2).upper()
    if said not in _CLASSES:
        raise Hl7Error(pv1.place(2), f"{pv1.place(2)} is not in table 0004: send I, O, E, P, R or B.", TABLE_VALUE)
    return _CLASSES[said]


def _period(message: Message, pv1: Segment, event: str, zone: ZoneInfo) -> Json:
    said = {name: at for name, at in (("start", pv1.time(44, zone)), ("end", pv1.time(45, zone))) if at}
    if event == "A03" and "end" not in said:
        said["end"] = _recorded(message, zone, pv1.place(45))
    if event in ("A01", "A04") and "start" not in said:
        said["start"] = _recorded(message, zone, pv1.place(44))
    return said


def _recorded(message: Message, zone: ZoneInfo, place: str) -> str:
    """When it happened: EVN-6, or when it was recorded: EVN-2."""
    evn: Segment | None = message.first("EVN")
    at = (evn.time(6, zone) or evn.time(2, zone)) if evn is not None else ""
    if not at:
        raise Hl7Error(place, f"{place}, EVN-6 and EVN-2 are empty: one of them must say when.", REQUIRED)
    return at
