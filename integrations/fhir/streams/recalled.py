"""Observations of a Bundle that were read before but for a few values: only those are read again.

Devices send the same Observation over and over, with another patient, time, number and identifier. Its text is kept as
a *mould*: everything but those values, to the letter, with a hole for each. A hole takes a plain JSON string (printable
ASCII without quote or backslash) or a plain JSON number, whichever was there. So a text that fits has the structure of
the one that was parsed and checked in full: the same names, none twice, the same constant values, the same shape. The
values themselves are looked at each time, as `mapping.take_apart` does. What fits no mould is parsed as ever.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Any

import orjson

from integrations.fhir import wire
from integrations.fhir.outcomes import FhirError
from integrations.fhir.primitives import DEVICE_REFERENCE, PATIENT_REFERENCE, exact_time
from integrations.fhir.streams import mapping, template
from integrations.fhir.streams.mapping import Mapped
from integrations.fhir.streams.shape import Shape
from recovery.exact_json import ExactDecimal
from recovery.services.intake import NumberReading

MOST_MOULDS = 32
MOST_SKELETONS = 256
MOST_SHAPES = 64  # offsets and exactnesses of time to one mould
LONGEST_TEXT = 8_000
TRIES_A_BUNDLE = 4  # texts that fit no mould and are considered for one: making one costs a millisecond

_WS = r"[ \t\n\r]*"
_HEAD = re.compile(
    rf'{_WS}\{{{_WS}"resourceType"{_WS}:{_WS}"Bundle"{_WS},{_WS}"type"{_WS}:{_WS}"(transaction|batch)"{_WS},'
    rf'{_WS}"entry"{_WS}:{_WS}\[{_WS}'
)
_NEXT = re.compile(rf"{_WS}([,\]]){_WS}")
_TAIL = re.compile(rf"\}}{_WS}")
_STRING, _NUMBER = r"[ !#-\[\]-~]*", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
# A name of JSON and its plain value. Inside a string no name can stand so: its quotes would have backslashes.
_VALUE = re.compile(
    rf'("(?:fullUrl|reference|value|effectiveDateTime|effectiveInstant|issued)"{_WS}:{_WS})'
    rf'("{_STRING}"|{_NUMBER}(?=[ \t\n\r,}}]))'
)
_IDENTIFIER = re.compile(r"resource\.identifier\.[0-9]\.value")
_HOLES = {
    "fullUrl": "url",
    "resource.subject.reference": "subject",
    "resource.device.reference": "device",
    "resource.effectiveDateTime": "at",
    "resource.effectiveInstant": "at",
    "resource.issued": "issued",
    "resource.valueQuantity.value": "value",
}
_NEEDED = frozenset(("subject", "at", "value"))
_POST = {"method": "POST", "url": "Observation"}

Json = dict[str, Any]


class Recalled(dict[str, Any]):
    """An Observation whose text fitted a mould; `said`: what stood in the holes, by their names."""

    __slots__ = ("mould", "said")
    mould: "Mould"
    said: dict[str, str]


@dataclass(slots=True)
class Mould:
    """`text` matches an entry and what parts it from the next; `marked` is its shape (see `mapping.Parts`)."""

    text: re.Pattern[str]
    entry: Json
    marked: Json
    at_name: str
    identifiers: tuple[str, ...]
    has_url: bool
    has_device: bool
    has_issued: bool
    shapes: dict[tuple[str, int], Shape | None] = field(default_factory=dict)

    def cast(self, said: dict[str, str]) -> Json:
        """The entry that was sent. What does not vary is shared between entries and is not to be changed."""
        held = self.entry["resource"]
        resource = Recalled(held)
        resource.mould, resource.said = self, said
        resource["subject"] = {**held["subject"], "reference": said["subject"]}
        resource[self.at_name] = said["at"]
        resource["valueQuantity"] = {**held["valueQuantity"], "value": _number(said["value"])}
        if self.identifiers:
            values = zip(held["identifier"], self.identifiers, strict=True)
            resource["identifier"] = [{**one, "value": said[name]} for one, name in values]
        if self.has_device:
            resource["device"] = {**held["device"], "reference": said["device"]}
        if self.has_issued:
            resource["issued"] = said["issued"]
        entry = {**self.entry, "resource": resource}
        if self.has_url:
            entry["fullUrl"] = said["url"]
        return entry

    def mapped(self, index: int, observation: Recalled, fhir_id: str | None) -> Mapped | None:
        """As `map_observation`, of values that need no second look at the rest; None where one of them does."""
        said = observation.said
        patient = PATIENT_REFERENCE.fullmatch(said["subject"])
        at = exact_time(said["at"])
        number = template.split_number(observation["valueQuantity"]["value"])
        if patient is None or at is None or number is None:
            return None
        own = [said[name] for name in self.identifiers]
        if not all(map(mapping.is_plain, own)):
            return None
        if self.has_issued:
            if exact_time(said["issued"]) is None:
                return None
            own.append(said["issued"])
        device = said["device"] if self.has_device else ""
        shape = self._shape(at.offset, at.digits)
        if shape is None or (device and DEVICE_REFERENCE.fullmatch(device) is None):
            return None
        series = shape.series_of(patient.group(1), device)
        slots = orjson.dumps(own).decode() if own else None
        return Mapped(NumberReading(index, series, at.ms, *number, slots, fhir_id), shape.unmapped)

    def _shape(self, offset: str, digits: int) -> Shape | None:
        key = offset, digits
        if key not in self.shapes:
            if len(self.shapes) >= MOST_SHAPES:
                self.shapes.clear()
            shape = self.shapes[key] = mapping.shape_of(self.marked, key)
            return shape
        return self.shapes.get(key)


class MouldBook:
    """The moulds of this process, the last used first. Threads may lose each other's news, never a mould's truth."""

    def __init__(self) -> None:
        self._moulds: tuple[Mould, ...] = ()
        self._seen: set[str] = set()

    def fitting(self, text: str, start: int) -> tuple[Mould, re.Match[str]] | None:
        for place, mould in enumerate(self._moulds):
            match = mould.text.match(text, start)
            if match is not None:
                if place:
                    self._moulds = (mould, *(one for one in self._moulds if one is not mould))
                return mould, match
        return None

    def consider(self, text: str, entry: Any) -> None:
        """Keep a mould of an entry whose like has been seen before."""
        if len(text) > LONGEST_TEXT or not _may_be_cast(entry):
            return
        skeleton = _VALUE.sub(r"\1", text)
        if skeleton not in self._seen:
            if len(self._seen) >= MOST_SKELETONS:
                self._seen.clear()
            self._seen.add(skeleton)
            return
        mould = _mould_of(text, entry)
        if mould is not None:
            self._moulds = (mould, *self._moulds[: MOST_MOULDS - 1])


BOOK = MouldBook()


def parse_bundle(body: bytes, book: MouldBook = BOOK) -> Json:
    """The JSON object of a body, as `wire.parse_object`; of Observations sent before only what varies is parsed."""
    try:
        text = body.decode()
        head = _HEAD.match(text)
        if head is not None:
            entries, end = _entries(text, head.end(), book)
            if _TAIL.fullmatch(text, end):
                return {"resourceType": "Bundle", "type": head.group(1), "entry": entries}
    except (FhirError, UnicodeDecodeError, JSONDecodeError, RecursionError):
        pass  # the whole is read below, which says where it is wrong
    return wire.parse_object(body)


def _entries(text: str, start: int, book: MouldBook) -> tuple[list[Any], int]:
    """The entries from `start` on, and where their list has ended. Raises what the decoder raises."""
    found: list[Any] = []
    tries = TRIES_A_BUNDLE
    sign = ","
    while sign == ",":
        fitting = book.fitting(text, start)
        if fitting is not None:
            mould, match = fitting
            found.append(mould.cast(match.groupdict()))
            sign, start = text[match.end("next") - 1], match.end()
            continue
        entry, end = wire.DECODER.raw_decode(text, start)
        found.append(entry)
        if tries:
            tries -= 1
            book.consider(text[start:end], entry)
        after = _NEXT.match(text, end)
        if after is None:
            raise JSONDecodeError("Expecting ',' delimiter", text, end)
        sign, start = after.group(1), after.end()
    return found, start


def map_entry(index: int, observation: Mapping[str, Any], fhir_id: str | None = None) -> Mapped | None:
    """As `mapping.map_observation`, quicker for what was recalled."""
    if type(observation) is Recalled:
        mapped = observation.mould.mapped(index, observation, fhir_id)
        if mapped is not None:
            return mapped
    return mapping.map_observation(index, observation, fhir_id)


def _number(text: str) -> Any:
    return ExactDecimal(text) if "." in text else wire.integer(text)


def _may_be_cast(entry: Any) -> bool:
    if not isinstance(entry, dict) or not entry.keys() <= {"fullUrl", "resource", "request"}:
        return False
    resource = entry.get("resource")
    return (
        entry.get("request") == _POST
        and isinstance(resource, dict)
        and resource.get("resourceType") == "Observation"
        and "id" not in resource
        and isinstance(resource.get("valueQuantity"), dict)
    )


def _mould_of(text: str, entry: Json) -> Mould | None:
    """The mould of an entry, or None when it is no reading of one number at one time."""
    resource = entry["resource"]
    parts = mapping.take_apart(resource)
    holes = _holes(text)
    names = set(holes.values())
    if parts is None or parts.at is None or not names >= _NEEDED or ("device" in names) != bool(parts.device):
        return None
    identifiers = tuple(sorted(name for name in names if name.startswith("identifier")))
    if len(identifiers) != len(parts.identifiers) or len(names) != len(holes):
        return None
    pattern = _pattern(text, holes)
    if pattern is None:
        return None
    return Mould(
        text=re.compile(pattern),
        entry=entry,
        marked=parts.marked,
        at_name="effectiveDateTime" if "effectiveDateTime" in resource else "effectiveInstant",
        identifiers=identifiers,
        has_url="url" in names,
        has_device="device" in names,
        has_issued="issued" in names,
    )


def _holes(text: str) -> dict[int, str]:
    """Which of the plain values in a text may vary: place -> name of the hole. Each is told by where it comes to stand
    when the text is parsed with a mark instead of it."""
    places = iter(range(len(text)))
    marked = wire.DECODER.decode(_VALUE.sub(lambda match: f'{match[1]}"\\u0001{next(places)}"', text))
    found = {}
    for path, place in _marks(marked):
        if path in _HOLES:
            found[place] = _HOLES[path]
        elif _IDENTIFIER.fullmatch(path):
            found[place] = f"identifier{path.split('.')[2]}"
    return found


def _marks(value: Any, path: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(value, str) and value.startswith(template.MARK):
        yield path.removeprefix("."), int(value[1:])
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _marks(child, f"{path}.{name}")


def _pattern(text: str, holes: Mapping[int, str]) -> str | None:
    """What the text and its like match; None when a value is not of the kind that its place asks for."""
    pattern, last = "", 0
    for place, match in enumerate(_VALUE.finditer(text)):
        if place not in holes:
            continue
        is_number = holes[place] == "value"
        if is_number == match[2].startswith('"'):
            return None
        hole = f"(?P<value>{_NUMBER})(?=[ \\t\\n\\r,}}])" if is_number else f'"(?P<{holes[place]}>{_STRING})"'
        pattern += re.escape(text[last : match.start(2)]) + hole
        last = match.end(2)
    return rf"{pattern}{re.escape(text[last:])}{_WS}(?P<next>[,\]]){_WS}"
