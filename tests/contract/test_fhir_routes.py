"""Every route obeys the same laws: it is an R4 type, its paths exist, and official examples can be indexed by it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.fhir import bindings, parameters, resources, wire
from integrations.fhir.documents.facts import facts_of
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.parameters import SearchParam
from integrations.fhir.routes import DOCUMENT_INTERACTIONS, ROUTES, VIEW_INTERACTIONS, Route

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir-r4-official-examples"
each_route = pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))

# The whole form of a path, step by step; what does not fit it is no path. Values of a filter may hold dots.
STEP = re.compile(r"([A-Za-z]+)(?:\[([A-Za-z]+)=([^\]]+)\])?(?:\.(?=.)|$)")
# What the indexing works out, and the R4 elements that it works it out from.
WORKED_OUT = {("Patient", "@deceased"): ("deceasedBoolean", "deceasedDateTime")}
# What each kind of parameter can look at (FHIR R4 search.html, the table of data types under 3.1.1.4.4 and following).
LOOKS_AT = {
    "date": {"date", "datetime", "instant", "Period", "Timing"},
    "reference": {"Reference", "canonical"},
    "token": set("boolean code id string CodeableConcept Coding ContactPoint Identifier".split()),
    "string": {"string", "markdown", "HumanName", "Address"},
    "number": {"decimal", "Range"},
    "quantity": {"Quantity", "Age", "Duration", "Range", "SampledData"},
    "uri": {"uri", "url", "canonical"},
}


def steps_of(path: str) -> list[tuple[str, str, str]]:
    """(element, key, value) of each step of a path; [] for what is no path."""
    found, place = [], 0
    while place < len(path):
        match = STEP.match(path, place)
        if match is None:
            return []
        found.append((match[1], match[2] or "", match[3] or ""))
        place = match.end()
    return found


def element_at(type_name: str, path: str) -> resources.Element | None:
    """The R4 element at the end of a path; None where a step, or what a filter looks at, is not there."""
    model, found = type_name, None
    for name, key, value in steps_of(path):
        found = resources.elements(model).get(name) if model else None
        if found is None or (key and not can_say(found, key, value)):
            return None
        model = found.model
    return found


def can_say(element: resources.Element, key: str, value: str) -> bool:
    """Whether `[key=value]` can be true of an element: it has the key, and the key may have the value."""
    asked = resources.elements(element.model).get(key) if element.model else None
    if asked is None or asked.model:
        return False
    codes = bindings.CODES.get(f"{element.model.rpartition('.')[2]}.{key}", asked.codes)
    return value in codes if asked.kind == "code" else asked.kind != "uri" or value.startswith("http")


def elements_of(type_name: str, path: str) -> tuple[resources.Element | None, ...]:
    return tuple(element_at(type_name, one) for one in WORKED_OUT.get((type_name, path), (path,)))


def missing_from_r4(type_name: str, params: tuple[SearchParam, ...]) -> Iterator[str]:
    """The paths that name no R4 element, and the composites of parameters that are not there."""
    simple = {param.name for param in params if not param.components}
    for param in params:
        yield from (f"{type_name}.{path}" for path in param.paths if None in elements_of(type_name, path))
        yield from (f"{type_name}?{param.name}: {name}" for name in param.components if name not in simple)
        if not (param.paths or param.components):
            yield f"{type_name}?{param.name} looks at nothing"


def of_another_kind(type_name: str, params: tuple[SearchParam, ...]) -> Iterator[str]:
    """The paths to elements that a parameter of that kind cannot look at."""
    for param in params:
        for path in param.paths:
            if (type_name, path) in WORKED_OUT:
                continue
            found = element_at(type_name, path)
            kind = found and (found.model.rpartition(".")[2] or found.kind)
            if kind not in LOOKS_AT[param.kind]:
                yield f"{type_name}?{param.name} is a {param.kind}, {path} a {kind}"


@each_route
def test_a_route_is_an_r4_type_with_known_interactions(route: Route) -> None:
    assert resources.has_type(route.type)
    assert route.interactions in (DOCUMENT_INTERACTIONS, VIEW_INTERACTIONS)
    assert len({param.name for param in route.params}) == len(route.params)
    assert not route.patient or element_at(route.type, route.patient)


@each_route
def test_every_search_path_exists_in_r4(route: Route) -> None:
    assert list(missing_from_r4(route.type, route.params)) == []


@each_route
def test_every_parameter_looks_at_elements_of_its_kind(route: Route) -> None:
    assert list(of_another_kind(route.type, route.params)) == []


@pytest.mark.parametrize(
    ("row", "good", "bad"),
    [
        ("Patient\tbirthdate\t", "\tbirthDate\t", "\tbirthDay\t"),
        ("Patient\taddress-city\t", "\taddress.city\t", "\taddress.city.name\t"),
        ("Patient\taddress-city\t", "\taddress.city\t", "\taddress..city\t"),
        ("Patient\tactive\t", "\tactive\t", "\tactive.\t"),
        ("Patient\tactive\t", "\tactive\t", "\t\t"),
        ("Patient\tdeceased\t", "@deceased", "@departed"),
        ("Patient\tdeceased\t", "@deceased", "deceased"),
        ("Patient\temail\t", "telecom[system=email]", "telecoms[system=email]"),
        ("Patient\temail\t", "telecom[system=email]", "telecom[kind=email]"),
        ("Patient\temail\t", "telecom[system=email]", "telecom[period=email]"),
        ("Patient\temail\t", "telecom[system=email]", "telecom[system=e-post]"),
        ("Patient\temail\t", "telecom[system=email]", "telecom[system=email"),
        ("Patient\temail\t", "telecom[system=email]", "gender[system=email]"),
        ("Condition\tasserted-date\t", ".valueDateTime", ".valueMoment"),
        ("Condition\tasserted-date\t", "[url=http://", "[uri=http://"),
        ("Condition\tasserted-date\t", "[url=http://hl7.org/", "[url="),
        ("Observation\tdate\t", "effectiveTiming", "effectiveSchedule"),
        ("Observation\tvalue-quantity\t", "valueSampledData", "valueRatioRange"),
        ("Observation\tcode-value-quantity\t", "code$value-quantity", "code$value-amount"),
    ],
)
def test_a_row_that_points_past_r4_is_found_out(row: str, good: str, bad: str) -> None:
    type_name = row.partition("\t")[0]
    table = parameters.FILE.read_text()
    (line,) = (line for line in table.splitlines() if line.startswith(row))
    assert good in line
    before, after = (parameters.read(one)[type_name] for one in (line, line.replace(good, bad)))
    beside = tuple(param for param in parameters.official_params(type_name) if param.name != before[0].name)
    assert list(missing_from_r4(type_name, (*beside, *before))) == []
    assert len(list(missing_from_r4(type_name, (*beside, *after)))) == 1


@pytest.mark.parametrize(
    ("row", "good", "bad"),
    [
        ("Patient\tbirthdate\t", "birthDate", "gender"),
        ("Patient\temail\t", "\ttoken\t", "\tdate\t"),
        ("Condition\tasserted-date\t", "valueDateTime", "valueCode"),
        ("Observation\tsubject\t", "\tsubject\t", "\tcode\t"),
        ("Observation\tvalue-quantity\t", "valueSampledData", "valueString"),
    ],
)
def test_a_row_that_points_at_another_kind_is_found_out(row: str, good: str, bad: str) -> None:
    (line,) = (line for line in parameters.FILE.read_text().splitlines() if line.startswith(row))
    assert good in line
    ((type_name, params),) = parameters.read(line.replace(good, bad)).items()
    assert list(missing_from_r4(type_name, params)) == []
    assert list(of_another_kind(type_name, params))


@each_route
def test_official_examples_are_indexed_and_read_for_facts(route: Route) -> None:
    for path in EXAMPLES.glob(f"{route.type}-*.json"):
        resource = wire.parse(path.read_bytes())
        entries = index_entries(route, resource)
        facts_of(route.type, resource)
        assert len(set(entries)) == len(entries)
        assert all(len(entry.value) <= 300 and entry.param for entry in entries)
