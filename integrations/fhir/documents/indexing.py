"""What a document can be found by: index entries for each search parameter of its route.

string: `value` is folded (lower case, accents off), `system` keeps it as written for :exact.
reference: `value` is Type/id, or the URL or canonical as written.
quantity: one entry as sent (system; code or unit) and, where UCUM converts it, one in the base unit of its dimension.
Beside a parameter stand entries for its modifiers: `name:text`, `name:of-type`, `name:identifier`.
`part` numbers the components of a resource, so that a composite finds what stands together.
"""

import sys
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from integrations.fhir.documents.paths import parts_at, values_at
from integrations.fhir.parameters import META_PARAMS, SearchParam
from integrations.fhir.primitives import LOCAL_REFERENCE, span
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.streams import packets, units
from recovery.selectors.fhir_criteria import CANONICAL
from recovery.services.intake import IndexEntry

LONGEST = 300
# Quantities with a comparator reach to the end of all numbers.
LEAST, GREATEST = -sys.float_info.max, sys.float_info.max
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
_BELOW, _ABOVE = ("<", "<="), (">", ">=")


def index_entries(route: Route, resource: Mapping[str, Any]) -> tuple[IndexEntry, ...]:
    """The entries of a *valid* resource, without repeats."""
    found: dict[IndexEntry, None] = {}
    together = _in_composites(route.type)
    for first, wanted in _by_element(route.type):
        if first in resource or first == "@deceased":
            for param, path in wanted:
                for part, value in _values(resource, path):
                    found.update(dict.fromkeys(_entries(param, value, part if param.name in together else 0)))
    return tuple(found)


@lru_cache(maxsize=256)
def _by_element(type_name: str) -> tuple[tuple[str, tuple[tuple[SearchParam, str], ...]], ...]:
    """The paths of a type by the element that they begin with: most resources have few elements."""
    found: dict[str, list[tuple[SearchParam, str]]] = {}
    for param in (*ROUTES[type_name].params, *META_PARAMS):
        for path in param.paths:
            found.setdefault(path.partition(".")[0].partition("[")[0], []).append((param, path))
    return tuple((name, tuple(wanted)) for name, wanted in found.items())


@lru_cache(maxsize=256)
def _in_composites(type_name: str) -> frozenset[str]:
    """The parameters of which it matters in which part of the resource they stand."""
    return frozenset(name for param in ROUTES[type_name].params for name in param.components)


def _values(resource: Mapping[str, Any], path: str) -> Iterator[tuple[int, Any]]:
    if path == "@deceased":  # Patient.deceased.exists() and Patient.deceased != false
        yield 0, "deceasedDateTime" in resource or resource.get("deceasedBoolean") is True
    else:
        yield from parts_at(resource, path)


def fold(text: str) -> str:
    """Lower case without accents: how strings are compared (FHIR R4 search.html#string)."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))[:LONGEST]


def _entries(param: SearchParam, value: Any, part: int) -> Iterator[IndexEntry]:
    name = param.name
    if param.kind == "token":
        yield from _tokens(name, value, part)
    elif param.kind == "string":
        yield from (IndexEntry(name, "string", one[:LONGEST], fold(one), part=part) for one in _strings(value))
    elif param.kind == "date":
        yield from _dates(name, value, part)
    elif param.kind == "reference":
        yield from _references(param, value, part)
    elif param.kind == "number":
        yield from _numbers(name, value, part)
    elif param.kind == "quantity":
        yield from _quantities(name, value, part)
    elif isinstance(value, str):
        yield IndexEntry(name, "uri", "", value[:LONGEST], part=part)


def _tokens(name: str, value: Any, part: int) -> Iterator[IndexEntry]:
    if isinstance(value, bool):
        yield IndexEntry(name, "token", "", "true" if value else "false", part=part)
    elif isinstance(value, str):
        yield IndexEntry(name, "token", "", value[:LONGEST], part=part)
    elif isinstance(value, Mapping):
        is_concept = "coding" in value
        for coding in value["coding"] if is_concept else [value]:
            code = coding.get("code", coding.get("value"))
            if isinstance(code, str):
                yield IndexEntry(name, "token", str(coding.get("system", ""))[:LONGEST], code[:LONGEST], part=part)
        yield from _token_texts(name, value, part)
        yield from _of_type(name, value, part)


def _token_texts(name: str, value: Mapping[str, Any], part: int) -> Iterator[IndexEntry]:
    """What :text looks at: text of a concept, display of its codings, text of an identifier's type."""
    said = [*values_at(value, "text"), *values_at(value, "coding.display"), *values_at(value, "type.text")]
    said += [value["display"]] if "code" in value and "display" in value else []
    for one in said:
        if isinstance(one, str):
            yield IndexEntry(f"{name}:text", "string", one[:LONGEST], fold(one), part=part)


