"""References inside a Bundle made real: to other entries (urn:uuid or the address they had elsewhere) or by search."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from integrations.fhir import interactions
from integrations.fhir.interactions import Asked, Place
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.routes import route_of

# References that a server has to resolve: to another entry, or by a search.
_OPEN_REFERENCE = re.compile(rb'"reference"\s*:\s*"((?:urn:|[A-Z][A-Za-z]+\?)(?:[^"\\]|\\.)*)"')
_RESTFUL = re.compile(r"(https?://\S+/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
Json = dict[str, Any]


def resolve(
    asked: Mapping[int, Asked],
    entries: list[Any],
    body: bytes,
    place: Place,
    known_ids: Mapping[int, str],
    same: Mapping[int, int],
) -> tuple[dict[int, Asked], dict[int, FhirError]]:
    """The entries with references to each other, and by search, made real; and what is wrong with the others.

    `known_ids`: ids that entries turned out to have. `same`: entry -> the earlier one that it repeats.
    """
    open_ones = {match.decode("utf-8", "replace") for match in _OPEN_REFERENCE.findall(body)}
    for one in asked.values():
        if one.patch is not None:
            open_ones |= set(_strings(one.patch))
    open_ones |= {url for index, url in _posted_addresses(asked, entries).items() if url.encode() in body}
    wrong: dict[int, FhirError] = {}
    if not open_ones:
        return dict(asked), wrong
    urns = {
        entry["fullUrl"]: index
        for index, entry in enumerate(entries)
        if isinstance(entry, dict) and isinstance(entry.get("fullUrl"), str)
    }
    known: dict[str, str] = {}
    resolved = dict(asked)
    for reference in open_ones:
        index = urns.get(reference, -1)
        index = same.get(index, index)
        if index in asked:
            resolved[index], known[reference] = _promise(resolved[index], place, known_ids)
    for index, one in resolved.items():
        try:
            resource = _rewritten(one.resource, known, place, _root_of(entries[index]))
            operations = _rewritten_patch(one.patch, known, place)
        except FhirError as error:
            wrong[index] = error
            continue
        resolved[index] = replace(one, resource=resource, patch=operations)
    return {index: one for index, one in resolved.items() if index not in wrong}, wrong


def _promise(one: Asked, place: Place, known_ids: Mapping[int, str]) -> tuple[Asked, str]:
    """The entry with the id under which others may refer to it."""
    fhir_id = one.fhir_id or one.assigned or known_ids.get(one.index, "")
    if fhir_id:
        return one, f"{one.type}/{fhir_id}"
    criteria = one.if_none_exist or one.criteria
    existing = interactions.one_match(one, criteria, place) if criteria else None
    fhir_id = existing.fhir_id if existing is not None else str(uuid4())
    return replace(one, assigned=None if existing is not None else fhir_id), f"{one.type}/{fhir_id}"


def _posted_addresses(asked: Mapping[int, Asked], entries: list[Any]) -> dict[int, str]:
    """Entries that are created here and had an address elsewhere, by which others may refer to them."""
    posted = (index for index, one in asked.items() if one.method == "POST" and _root_of(entries[index]))
    return {index: entries[index]["fullUrl"] for index in posted}


def _root_of(entry: Json) -> str:
    """The base of a RESTful fullUrl, to which relative references belong (bundle.html#references); or ""."""
    full_url = entry.get("fullUrl")
    match = _RESTFUL.fullmatch(full_url) if isinstance(full_url, str) and full_url.startswith("http") else None
    return match.group(1) if match else ""


def _rewritten(value: Any, known: dict[str, str], place: Place, root: str = "") -> Any:
    if isinstance(value, list):
        return [_rewritten(item, known, place, root) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _rewritten(child, known, place, root) for key, child in value.items()}
    reference = copy.get("reference")
    if isinstance(reference, str):
        if reference.startswith("urn:uuid:") and reference not in known:
            raise refused(
                400, "value", f"{reference[:80]!r} names no entry of this Bundle that creates it.", "Entry.reference"
            )
        if "?" in reference and reference not in known and not reference.startswith("urn:"):
            known[reference] = _found(reference, place)
        copy["reference"] = known.get(reference) or known.get(root + reference, reference)
    return copy


def _rewritten_patch(operations: Any, known: dict[str, str], place: Place) -> Any:
    """The operations with references in their values made real; a value may be a reference's text itself."""
    rewritten = _rewritten(operations, known, place)
    for operation in rewritten if isinstance(rewritten, list) else ():
        if isinstance(operation, dict) and isinstance(operation.get("value"), str):
            operation["value"] = known.get(operation["value"], operation["value"])
    return rewritten


def _strings(value: Any) -> Iterable[str]:
    """Every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(child)


def _found(reference: str, place: Place) -> str:
    """A conditional reference (`Patient?identifier=...`) as Type/id. Raises FhirError 412 unless it names one."""
    type_name, _, criteria = reference.partition("?")
    route = route_of(type_name)
    found = interactions.matches(route, criteria, place) if route is not None else []
    if len(found) != 1:
        how_many = "no" if not found else "more than one"
        raise refused(412, "not-found", f"{reference[:120]!r} matches {how_many} {type_name}.", "Entry.reference")
    return f"{type_name}/{found[0].fhir_id}"
