"""Who a message is about: identifiers of PID-3 as FHIR says them, and the patient that they name here."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from integrations.hl7v2.errors import REQUIRED, UNKNOWN_KEY, Hl7Error
from integrations.hl7v2.message import NULL, Header, Segment
from recovery.selectors.hl7_messages import patients_identified, survivor_of

KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
# Numbers of a visit, an account or an insurance: not of a person.
_NOT_A_PERSON = frozenset(("VN", "AN", "ANC", "AND", "ANT", "XX", "NII", "PN", "PHO", "HC"))


@dataclass(frozen=True, slots=True)
class Identifier:
    system: str
    value: str
    kind: str = ""

    def fhir(self) -> dict[str, Any]:
        said: dict[str, Any] = {"system": self.system, "value": self.value}
        return {"type": {"coding": [{"system": KINDS, "code": self.kind}]}, **said} if self.kind else said


def identifiers(segment: Segment, field: int, header: Header) -> list[Identifier]:
    """The CX values of a field that name a person, in the order sent. Raises Hl7Error when there is none."""
    found = []
    for repeat in segment.repeats(field):
        value, kind = segment.text(field, 1, repeat), segment.text(field, 5, repeat)
        if value and value != NULL and kind not in _NOT_A_PERSON:
            found.append(Identifier(system_of(segment, field, 4, header, repeat), value, kind))
    if not found:
        raise Hl7Error(segment.place(field), f"{segment.place(field)} names nobody.", REQUIRED)
    return found


def system_of(segment: Segment, field: int, component: int, header: Header, repeat: int = 1) -> str:
    """The system of an identifier: of its assigning authority (HD), or else of the sending facility."""
    name, universal, kind = (segment.text(field, component, repeat, sub) for sub in (1, 2, 3))
    known = settings.HL7_IDENTIFIER_SYSTEMS.get(name)
    if known:
        return str(known)
    if universal and kind in ("ISO", "UUID"):
        return f"urn:{'oid' if kind == 'ISO' else 'uuid'}:{universal}"
    if universal and kind == "URI":
        return universal
    return f"urn:hl7v2:{_word(name or header.facility or header.application or 'unknown')}"


def _word(said: str) -> str:
    """Usable in a URI."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "-._~") else "-" for char in said)


def known(found: Sequence[Identifier], place: str) -> str | None:
    """FHIR id of the patient that they name, after merges; None for nobody. Raises Hl7Error when they name two."""
    names = {survivor_of(name) for one in found for name in patients_identified(one.system, one.value)}
    if len(names) > 1:
        words = f"{place} names two patients of ours: merge them first (A40), or send the identifiers of one."
        raise Hl7Error(place, words, UNKNOWN_KEY)
    return next(iter(names), None)


def wanted(found: Sequence[Identifier], place: str) -> str:
    """FHIR id of the patient that they name. Raises Hl7Error when there is none."""
    name = known(found, place)
    if name is None:
        raise Hl7Error(place, f"{place} names nobody here: send the patient first (A01, A04 or A28).", UNKNOWN_KEY)
    return name


def id_of(*parts: str) -> str:
    """The same parts always make the same FHIR id, so that a message sent again makes nothing new."""
    mark = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    return f"v2-{mark[:40]}"


def united(held: Iterable[dict[str, Any]], sent: Iterable[Identifier]) -> list[dict[str, Any]]:
    """Identifiers held, and those sent that are not among them."""
    kept = list(held)
    there = {(one.get("system"), one.get("value")) for one in kept}
    return kept + [one.fhir() for one in sent if (one.system, one.value) not in there]
