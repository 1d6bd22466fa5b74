"""OBX under OBR as Observations: one each, with an id of its own, so that a correction changes what it corrects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from integrations.fhir.codes import OBSERVATION_CATEGORY
from integrations.fhir.streams import units
from integrations.hl7v2.errors import DATA_TYPE, REQUIRED, SEGMENT_SEQUENCE, TABLE_VALUE, Hl7Error
from integrations.hl7v2.identity import id_of
from integrations.hl7v2.message import NULL, Message, Segment
from recovery import exact_json

Json = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
_SYSTEMS = {"LN": LOINC, "SCT": SNOMED, "SNM": SNOMED, "UCUM": units.UCUM}
_SYSTEMS |= {"MDC": "urn:iso:std:iso:11073:10101", "I10": "http://hl7.org/fhir/sid/icd-10"}
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
# HL7 table 0085 -> observation-status. W: posted to the wrong patient.
_STATUSES = {"F": "final", "P": "preliminary", "C": "corrected", "D": "entered-in-error", "W": "entered-in-error"}
_STATUSES |= {"R": "registered", "S": "preliminary", "X": "cancelled", "U": "final", "I": "registered", "": "final"}
_FLAGS = frozenset("L LL H HH N A AA < > U D B W S R I MS VS".split())
# HL7 table 0074 -> observation-category; without one a result is of the laboratory unless its code is a vital sign's
_LABORATORY = frozenset("LAB CH HM MB BLB IMM SR TX VR GE HEM CHEM BG ICU".split())
_VITAL_SIGNS = frozenset(
    "8867-4 9279-1 59408-5 2708-6 8310-5 8480-6 8462-4 8478-0 29463-7 8302-2 85354-9 39156-5 72514-3".split()
)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_COMPARED = re.compile(r"(<=|>=|<|>)?\s*(.+)")


@dataclass(frozen=True, slots=True)
class Result:
    """An Observation, and the segment that it came from."""

    resource: Json
    place: str


def results(message: Message, patients: dict[int, str], zone: ZoneInfo) -> Iterator[Result]:
    """Each OBX with the OBR and the patient above it. `patients`: FHIR id by number of the PID. Raises Hl7Error."""
    patient, order = "", None
    for one in message.segments:
        if one.name == "PID":
            patient, order = patients[one.number], None
        elif one.name == "OBR":
            order = one
        elif one.name == "OBX":
            if order is None or not patient:
                words = f"OBX[{one.number}] stands under no {'OBR' if patient else 'PID'}."
                raise Hl7Error(f"OBX[{one.number}]", words, SEGMENT_SEQUENCE)
            yield Result(_observation(message, order, one, patient, zone), f"OBX[{one.number}]")


def _observation(message: Message, order: Segment, obx: Segment, patient: str, zone: ZoneInfo) -> Json:
    code = _concept(obx, 3, message)
    if not code:
        raise Hl7Error(obx.place(3), f"{obx.place(3)} is required.", REQUIRED)
    at = obx.time(14, zone) or order.time(7, zone)
    if not at:
        raise Hl7Error(obx.place(14), f"{obx.place(14)} and {order.place(7)} are empty: when was it?", REQUIRED)
    said: Json = {
        "resourceType": "Observation",
        "id": _id(message, order, obx, patient, at),
        "status": _status(obx),
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": _category(order, obx)}]}],
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at,
        **_value(obx, message, zone),
    }
    issued = obx.time(19, zone) or order.time(22, zone)
    said |= {"issued": issued} if "T" in issued else {}
    flags = [obx.text(8, 1, repeat) for repeat in obx.repeats(8)]
    flags = [flag for flag in flags if flag in _FLAGS]
    if flags:
        said["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": flag}]} for flag in flags]
    if obx.text(7):
        said["referenceRange"] = [{"text": obx.text(7)}]
    return said


def _id(message: Message, order: Segment, obx: Segment, patient: str, at: str) -> str:
    """The same result of the same order: filler's number or placer's, else what was ordered and when."""
    number = order.text(3) or order.text(2) or f"{order.text(4)} {order.text(7)} {at}"
    return id_of("Observation", message.header.sender, patient, number, obx.text(3), obx.text(3, 3), obx.text(4))


def _status(obx: Segment) -> str:
    said = obx.text(11).upper()
    if said not in _STATUSES:
        raise Hl7Error(obx.place(11), f"{obx.place(11)} is not in table 0085: send F, P, C, D, W or X.", TABLE_VALUE)
    return _STATUSES[said]


def _category(order: Segment, obx: Segment) -> str:
    if order.text(24).upper() in _LABORATORY:
        return "laboratory"
    return "vital-signs" if obx.text(3) in _VITAL_SIGNS else "laboratory"


def _concept(segment: Segment, field: int, message: Message, repeat: int = 1) -> Json:
    """A CE or CWE: both codings, the text. A local code gets a system of the sender's own, never a guessed one."""
    codings = []
    for first in (1, 4):
        code, text, system = (segment.text(field, first + part, repeat) for part in (0, 1, 2))
        if code and code != NULL:
            said = {"system": _SYSTEMS.get(system.upper(), _local(system, message)), "code": code}
            codings.append(said | ({"display": text} if text else {}))
    text = segment.text(field, 9, repeat) or segment.text(field, 2, repeat)
    return ({"coding": codings} if codings else {}) | ({"text": text} if text else {})


