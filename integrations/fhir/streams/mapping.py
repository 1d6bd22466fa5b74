"""An Observation to a reading of the streams shelf, or None when it is a document. Pure; runs once per reading.

It fits when it has one number (valueQuantity without comparator, valueInteger) or one SampledData of one dimension, a
time exact to the second or millisecond, a Patient as subject, and nothing else that differs between the readings of
a series but issued and identifier values. What is not valid does not fit either: the documents shelf says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from integrations.fhir.primitives import CONTROL, DEVICE_REFERENCE, ID, PATIENT_REFERENCE, ExactTime, exact_time
from integrations.fhir.streams import packets, template
from integrations.fhir.streams.shape import STREAM_ELEMENTS, Shape, ShapeBook
from integrations.fhir.streams.template import At, End, placeholder
from recovery.exact_json import ExactDecimal
from recovery.records import record
from recovery.services.intake import NumberReading, PacketReading, Unmapped

# A result that was wrong or never came is no reading (R4 observation-status).
NOT_MEASURED = frozenset(("entered-in-error", "cancelled"))
MOST_IDENTIFIERS = 3
LONGEST_IDENTIFIER = 256
MINUTE_MS = 60_000
# Spans that are a property of the series (steps a minute, a day's total), so that its readings need not repeat them.
COMMON_SPANS_MS = frozenset(
    [minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 20, 30)] + [hours * 60 * MINUTE_MS for hours in range(1, 25)]
)

_AT, _END, _END_TEXT = placeholder("at"), placeholder("end"), placeholder("end_text")
_VALUE, _DATA, _ISSUED = placeholder("value"), placeholder("data"), placeholder("issued")
_SUBJECT, _DEVICE = placeholder("subject"), placeholder("device")
_BOOK = ShapeBook()


@dataclass(slots=True)
class Parts:
    """An Observation taken apart: `marked` has placeholders where the other fields came from."""

    marked: dict[str, Any]
    patient: str = ""
    device: str = ""
    at: ExactTime | None = None
    end: ExactTime | None = None
    span_ms: int = 0
    value: float = 0.0
    digits: int = 0
    data: str | None = None
    issued: str | None = None
    end_text: str | None = None
    identifiers: tuple[str, ...] = ()


@record
class Mapped:
    reading: NumberReading | PacketReading
    unmapped: Unmapped | None


def map_observation(index: int, observation: Mapping[str, Any], fhir_id: str | None = None) -> Mapped | None:
    """The reading that `observation` is, or None when it is a document. `fhir_id`: the id that the sender chose."""
    parts = take_apart(observation)
    if parts is None or parts.at is None:
        return None
    end = None if parts.end is None else (parts.end.offset, parts.end.digits, parts.span_ms)
    shape = shape_of(parts.marked, (parts.at.offset, parts.at.digits), end)
    if shape is None:
        return None
    series = shape.series_of(parts.patient, parts.device)
    slots = _slots(parts)
    if parts.data is None:
        return Mapped(
            NumberReading(index, series, parts.at.ms, parts.value, parts.digits, slots, fhir_id), shape.unmapped
        )
    end_ms = parts.end.ms if parts.end else packets.last_ms(parts.data, parts.at.ms, shape.sampled)
    reading = PacketReading(
        index=index,
        series=series,
        at_ms=parts.at.ms,
        end_ms=end_ms,
        data=parts.data,
        digest=packets.digest(parts.data, end_ms, parts.identifiers),
        points=packets.points(parts.data, parts.at.ms, shape.sampled),
        slots=slots,
        fhir_id=fhir_id,
    )
    return Mapped(reading, shape.unmapped)


def shape_of(marked: Mapping[str, Any], at: At, end: End | None = None) -> Shape | None:
    """The shape of what `take_apart` has marked, or None when it is not valid or fits no stream."""
    return _BOOK.find(marked, at, end)


def _slots(parts: Parts) -> str | None:
    """The reading's own strings in the order in which its template names them (elements in alphabetical order)."""
    own = []
    if parts.end_text is not None:
        own.append(parts.end_text)
    own.extend(parts.identifiers)
    if parts.issued is not None:
        own.append(parts.issued)
    return orjson.dumps(own).decode() if own else None


def take_apart(observation: Mapping[str, Any]) -> Parts | None:
    """Split what varies from what is constant; None as soon as something does not fit."""
    marked = dict(observation)
    if "id" in marked and not _is_id(marked.pop("id")):
        return None
    if not STREAM_ELEMENTS.issuperset(marked) or str(marked.get("status")) in NOT_MEASURED:
        return None
    parts = Parts(marked)
    fits = (
        _take_value(marked, parts)
        and _take_time(marked, parts)
        and _take_references(marked, parts)
        and _take_issued(marked, parts)
        and ("identifier" not in marked or _take_identifiers(marked, parts))
        and ("meta" not in marked or _take_meta(marked))
    )
    return parts if fits else None


def _is_id(value: object) -> bool:
    return type(value) is str and ID.fullmatch(value) is not None


