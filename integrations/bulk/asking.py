"""What a kick-off of `$export` asks: a GET's query or a POST's Parameters, as Bulk Data 3.0 and 4.0 say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.bulk.filters import criteria_of, may_tell
from integrations.bulk.walking import DIRECTORY, ONLY_NAMED, in_order
from integrations.fhir.outcomes import refused
from integrations.fhir.primitives import LOCAL_REFERENCE, from_ms, span
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES

FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
# Known to Bulk Data, not offered: passing over them would tell other things than were asked for.
_NOT_OFFERED = ("_elements", "includeAssociatedData", "organizeOutputBy", "_organizeOutputBy")
# Wishes that make no difference here: a manifest is told when it is whole.
_NO_DIFFERENCE = ("_format", "_pretty", "allowPartialManifests", "_allowPartialManifests")
LIMITS = 64
Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Asked:
    """`types` in the order asked, None for all. `filters`: searches by type. `patients`: ids, None for all."""

    types: list[str] | None = None
    since: str = ""
    until: str = ""
    filters: dict[str, list[str]] = field(default_factory=dict)
    patients: list[str] | None = None


def pairs_of(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters of a Parameters resource. Raises FhirError 400."""
    given = parameters.get("parameter", [])
    if parameters.get("resourceType") != "Parameters" or not isinstance(given, list):
        raise refused(400, "structure", "The body of $export is a Parameters resource.", "Parameters")
    found = []
    for one in given:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise refused(400, "structure", "Each parameter needs a name.", "Parameters.parameter")
        for key, value in one.items():
            if key == "valueReference" and isinstance(value, dict):
                found.append((one["name"], str(value.get("reference", ""))))
            elif key.startswith("value"):
                found.append((one["name"], str(value)))
    return found


def parse(pairs: Pairs, *, lenient: bool, now: datetime) -> Asked:
    """Raises FhirError 400 for what cannot be honoured; `lenient` (Prefer: handling=lenient) passes over it."""
    asked = Asked()
    for name, value in pairs:
        if name == "_outputFormat":
            if value.replace(" ", "+") not in FORMATS:
                raise refused(400, "not-supported", f"_outputFormat: exports are written as {FORMATS[0]} only.", name)
        elif name == "_type":
            asked.types = [*(asked.types or ()), *_types(value, lenient)]
        elif name in ("_since", "_until"):
            setattr(asked, name[1:], _moment(name, value))
        elif name == "_typeFilter":
            _filter(asked, value, now)
        elif name == "patient":
            asked.patients = [*(asked.patients or ()), *(_patient(one) for one in value.split(","))]
        elif name not in _NO_DIFFERENCE and not lenient:
            known = "not offered by this server" if name in _NOT_OFFERED else "no parameter of $export"
            raise refused(400, "not-supported", f"{name[:60]} is {known}.", name[:60])
    _check_filters(asked, lenient)
    return asked


def _types(value: str, lenient: bool) -> list[str]:
    said = [one for one in value.split(",") if one]
    unknown = [one for one in said if one not in ROUTES]
    if unknown and not lenient:
        raise refused(400, "not-supported", f"This server does not keep {unknown[0][:60]!r} resources.", "_type")
    return [one for one in said if one in ROUTES]


def _moment(name: str, value: str) -> str:
    try:
        return from_ms(span(value.replace(" ", "+"), lenient=True).low_ms).isoformat()
    except (ValueError, OverflowError) as error:
        raise refused(400, "invalid", f"{name}: {error}", name) from error


def _patient(value: str) -> str:
    match = LOCAL_REFERENCE.fullmatch(value)
    if match is None or match.group(1) != "Patient":
        raise refused(400, "invalid", f"patient: write Patient/[id], not {value[:60]!r}.", "patient")
    return match.group(2)


def _filter(asked: Asked, value: str, now: datetime) -> None:
    """`Observation?category=laboratory`. Several of one type are alternatives."""
    type_name, mark, query = value.partition("?")
    if not mark or type_name not in ROUTES:
        raise refused(400, "invalid", f"_typeFilter: write Type?search, not {value[:80]!r}.", "_typeFilter")
    if sum(len(one) for one in asked.filters.values()) >= LIMITS:
        raise refused(400, "too-costly", f"_typeFilter: at most {LIMITS}.", "_typeFilter")
    criteria_of(type_name, query, now)
    asked.filters.setdefault(type_name, []).append(query)


def _check_filters(asked: Asked, lenient: bool) -> None:
    beside = [name for name in asked.filters if asked.types is not None and name not in asked.types]
    if beside and not lenient:
        raise refused(400, "invalid", f"_typeFilter speaks of {beside[0]}, which _type leaves out.", "_typeFilter")


def types_told(asked: Asked, kind: str, reach: Reach) -> list[str]:
    """The types that this export tells, in the order of the files. Raises FhirError 403 for one that it may not."""
    if asked.types is not None:
        kept_back = [name for name in asked.types if not may_tell(reach, name)]
        if kept_back:
            sentence = f"Your scopes do not allow an export of {kept_back[0]}: it needs system/{kept_back[0]}.rs."
            raise refused(403, "forbidden", sentence)
    wanted = [name for name in ROUTES if _is_wanted(name, asked, kind) and may_tell(reach, name)]
    if not wanted:
        raise refused(403, "forbidden", "Your scopes do not allow an export of any of these types.")
    return in_order(wanted)


def _is_wanted(name: str, asked: Asked, kind: str) -> bool:
    if asked.types is not None:
        return name in asked.types
    if name in ONLY_NAMED:
        return False
    of_patients = bool(ROUTES[name].patient) or name in DIRECTORY or name == "Provenance"
    return kind == "system" or of_patients