def _local(system: str, message: Message) -> str:
    whose = message.header.facility or message.header.application or "unknown"
    word = "".join(char if char.isascii() and char.isalnum() else "-" for char in f"{whose}-{system or 'L'}")
    return f"urn:hl7v2:{word.lower()}"


def _value(obx: Segment, message: Message, zone: ZoneInfo) -> Json:
    kind, text = obx.text(2).upper(), obx.text(5)
    if text == NULL or not any(obx.text(5, part) for part in (1, 2, 3, 4)):
        absent = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
        return {"dataAbsentReason": {"coding": [{"system": absent, "code": "unknown"}]}}
    if kind == "NM":
        return {"valueQuantity": _quantity(obx, text)}
    if kind == "SN":
        return _structured(obx)
    if kind in ("CE", "CWE", "CNE", "IS", "ID"):
        return {"valueCodeableConcept": _concept(obx, 5, message) if kind[0] == "C" else {"text": text}}
    if kind in ("DT", "TS", "DTM"):
        return {"valueDateTime": obx.time(5, zone)}
    if kind in ("ST", "TX", "FT", "TN"):
        return {"valueString": "\n".join(obx.text(5, 1, repeat) for repeat in obx.repeats(5))}
    words = f"{obx.place(2)}: this type of value is not read here: send NM, SN, CE, CWE, ST, TX, DT or TS."
    raise Hl7Error(obx.place(2), words, TABLE_VALUE)


def _quantity(obx: Segment, text: str, comparator: str = "") -> Json:
    match = _COMPARED.fullmatch(text)
    found, number = (match.group(1) or "", match.group(2)) if match else ("", text)
    if _NUMBER.fullmatch(number) is None:
        raise Hl7Error(obx.place(5), f"{obx.place(5)} is no number, but {obx.place(2)} says that it is.", DATA_TYPE)
    said: Json = {"value": exact_json.loads(_tidy(number)), **_unit(obx)}
    comparator = comparator or found
    return said | ({"comparator": comparator} if comparator else {})


def _tidy(number: str) -> str:
    """As JSON writes numbers, digit for digit: no plus sign, no leading zeros, a digit on both sides of the point."""
    sign, body = ("-", number[1:]) if number.startswith("-") else ("", number.lstrip("+"))
    whole, point, fraction = body.partition(".")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}.{fraction}" if point and fraction else f"{sign}{whole}"


def _unit(obx: Segment) -> Json:
    """OBX-6 as UCUM where it says so or can mean nothing else; any other unit is kept as it is written."""
    code, text, system = obx.text(6), obx.text(6, 2), obx.text(6, 3).upper()
    if code in ("", NULL):
        return {}
    known = code if system == "UCUM" or units.base_of(code) else units.code_of(None, None, code)
    if known is None or (system not in ("", "UCUM", "ISO+", "L", "99UCUM") and not units.base_of(code)):
        return {"unit": text or code}
    return {"unit": text or code, "system": units.UCUM, "code": known}


def _structured(obx: Segment) -> Json:
    """SN: comparator, number, separator, number."""
    comparator, first, separator, second = (obx.text(5, part) for part in (1, 2, 3, 4))
    if separator == "-" and second:
        return {"valueRange": {"low": _quantity(obx, first), "high": _quantity(obx, second)}}
    if separator in (":", "/") and second:
        return {"valueRatio": {"numerator": _quantity(obx, first), "denominator": _quantity(obx, second)}}
    return {"valueQuantity": _quantity(obx, first, comparator if comparator in ("<", "<=", ">", ">=") else "")}