def _take_value(marked: dict[str, Any], parts: Parts) -> bool:
    quantity = marked.get("valueQuantity")
    if type(quantity) is dict:
        split = template.split_number(quantity.get("value"))
        if split is None or "comparator" in quantity or "valueInteger" in marked or "valueSampledData" in marked:
            return False
        marked["valueQuantity"] = {**quantity, "value": _VALUE}
    elif "valueInteger" in marked:
        split = template.split_number(marked["valueInteger"])
        if split is None or type(marked["valueInteger"]) is not int or abs(split[0]) >= 2**31:
            return False
        marked["valueInteger"] = _VALUE
    else:
        return _take_sampled(marked, parts)
    parts.value, parts.digits = split
    return "valueSampledData" not in marked


def _take_sampled(marked: dict[str, Any], parts: Parts) -> bool:
    sampled = marked.get("valueSampledData")
    if type(sampled) is not dict or not packets.is_data(sampled.get("data")):
        return False
    origin = sampled.get("origin")
    if type(origin) is not dict or sampled.get("dimensions") != 1 or type(sampled["dimensions"]) is not int:
        return False
    if not (_is_number(sampled.get("period")) and _is_number(origin.get("value")) and sampled["period"] > 0):
        return False
    if "factor" in sampled and not _is_number(sampled["factor"]):
        return False
    if packets.is_too_long(sampled["data"], sampled):
        return False
    parts.data = sampled["data"]
    marked["valueSampledData"] = {**sampled, "data": _DATA}
    return True


def _is_number(value: object) -> bool:
    return type(value) is int or isinstance(value, ExactDecimal)


def _take_time(marked: dict[str, Any], parts: Parts) -> bool:
    names = [name for name in ("effectiveDateTime", "effectiveInstant", "effectivePeriod") if name in marked]
    if len(names) != 1:
        return False
    if names[0] == "effectivePeriod":
        return _take_period(marked, parts)
    parts.at = exact_time(marked[names[0]])
    marked[names[0]] = _AT
    return parts.at is not None


def _take_period(marked: dict[str, Any], parts: Parts) -> bool:
    """A packet's end is in its row. A number's end follows from a common span, or else is one of its own strings."""
    period = marked["effectivePeriod"]
    if type(period) is not dict or period.keys() != {"start", "end"}:
        return False
    parts.at, parts.end = exact_time(period["start"]), exact_time(period["end"])
    if parts.at is None or parts.end is None or parts.end.ms < parts.at.ms:
        return False
    end = _END
    if parts.data is None:
        parts.span_ms = parts.end.ms - parts.at.ms
        if parts.span_ms not in COMMON_SPANS_MS:
            parts.end, parts.span_ms, parts.end_text, end = None, 0, period["end"], _END_TEXT
    marked["effectivePeriod"] = {"start": _AT, "end": end}
    return True


def _take_references(marked: dict[str, Any], parts: Parts) -> bool:
    subject, device = marked.get("subject"), marked.get("device")
    if type(subject) is not dict or type(subject.get("reference")) is not str:
        return False
    match = PATIENT_REFERENCE.fullmatch(subject["reference"])
    if match is None:
        return False
    parts.patient = match.group(1)
    marked["subject"] = {**subject, "reference": _SUBJECT}
    if type(device) is dict:
        reference = device.get("reference")
        if type(reference) is str and DEVICE_REFERENCE.fullmatch(reference):
            parts.device = reference
            marked["device"] = {**device, "reference": _DEVICE}
    return True


def _take_issued(marked: dict[str, Any], parts: Parts) -> bool:
    if "issued" not in marked:
        return True
    parts.issued = marked["issued"]
    marked["issued"] = _ISSUED
    return exact_time(parts.issued) is not None


def _take_identifiers(marked: dict[str, Any], parts: Parts) -> bool:
    held = marked["identifier"]
    if type(held) is not list or not 0 < len(held) <= MOST_IDENTIFIERS:
        return False
    values, kept = [], []
    for place, identifier in enumerate(held):
        value = identifier.get("value") if type(identifier) is dict else None
        if type(value) is not str or not is_plain(value):
            return False
        values.append(value)
        kept.append({**identifier, "value": placeholder(f"identifier{place}")})
    parts.identifiers, marked["identifier"] = tuple(values), kept
    return True


def is_plain(value: str) -> bool:
    """A FHIR string that can be stored: something to see, no control characters, no half characters."""
    if value.isascii():
        return value.isprintable() and value.strip() != "" and len(value) <= LONGEST_IDENTIFIER
    return (
        len(value) <= LONGEST_IDENTIFIER
        and CONTROL.search(value) is None
        and not any("\ud800" <= char <= "\udfff" for char in value)
    )


def _take_meta(marked: dict[str, Any]) -> bool:
    """Version and time of change are the server's to say; profiles, tags and labels are kept."""
    meta = marked["meta"]
    if type(meta) is not dict or not _is_id(meta.get("versionId", "1")):
        return False
    if "lastUpdated" in meta and exact_time(meta["lastUpdated"]) is None:
        return False
    kept = {key: value for key, value in meta.items() if key not in ("versionId", "lastUpdated")}
    if kept:
        marked["meta"] = kept
    else:
        del marked["meta"]
    return True
