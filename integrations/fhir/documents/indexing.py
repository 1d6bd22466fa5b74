"""What a document can be found by: one IndexEntry per value of each search parameter of its route.

string: `value` is folded (lower case, accents off), `system` keeps it as written for :exact.
reference: `value` is Type/id, or the URL or canonical as written.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.fhir.documents.paths import values_at
from integrations.fhir.primitives import LOCAL_REFERENCE, span
from integrations.fhir.routes import Route, SearchParam
from recovery.services.intake import IndexEntry

LONGEST = 300
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


def index_entries(route: Route, resource: Mapping[str, Any]) -> tuple[IndexEntry, ...]:
    """The entries of a *valid* resource, without repeats."""
    found = [
        entry
        for param in route.params
        for path in param.paths
        for value in values_at(resource, path)
        for entry in _entries(param, value)
    ]
    return tuple(dict.fromkeys(found))


def fold(text: str) -> str:
    """Lower case without accents: how strings are compared (FHIR R4 search.html#string)."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))[:LONGEST]


def _entries(param: SearchParam, value: Any) -> Iterator[IndexEntry]:
    if param.kind == "token":
        yield from _tokens(param.name, value)
    elif param.kind == "string":
        yield from (IndexEntry(param.name, "string", one[:LONGEST], fold(one)) for one in _strings(value))
    elif param.kind == "date":
        yield from _dates(param.name, value)
    elif param.kind == "reference":
        yield from _references(param.name, value)
    elif isinstance(value, str):
        yield IndexEntry(param.name, "uri", "", value[:LONGEST])


def _tokens(name: str, value: Any) -> Iterator[IndexEntry]:
    if isinstance(value, bool):
        yield IndexEntry(name, "token", "", "true" if value else "false")
    elif isinstance(value, str):
        yield IndexEntry(name, "token", "", value[:LONGEST])
    elif isinstance(value, Mapping):
        codings = value["coding"] if "coding" in value else [value]
        for coding in codings:
            code = coding.get("code", coding.get("value"))
            if isinstance(code, str):
                yield IndexEntry(name, "token", str(coding.get("system", ""))[:LONGEST], code[:LONGEST])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in (*_NAME_PARTS, *_ADDRESS_PARTS[1:]):
            yield from (one for one in values_at(value, part) if isinstance(one, str))


def _dates(name: str, value: Any) -> Iterator[IndexEntry]:
    if isinstance(value, str):
        found = span(value)
        yield IndexEntry(name, "date", low_ms=found.low_ms, high_ms=found.high_ms)
    elif isinstance(value, Mapping) and ("start" in value or "end" in value):
        low = span(value["start"]).low_ms if isinstance(value.get("start"), str) else None
        high = span(value["end"]).high_ms if isinstance(value.get("end"), str) else None
        yield IndexEntry(name, "date", low_ms=low, high_ms=high)


def _references(name: str, value: Any) -> Iterator[IndexEntry]:
    text = value.get("reference") if isinstance(value, Mapping) else value
    if not isinstance(text, str) or text.startswith("#"):
        return
    match = LOCAL_REFERENCE.fullmatch(text)
    yield IndexEntry(name, "reference", "", (f"{match.group(1)}/{match.group(2)}" if match else text)[:LONGEST])
