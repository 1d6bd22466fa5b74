"""Every route obeys the same laws: it is an R4 type, its paths exist, and official examples can be indexed by it."""

from pathlib import Path

import pytest

from integrations.fhir import resources, wire
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.routes import DOCUMENT_INTERACTIONS, ROUTES, VIEW_INTERACTIONS, Route

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir-r4-official-examples"
each_route = pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))


def element_at(type_name: str, path: str) -> resources.Element | None:
    model, found = type_name, None
    for step in path.split("."):
        found = resources.elements(model).get(step)
        if found is None:
            return None
        model = found.model or model
    return found


@each_route
def test_a_route_is_an_r4_type_with_known_interactions(route: Route) -> None:
    assert resources.has_type(route.type)
    assert route.interactions in (DOCUMENT_INTERACTIONS, VIEW_INTERACTIONS)
    assert len({param.name for param in route.params}) == len(route.params)


@each_route
def test_every_search_path_exists_in_r4(route: Route) -> None:
    for param in route.params:
        for path in param.paths:
            # effectiveInstant is R4's; every other path must be in the model as well
            assert element_at(route.type, path) is not None, f"{route.type}.{path}"


@each_route
def test_references_are_searched_as_references_and_dates_as_dates(route: Route) -> None:
    for param in route.params:
        kinds = {element_at(route.type, path) for path in param.paths}
        if param.kind == "date":
            assert all(
                one and (one.kind in ("date", "datetime", "instant") or one.model.endswith("Period")) for one in kinds
            )
        if param.kind == "reference":
            assert all(one and (one.model.endswith("Reference") or one.kind == "canonical") for one in kinds)


@each_route
def test_official_examples_are_indexed_and_read_for_facts(route: Route) -> None:
    for path in EXAMPLES.glob(f"{route.type}-*.json"):
        resource = wire.parse(path.read_bytes())
        entries = index_entries(route, resource)
        facts_of(route.type, resource)
        assert len(set(entries)) == len(entries)
        assert all(len(entry.value) <= 300 and entry.param for entry in entries)
