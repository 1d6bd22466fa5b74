"""A message taken apart: characters, segments, fields, times. Structure is the hl7 library's; what it means is here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import hl7
import hl7.containers
import hl7.util

from integrations.hl7v2.errors import DATA_TYPE, REQUIRED, SEGMENT_SEQUENCE, Hl7Error

# HL7 table 0211 -> Python codec
CHARSETS = {
    "": "utf-8",  # ASCII by the standard; UTF-8 holds it, and what is neither is refused
    "ASCII": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
}
MOST_SEGMENTS = 5_000
# The library's own loggers quote what it cannot read: values of patients, which belong in no log.
for _module in (hl7.containers, hl7.util):
    _module.logger.addFilter(lambda _: False)
NULL = '""'  # HL7's way to say "empty it"
_TIME = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})([0-9]{2})?(?:([0-9]{2})(\.[0-9]{1,4})?)?)?)?)?"
    r"([+-][0-9]{4})?"
)


@dataclass(frozen=True, slots=True)
class Header:
    """MSH. `sender`: application|facility. `kind`: ADT^A01."""

    application: str
    facility: str
    kind: str
    control_id: str
    processing: str
    version: str

    @property
    def sender(self) -> str:
        return f"{self.application}|{self.facility}"[:200]

    @property
    def event(self) -> str:
        return self.kind.partition("^")[2]


class Segment:
    """One segment. `number`: its place among those of its name, from 1."""

    def __init__(self, found: hl7.Segment, number: int) -> None:
        self._found, self.number = found, number
        self.name = str(found[0])

    def place(self, field: int) -> str:
        return f"{self.name}[{self.number}]-{field}" if self.number > 1 else f"{self.name}-{field}"

    def text(self, field: int, component: int = 1, repeat: int = 1, sub: int = 1) -> str:
        """A value without escapes; "" for what is not there."""
        try:
            return str(
                self._found.extract_field(
                    field_num=field, repeat_num=repeat, component_num=component, subcomponent_num=sub
                )
            ).strip()
        except (IndexError, LookupError):
            return ""

    def repeats(self, field: int) -> range:
        """Numbers of the repetitions of a field."""
        if len(self._found) <= field or not str(self._found[field]):
            return range(1, 1)
        return range(1, len(self._found[field]) + 1)

    def required(self, field: int, component: int = 1) -> str:
        """Raises Hl7Error when it is empty."""
        said = self.text(field, component)
        if not said or said == NULL:
            raise Hl7Error(self.place(field), f"{self.place(field)} is required.", REQUIRED)
        return said

    def time(self, field: int, zone: ZoneInfo, component: int = 1) -> str:
        """A FHIR date or dateTime, "" where there is none. Raises Hl7Error for what is no time."""
        said = self.text(field, component)
        if not said or said == NULL:
            return ""
        try:
            return fhir_time(said, zone)
        except ValueError:
            words = f"{self.place(field)} is no time: write YYYYMMDDHHMMSS and the offset, as +0100."
            raise Hl7Error(self.place(field), words, DATA_TYPE) from None


@dataclass(frozen=True, slots=True)
class Message:
    header: Header
    segments: tuple[Segment, ...]

    def all(self, name: str) -> Iterator[Segment]:
        return (one for one in self.segments if one.name == name)

    def first(self, name: str) -> Segment | None:
        return next(self.all(name), None)

    def one(self, name: str) -> Segment:
        """Raises Hl7Error when there is none."""
        found = self.first(name)
        if found is None:
            raise Hl7Error(name, f"The message has no {name} segment.", SEGMENT_SEQUENCE)
        return found


def decoded(raw: bytes) -> str:
    """The text of a message in the charset that MSH-18 names. Raises Hl7Error."""
    if not raw.startswith(b"MSH") or len(raw) < 9:
        raise Hl7Error("MSH", "The message does not begin with an MSH segment.", SEGMENT_SEQUENCE, "AR")
    line = re.split(rb"[\r\n]", raw, maxsplit=1)[0].decode("latin-1")
    fields = line.split(line[3])
    said = fields[17].split(line[5])[0].strip().upper() if len(fields) > 17 else ""
    codec = CHARSETS.get(said)
    if codec is None:
        words = "MSH-18 names a character set that is not read here: send UNICODE UTF-8."
        raise Hl7Error("MSH-18", words, "103", "AR")
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        words = "The message is not in the character set that MSH-18 names (none: UTF-8): name the right one."
        raise Hl7Error("MSH-18", words, DATA_TYPE) from None
    if "\x00" in text:
        raise Hl7Error("MSH", "The message holds the character NUL.", DATA_TYPE)
    return text


def read(raw: bytes) -> Message:
    """Raises Hl7Error for what is no message."""
    text = decoded(raw).replace("\r\n", "\r").replace("\n", "\r").strip("\r \t")
    if text.count("\r") > MOST_SEGMENTS:
        raise Hl7Error("MSH", f"More than {MOST_SEGMENTS} segments: send it in parts.", answer="AR")
    try:
        parsed = hl7.parse(text)
        numbers: dict[str, int] = {}
        segments = []
        for one in parsed:
            name = str(one[0])
            numbers[name] = numbers.get(name, 0) + 1
            segments.append(Segment(one, numbers[name]))
        return Message(_header(segments[0]), tuple(segments))
    except (hl7.ParseException, hl7.HL7Exception, ValueError, IndexError, KeyError, TypeError, RecursionError):
        raise Hl7Error("MSH", "This cannot be read as an HL7 v2 message.", SEGMENT_SEQUENCE, "AR") from None


def _header(msh: Segment) -> Header:
    kind = "^".join(part for part in (msh.text(9, 1), msh.text(9, 2)) if part)
    return Header(
        application=msh.text(3)[:90],
        facility=msh.text(4)[:90],
        kind=kind[:20],
        control_id=msh.text(10)[:200],
        processing=msh.text(11)[:3],
        version=msh.text(12)[:10],
    )


def fhir_time(said: str, zone: ZoneInfo) -> str:
    """HL7 TS or DTM as a FHIR date or dateTime; a time without an offset is the hospital's. Raises ValueError."""
    match = _TIME.fullmatch(said)
    if match is None:
        raise ValueError(said)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if hour is None:
        date = "-".join(part for part in (year, month, day) if part)
        datetime(int(year), int(month or 1), int(day or 1))
        return date
    micro = int((fraction or ".0")[1:].ljust(6, "0")[:6])
    at = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0), micro)
    at = at.replace(tzinfo=zone) if offset is None else datetime.fromisoformat(f"{at.isoformat()}{offset}")
    return at.isoformat(timespec="milliseconds" if micro else "seconds").replace("+00:00", "Z")
