"""What a page brings along: `_include` and `_revinclude`, once or again for what was brought (`:iterate`).

Only what the caller may read is brought, each resource once, and a page brings a bounded number; what is left out for
want of room is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from integrations.fhir import shelves
from integrations.fhir.primitives import LOCAL_REFERENCE
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.search import run
from integrations.fhir.search.entries import entries_of
from integrations.fhir.search.page import Page
from integrations.fhir.search.request import Include, SearchRequest
from integrations.fhir.shelves import Entry
from recovery.selectors import fhir_search
from recovery.selectors.consents import sealed_among
from recovery.selectors.fhir_criteria import Criterion, Match

MOST_INCLUDED = 1000
MOST_ROUNDS = 5
NAMES_A_LOOK = 100
Name = tuple[str, str]  # type and id


@dataclass(slots=True)
class _Bag:
    reach: Reach
    seen: set[Name]
    found: list[Entry] = field(default_factory=list)
    is_full: bool = False

    def put(self, entries: Iterable[Entry]) -> list[Entry]:
        """The new ones among `entries`."""
        new: list[Entry] = []
        for entry in entries:
            name = (entry.type, entry.fhir_id)
            if name in self.seen:
                continue
            if len(self.found) >= MOST_INCLUDED:
                self.is_full = True
                break
            self.seen.add(name)
            self.found.append(entry)
            new.append(entry)
        return new


def with_included(request: SearchRequest, page: Page) -> Page:
    if not (request.includes or request.reverse_includes) or not page.entries:
        return page
    bag = _Bag(request.reach, {(entry.type, entry.fhir_id) for entry in page.entries})
    new = _brought(list(page.entries), request.includes, request.reverse_includes, bag)
    forward = [one for one in request.includes if one.iterate]
    reverse = [one for one in request.reverse_includes if one.iterate]
    for _ in range(MOST_ROUNDS):
        if not new or not (forward or reverse):
            break
        new = _brought(new, forward, reverse, bag)
    notes = list(page.notes)
    if bag.is_full:
        notes.append(f"More than {MOST_INCLUDED} resources would be included: ask for smaller pages.")
    return replace(page, included=tuple(bag.found), notes=notes)


def _brought(entries: list[Entry], forward: list[Include], reverse: list[Include], bag: _Bag) -> list[Entry]:
    new = bag.put(_read(_wanted(entries, forward), bag)) if forward else []
    for include in reverse:
        new += bag.put(_referring(entries, include, bag))
    return new


def _wanted(entries: list[Entry], includes: list[Include]) -> list[Name]:
    """What the entries refer to, in the order met."""
    wanted: dict[Name, None] = {}
    for entry in entries:
        mine = [one for one in includes if one.source in ("*", entry.type)]
        for one in entries_of(entry) if mine else ():
            match = LOCAL_REFERENCE.fullmatch(one.value) if one.kind == "reference" else None
            if match and any(_asks_for(include, one.param, match.group(1)) for include in mine):
                wanted[match.group(1), match.group(2)] = None
    return list(wanted)


def _asks_for(include: Include, param: str, target: str) -> bool:
    return include.param in ("*", param) and include.target in ("", target)


def _read(names: list[Name], bag: _Bag) -> Iterable[Entry]:
    """The resources of these names that stand here and that the caller may read."""
    by_type: dict[str, list[str]] = {}
    for type_name, fhir_id in names:
        if (type_name, fhir_id) not in bag.seen and type_name in ROUTES and bag.reach(type_name, "read"):
            by_type.setdefault(type_name, []).append(fhir_id)
    for type_name, ids in by_type.items():
        documents = {row.fhir_id: row for row in fhir_search.documents_named(type_name, ids)}
        found = [shelves.of_document(row) for row in documents.values()]
        if ROUTES[type_name].shelf != "documents":
            found += _from_other_shelves(ROUTES[type_name], [one for one in ids if one not in documents])
        sealed = sealed_among(type_name, {one.fhir_id: one.patient_id for one in found})
        seen = [one for one in found if one.fhir_id not in sealed and bag.reach.sees(one, "read")]
        yield from (shelves.shown(one, bag.reach) for one in seen)


def _from_other_shelves(route: Route, ids: list[str]) -> Iterable[Entry]:
    for fhir_id in ids:
        found = shelves.find(route, fhir_id)
        if found is not None and not found.deleted:
            yield found


def _referring(entries: list[Entry], include: Include, bag: _Bag) -> Iterable[Entry]:
    """What refers to the entries by the parameter, where the caller may search for it."""
    if not bag.reach(include.source, "search-type"):
        return
    targets = [one for one in entries if include.target in ("", one.type)]
    for start in range(0, len(targets), NAMES_A_LOOK):
        part = targets[start : start + NAMES_A_LOOK]
        matches = tuple(Match(value=f"{one.type}/{one.fhir_id}") for one in part)
        criterion = Criterion(include.param, "reference", matches)
        search = SearchRequest(ROUTES[include.source], bag.reach, [criterion], count=MOST_INCLUDED)
        yield from (one.entry for one in islice(run.walk(search), MOST_INCLUDED + 1))
