"""Part of a resource: `_summary` and `_elements`, marked SUBSETTED as R4 asks (search.html#summary, #elements)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from integrations.fhir import resources, wire
from integrations.fhir.search.page import Page
from integrations.fhir.search.request import SearchRequest
from integrations.fhir.shelves import Entry
from recovery.exact_json import dumps

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS = frozenset(("resourceType", "id", "meta"))
Keep = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def cut(request: SearchRequest, page: Page) -> Page:
    """The page with each match, and for `_summary` each resource included, cut to what was asked for."""
    if request.summary:
        keep = _SUMMARIES[request.summary]
        included = tuple(_cut(entry, keep) for entry in page.included)
        return replace(page, entries=tuple(_cut(entry, keep) for entry in page.entries), included=included)
    if request.elements:
        names = frozenset(request.elements)
        mine = tuple(_cut(entry, lambda name, said: _elements(name, said, names)) for entry in page.entries)
        return replace(page, entries=mine)
    return page


def cut_one(entry: Entry, summary: str, elements: str) -> Entry:
    """A resource read by its id, cut as a search would (http.html#parameters); whole for what means no part of one."""
    keep = _SUMMARIES.get(summary)
    if keep is not None:
        return _cut(entry, keep)
    names = frozenset(one.strip() for one in elements.split(",") if one.strip())
    return _cut(entry, lambda name, said: _elements(name, said, names)) if names else entry


def _cut(entry: Entry, keep: Keep) -> Entry:
    resource = wire.parse_object(entry.text.encode())
    kept = dict(keep(entry.type, resource))
    meta = dict(resource.get("meta", {}))
    if SUBSETTED not in meta.get("tag", []):
        meta["tag"] = [*meta.get("tag", []), SUBSETTED]
    kept["meta"] = meta
    ordered = {key: kept[key] for key in ("resourceType", "id", "meta") if key in kept}
    return replace(entry, text=dumps({**ordered, **kept}))


def _elements(type_name: str, said: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    """The named elements (of a choice element also by its stem), and those that a resource must have."""
    must = _ALWAYS | resources.required(type_name)
    return {key: value for key, value in said.items() if _bare(key) in must or _is_named(_bare(key), type_name, names)}


def _is_named(key: str, type_name: str, names: frozenset[str]) -> bool:
    return key in names or resources.stem(type_name, key) in names


def _bare(key: str) -> str:
    return key.removeprefix("_")


def _summary(type_name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in said.items() if _bare(key) in _summary_names(type_name)}


@cache
def _summary_names(type_name: str) -> frozenset[str]:
    return _ALWAYS | resources.in_summary(type_name) | resources.required(type_name)


def _text(type_name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = _ALWAYS | {"text"} | resources.required(type_name)
    return {key: value for key, value in said.items() if _bare(key) in kept}


def _data(type_name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in said.items() if key != "text"}


_SUMMARIES: Mapping[str, Keep] = {"true": _summary, "text": _text, "data": _data}
