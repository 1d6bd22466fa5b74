"""Subscription.criteria: a search of this server's own grammar, as far as one resource alone can answer it."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.documents.references import localised
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.primitives import to_ms
from integrations.fhir.reach import EVERYTHING
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.search import grammar
from integrations.fhir.search.matching import holds, in_time
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.request import SearchRequest
from integrations.fhir.search.templates import OF_THE_READING, rough_texts

EXPRESSION = "Subscription.criteria"
# What they ask is not in the resource itself, or is about the answer and not about what is looked for.
_CONTROLS = frozenset(
    ("_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_cursor", "_contained", "_has")
)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a subscription asks for: resources of `route` that satisfy `request`."""

    route: Route
    request: SearchRequest

    def fits(self, resource: dict[str, Any], fhir_id: str, updated_at: datetime, base: str) -> bool:
        request, at = self.request, to_ms(updated_at)
        if request.ids is not None and fhir_id not in request.ids:
            return False
        if not all(any(in_time(match, at, at + 1) for match in group) for group in request.updated):
            return False
        entries = index_entries(self.route, localised(resource, base) if base else resource)
        return all(holds(one, entries, f"{self.route.type}/{fhir_id}") for one in request.criteria)

    def watch(self) -> dict[str, Any]:
        """What a reading must at least have (services.outbox.Watch): the rest is decided by `fits`."""
        constant = [one for one in self.request.criteria if one.param not in OF_THE_READING and one.kind == "token"]
        texts = [list(group) for group in rough_texts(constant)] if self.route.type == "Observation" else []
        return {"patients": patient_names(self.request.criteria), "texts": texts}


@lru_cache(maxsize=512)
def understood(text: str, base: str, at: datetime) -> Sought:
    """Raises FhirError 422 for what cannot be served, saying why. `at`: what `now` is in it (ap prefixes of dates)."""
    type_name, _, query = text.strip().partition("?")
    route = ROUTES.get(type_name)
    if route is None or "create" not in route.interactions:
        raise refused(422, "not-supported", f"Nothing can be subscribed to of {type_name[:60]!r} here.", EXPRESSION)
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, _ in pairs:
        _check_name(name)
    try:
        request = grammar.parse(route, pairs, base=base, strict=True, now=at, reach=EVERYTHING)
    except FhirError as error:
        raise refused(422, "not-supported", "; ".join(one.diagnostics for one in error.issues), EXPRESSION) from error
    return Sought(route, request)


def _check_name(name: str) -> None:
    bare = name.partition(":")[0]
    if bare in _CONTROLS:
        sentence = f"{bare} has no meaning in the criteria of a subscription."
        raise refused(422, "not-supported", sentence, EXPRESSION)
    if "." in name:
        sentence = f"{name[:80]}: criteria cannot follow references, since events of other resources would change them."
        raise refused(422, "not-supported", sentence, EXPRESSION)