def _of_type(name: str, value: Mapping[str, Any], part: int) -> Iterator[IndexEntry]:
    """An identifier under the type it has: system and code of the type, and the value."""
    if not isinstance(value.get("value"), str):
        return
    for coding in values_at(value, "type.coding"):
        said = f"{coding.get('code', '')}|{value['value']}"
        yield IndexEntry(f"{name}:of-type", "token", str(coding.get("system", ""))[:LONGEST], said[:LONGEST], part=part)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in (*_NAME_PARTS, *_ADDRESS_PARTS[1:]):
            yield from (one for one in values_at(value, part) if isinstance(one, str))


def _dates(name: str, value: Any, part: int) -> Iterator[IndexEntry]:
    if isinstance(value, str):
        found = span(value)
        yield IndexEntry(name, "date", low_ms=found.low_ms, high_ms=found.high_ms, part=part)
    elif isinstance(value, Mapping) and ("start" in value or "end" in value):
        low = span(value["start"]).low_ms if isinstance(value.get("start"), str) else None
        high = span(value["end"]).high_ms if isinstance(value.get("end"), str) else None
        yield IndexEntry(name, "date", low_ms=low, high_ms=high, part=part)
    elif isinstance(value, Mapping):  # a Timing
        for event in (*values_at(value, "event"), *values_at(value, "repeat.boundsPeriod")):
            yield from _dates(name, event, part)


def _references(param: SearchParam, value: Any, part: int) -> Iterator[IndexEntry]:
    name = param.name
    if isinstance(value, Mapping) and isinstance(value.get("identifier"), Mapping):
        yield from (
            entry for entry in _tokens(f"{name}:identifier", value["identifier"], part) if entry.kind == "token"
        )
    text = value.get("reference") if isinstance(value, Mapping) else value
    if not isinstance(text, str) or text.startswith("#"):
        return
    match = LOCAL_REFERENCE.fullmatch(text)
    if match is None:
        yield IndexEntry(name, "reference", "", text[:LONGEST], part=part)
        if not isinstance(value, Mapping) and "|" in text:  # a canonical is found with and without its version
            yield IndexEntry(name, "reference", "", text.partition("|")[0][:LONGEST], part=part)
    elif len(param.targets) != 1 or match.group(1) in param.targets:
        yield IndexEntry(name, "reference", "", f"{match.group(1)}/{match.group(2)}", part=part)


def _numbers(name: str, value: Any, part: int) -> Iterator[IndexEntry]:
    low, high = _bounds(value) if isinstance(value, Mapping) else (value, value)
    if low is not None and high is not None and not isinstance(low, bool):
        yield IndexEntry(name, "number", number=float(low), number_high=float(high), part=part)


def _quantities(name: str, value: Any, part: int) -> Iterator[IndexEntry]:
    if not isinstance(value, Mapping):
        return
    unit = value.get("origin") or value.get("low") or value.get("high") or value
    low, high = _bounds(value)
    system, code, word = str(unit.get("system", "")), unit.get("code", unit.get("currency")), unit.get("unit")
    for where, what in dict.fromkeys(((system, code or word or ""), ("", word or code or ""))):
        yield IndexEntry(name, "quantity", where[:LONGEST], what[:LONGEST], number=low, number_high=high, part=part)
    base = units.base_of(units.code_of(unit.get("system"), code, word))
    if base is not None and low is not None and high is not None:
        dimension, scale, shift = base
        lowest, highest = (_scaled(one, scale, shift) for one in (low, high))
        system = f"{CANONICAL}{dimension}"
        yield IndexEntry(name, "quantity", system, "", number=lowest, number_high=highest, part=part)


def _scaled(value: float, scale: float, shift: float) -> float:
    return value if value in (LEAST, GREATEST) else units.tidy(value * scale + shift)


def _bounds(value: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The least and the greatest number that a Quantity, Range or SampledData may mean."""
    if "low" in value or "high" in value:
        low, high = values_at(value, "low.value"), values_at(value, "high.value")
        return float(next(low, LEAST)), float(next(high, GREATEST))
    if "origin" in value:
        numbers = packets.numbers(value)
        return (min(numbers), max(numbers)) if numbers else (None, None)
    if value.get("value") is None:
        return None, None
    number = float(value["value"])
    comparator = value.get("comparator")
    return (LEAST if comparator in _BELOW else number), (GREATEST if comparator in _ABOVE else number)
