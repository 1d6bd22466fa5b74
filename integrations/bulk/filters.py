"""Which resources an export may tell: what the scopes reach, and what `_typeFilter` leaves. Looked at line by line only
where there is such a limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.reach import Reach
from integrations.fhir.routes import ROUTES
from integrations.fhir.search import grammar
from integrations.fhir.search.matching import holds
from integrations.fhir.shelves import Entry
from integrations.smart import scopes
from integrations.smart.scopes import Grants
from recovery.selectors.fhir_criteria import Criterion
from recovery.services.exports import Slice

# An export tells what may be both read and searched.
NEEDED = ("read", "search-type")


def system_reach(scope_text: str, now: datetime) -> Reach:
    """What the system/ scopes reach: an export is for systems, so what a person or a patient granted has no part in
    it."""
    held = scopes.parse(scope_text).held
    return Reach(Grants(tuple(scope for scope in held if scope.context == "system")), None, now)


def may_tell(reach: Reach, type_name: str) -> bool:
    return all(reach(type_name, needed) for needed in NEEDED)


def covers(now: Reach, then: Reach, type_name: str) -> bool:
    """Whether a file written under `then` tells nothing of that type that `now` would keep back: scopes may have been
    narrowed since, and one system may hold several tokens."""
    return may_tell(now, type_name) and all(
        now.is_unlimited(type_name, needed) or _held(then, type_name, needed) <= _held(now, type_name, needed)
        for needed in NEEDED
    )


def _held(reach: Reach, type_name: str, interaction: str) -> set[tuple[tuple[str, str], ...]]:
    return {scope.query for scope in reach.grants.of(type_name, interaction)}


@dataclass(slots=True)
class Filters:
    """`wanted`: by type, alternatives of criteria of which all must hold."""

    reach: Reach
    wanted: Mapping[str, Sequence[Sequence[Criterion]]]
    _free: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, taken: Slice) -> "Filters":
        now = taken.transaction_time
        said = taken.wanted.get("filters", {})
        wanted = {name: [criteria_of(name, query, now) for query in queries] for name, queries in said.items()}
        return cls(system_reach(taken.scopes, now), wanted)

    def take(self, entry: Entry) -> bool:
        if self._is_free(entry.type):
            return True
        return self._takes(wire.parse_object(entry.text.encode()), entry.type)

    def lines(self, lines: list[str], type_name: str = "Observation") -> list[str]:
        """Of lines of readings, those that may be told."""
        if self._is_free(type_name):
            return lines
        return [line for line in lines if self._takes(wire.parse_object(line.encode()), type_name)]

    def tells_deleted(self, type_name: str) -> bool:
        """That something is gone can be told only where nothing was kept back while it was there."""
        return all(self.reach.is_unlimited(type_name, needed) for needed in NEEDED)

    def _is_free(self, type_name: str) -> bool:
        if type_name not in self._free:
            self._free[type_name] = type_name not in self.wanted and self.tells_deleted(type_name)
        return self._free[type_name]

    def _takes(self, resource: Mapping[str, Any], type_name: str) -> bool:
        name = str(resource.get("id", ""))
        if not all(self.reach.takes(resource, type_name, name, needed) for needed in NEEDED):
            return False
        alternatives = self.wanted.get(type_name)
        if alternatives is None:
            return True
        entries = index_entries(ROUTES[type_name], resource)
        return any(all(holds(one, entries, f"{type_name}/{name}") for one in criteria) for criteria in alternatives)


def criteria_of(type_name: str, query: str, now: datetime) -> list[Criterion]:
    """A search of one type as criteria that a resource in hand can be held to. Raises FhirError 400."""
    return grammar.criteria_of(ROUTES[type_name], parse_qsl(query, keep_blank_values=True), now)
