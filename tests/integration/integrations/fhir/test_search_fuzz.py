"""Any search of any type is answered or refused in words: never a fault of ours, on either engine."""

from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.fhir.parameters import COMMON_PARAMS
from integrations.fhir.routes import ROUTES, Route
from tests.integration.integrations.fhir.conftest import Door, content

_MODIFIERS = [
    "",
    ":missing",
    ":not",
    ":text",
    ":exact",
    ":contains",
    ":identifier",
    ":of-type",
    ":below",
    ":above",
    ":in",
]
_ODD = ["", ",", "|", "$", "\\", "a\\", "|||", "$$", "-1", "1e400", "9" * 30, "0.0.0", "\x00", "é", "%", "_", "'", '"']
_VALUES = [
    *_ODD,
    *("x", "true", "2026", "9999-12-31", "0001", "ge2026-01-05T08:00Z", "Patient/p1", "p1", "urn:x|y", "1|urn:u|u"),
    *("5.4||mg", "lt37|http://unitsofmeasure.org|Cel", "a$1", "8867-4$gt5", "http://a/b|1", "apx", "ap0", "sa1e308"),
]
_CONTROLS = ["_sort", "_count", "_summary", "_elements", "_total", "_include", "_revinclude", "_include:iterate", "_id"]


def _names(route: Route) -> list[str]:
    own = [param.name for param in route.params]
    chains = [f"{param.name}.{rest}" for param in route.params if param.kind == "reference" for rest in ("_id", "name")]
    has = ["_has:Observation:subject:code", "_has:Provenance:target:recorded", "_has:x:y:z"]
    return [*own, *chains, *has, *COMMON_PARAMS, *_CONTROLS, "_cursor", "nothing", "", ":", "."]


def _pairs(route: Route) -> st.SearchStrategy[tuple[Route, list[tuple[str, str]]]]:
    names = st.builds(
        lambda name, modifier: name + modifier, st.sampled_from(_names(route)), st.sampled_from(_MODIFIERS)
    )
    mine = [f"{route.type}:{param.name}" for param in route.params[:20]] + ["date", "-date,_lastUpdated", "*"]
    pair = st.tuples(names, st.one_of(st.sampled_from(_VALUES), st.sampled_from(mine), st.text(max_size=12)))
    return st.lists(pair, min_size=1, max_size=4).map(lambda found: (route, found))


_searches = st.sampled_from(sorted(ROUTES)).flatmap(lambda name: _pairs(ROUTES[name]))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(search=_searches)
def test_no_search_is_a_fault_of_ours(door: Door, patient: str, search: tuple[Route, list[tuple[str, str]]]) -> None:
    route, pairs = search
    url = f"{route.type}?{urlencode(pairs, errors='surrogatepass')}"
    response = door.get(url)
    assert response.status_code in (200, 400), (url, response.content)
    page: dict[str, Any] = content(response)
    for one in page.get("link", []):
        assert door.get(one["url"].partition("/fhir/")[2]).status_code == 200, (url, one)
