"""Search: both shelves as one, dates as ranges, pages that do not lose or repeat anything."""

from typing import Any

import pytest

from tests.integration.integrations.fhir.conftest import Door, content
from tests.unit.integrations.fhir.observations import UCUM, heart_rate, sampled


def ids(door: Door, query: str, **headers: str) -> list[str]:
    response = door.get(query, **headers)
    assert response.status_code == 200, response.content
    entries = content(response).get("entry", [])
    return [one["resource"]["id"] for one in entries if one["search"]["mode"] == "match"]


def put(door: Door, resource: dict[str, Any]) -> None:
    response = door.put(f"{resource['resourceType']}/{resource['id']}", resource)
    assert response.status_code in (200, 201), response.content


@pytest.fixture
def ward(door: Door, patient: str) -> Door:
    """Patient p1 with two streamed heart rates, a packet, a temperature and a noted heart rate; p2 with one."""
    put(
        door,
        {"resourceType": "Patient", "id": "p2", "name": [{"family": "Müller", "given": ["Zoë"]}], "birthDate": "1960"},
    )
    temperature = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
    degrees = {"value": 37, "system": UCUM, "code": "Cel"}
    for resource in (
        heart_rate(id="a", effectiveDateTime="2026-01-05T23:59:59Z", identifier=[{"system": "urn:i", "value": "one"}]),
        heart_rate(id="b", effectiveDateTime="2026-01-06T00:00:00Z"),
        heart_rate(id="c", effectiveDateTime="2026-01-06T10:00:00+02:00", code=temperature, valueQuantity=degrees),
        heart_rate(id="n", effectiveDateTime="2026-01-06T09:00:00Z", note=[{"text": "walk"}]),
        sampled(id="s", effectivePeriod={"start": "2026-01-07T00:00:00Z", "end": "2026-01-07T04:00:00Z"}),
        {"resourceType": "Device", "id": "d2", "patient": {"reference": "Patient/p2"}},
        heart_rate(
            id="other",
            effectiveDateTime="2026-01-06T12:00:00Z",
            subject={"reference": "Patient/p2"},
            device={"reference": "Device/d2"},
        ),
    ):
        put(door, resource)
    return door


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("patient=p1", ["s", "n", "c", "b", "a"]),
        ("patient=Patient/p1", ["s", "n", "c", "b", "a"]),
        ("subject=Patient/p2", ["other"]),
        ("subject:Patient=p2", ["other"]),
        ("patient=nobody", []),
        ("patient=p1,p2&date=2026-01-06", ["other", "n", "c", "b"]),
        ("patient=p1&_sort=date", ["a", "b", "c", "n", "s"]),
        ("patient=p1&code=8310-5", ["c"]),
        ("patient=p1&code=http://loinc.org|8310-5", ["c"]),
        ("patient=p1&code=urn:x|8310-5", []),
        ("patient=p1&code:not=8867-4", ["c"]),
        ("code=8867-4,8310-5&patient=p2", ["other"]),
        ("patient=p1&category=vital-signs&status=final", ["s", "n", "c", "b", "a"]),
        ("patient=p1&category=laboratory", []),
        ("patient=p1&status=amended", []),
        ("device=Device/d1&patient=p1&date=lt2026-01-06", ["a"]),
        ("patient=p1&date=2026-01-06", ["n", "c", "b"]),
        ("patient=p1&date=2026-01", ["s", "n", "c", "b", "a"]),
        ("patient=p1&date=2026-01-06T08:00:00Z", ["c"]),
        ("patient=p1&date=2026-01-06T08:00Z", ["c"]),
        ("patient=p1&date=ge2026-01-06&date=lt2026-01-07", ["n", "c", "b"]),
        ("patient=p1&date=gt2026-01-06", ["s"]),
        ("patient=p1&date=sa2026-01-06", ["s"]),
        ("patient=p1&date=eb2026-01-06", ["a"]),
        ("patient=p1&date=le2026-01-05", ["a"]),
        ("patient=p1&date=ne2026-01-06", ["s", "a"]),
        ("identifier=urn:i|one", ["a"]),
        ("identifier=one&patient=p1", ["a"]),
        ("identifier=urn:other|one", []),
        ("identifier=on", []),
        ("_id=a,n,nothing", ["n", "a"]),
        ("_id=a&patient=p2", []),
        ("_lastUpdated=gt2100", []),
        ("_lastUpdated=gt2020&patient=p2", ["other"]),
        ("patient=p1&performer:missing=true&code=8310-5", ["c"]),
    ],
)
def test_observations_are_found_on_both_shelves(ward: Door, query: str, expected: list[str]) -> None:
    assert ids(ward, f"Observation?{query}") == expected


@pytest.mark.parametrize("order", ["date", "-date"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_pages_of_both_shelves_lose_and_repeat_nothing(ward: Door, order: str, count: int) -> None:
    found, url = [], f"Observation?_count={count}&_sort={order}"
    while url:
        page = content(ward.get(url))
        found += [one["resource"]["id"] for one in page["entry"]]
        links = {one["relation"]: one["url"] for one in page["link"]}
        url = links.get("next", "").partition("/fhir/")[2]
    assert found == (["a", "b", "c", "n", "other", "s"] if order == "date" else ["s", "other", "n", "c", "b", "a"])


def test_a_page_is_stable_while_readings_arrive(ward: Door) -> None:
    first = content(ward.get("Observation?_count=2"))
    put(ward, heart_rate(id="new", effectiveDateTime="2026-01-08T00:00:00Z"))
    url = first["link"][1]["url"].partition("/fhir/")[2]
    assert ids(ward, url) == ["n", "c"]


def test_totals_are_counted_when_asked_for(ward: Door) -> None:
    for query, total in (
        ("_count=0", 6),
        ("patient=p1&_summary=count", 5),
        ("_total=accurate&_count=2", 6),
        ("patient=p1", 5),
    ):
        assert content(ward.get(f"Observation?{query}"))["total"] == total
    assert "total" not in content(ward.get("Observation?_count=2"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?name=mul", ["p2"]),
        ("Patient?name=MÜL", ["p2"]),
        ("Patient?given=zoe", ["p2"]),
        ("Patient?family:exact=Müller", ["p2"]),
        ("Patient?family:exact=muller", []),
        ("Patient?family:contains=LLE", ["p2"]),
        ("Patient?family=ller", []),
        ("Patient?birthdate=1960", ["p2"]),
        ("Patient?birthdate=1960-05", []),
        ("Patient?birthdate=ge1960-01-01", ["p2"]),
        ("Patient?birthdate:missing=true", ["p1"]),
        ("Patient?gender=female", ["p1"]),
        ("Patient?gender:not=female", ["p2"]),
        ("Patient?_id=p2", ["p2"]),
        ("Patient?_sort=-birthdate", ["p2", "p1"]),
        ("Device?patient=p1", ["d1"]),
    ],
)
def test_documents_are_found_by_their_index(ward: Door, query: str, expected: list[str]) -> None:
    assert ids(ward, query) == expected


@pytest.mark.parametrize("order", ["", "_lastUpdated", "-_lastUpdated", "birthdate", "-birthdate"])
def test_pages_of_documents_lose_and_repeat_nothing(door: Door, order: str) -> None:
    for number in range(7):
        born = {"birthDate": f"19{60 + number // 2}-01-01"} if number != 3 else {}
        put(door, {"resourceType": "Patient", "id": f"x{number}", **born})
    found, url = [], f"Patient?_count=2&_sort={order}" if order else "Patient?_count=2"
    while url:
        page = content(door.get(url))
        found += [one["resource"]["id"] for one in page["entry"]]
        links = {one["relation"]: one["url"] for one in page["link"]}
        url = links.get("next", "").partition("/fhir/")[2]
    assert sorted(found) == [f"x{number}" for number in range(7)]
    assert not order.endswith("birthdate") or found[-1] == "x3"


def test_a_parameter_that_is_not_known_is_named_or_refused(ward: Door) -> None:
    lenient = content(ward.get("Observation?patient=p2&colour=red"))
    outcomes = [one["resource"] for one in lenient["entry"] if one["search"]["mode"] == "outcome"]
    assert "colour" in outcomes[0]["issue"][0]["diagnostics"] and "colour" not in lenient["link"][0]["url"]
    strict = ward.get("Observation?colour=red", Prefer="handling=strict")
    assert strict.status_code == 400 and "colour" in content(strict)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "query",
    [
        "date=yesterday",
        "date=2026-13",
        "_count=-1",
        "_count=x",
        "_lastUpdated=x",
        "code:above=1",
        "code.name=x",
        "subject:Medication.code=x",
        "_text=x",
        "_content=x",
        "_filter=x",
        "_include=Observation:code",
        "_revinclude=*",
        "_summary=some",
        "_summary=text&_include=Observation:subject",
        "value-quantity=warm",
        "value-quantity=5|only-two",
        "code-value-quantity=8867-4",
        "_sort=a,b,c,d,e",
        "_contained=true",
        "_has:x:y:z=1",
        "_cursor=!!!",
        "_cursor=WzFd",
        "_cursor=eyJzIjoieCJ9",
        "patient:missing=perhaps",
        "date=ge",
    ],
)
def test_a_search_that_cannot_be_understood_is_refused(ward: Door, query: str) -> None:
    response = ward.get(f"Observation?{query}")
    assert response.status_code == 400 and content(response)["resourceType"] == "OperationOutcome"


def test_a_search_may_be_posted_as_a_form(ward: Door) -> None:
    response = ward.send("POST", "Observation/_search", "patient=p2", "application/x-www-form-urlencoded")
    assert [one["resource"]["id"] for one in content(response)["entry"]] == ["other"]


def test_a_huge_page_is_bounded(ward: Door) -> None:
    assert len(ids(ward, "Observation?_count=1000000")) == 6


def test_entries_say_where_they_live_and_why_they_are_there(ward: Door) -> None:
    entry = content(ward.get("Observation?_id=a"))["entry"][0]
    assert entry["fullUrl"] == "http://testserver/fhir/Observation/a" and entry["search"] == {"mode": "match"}


def test_what_was_deleted_is_not_found(ward: Door) -> None:
    ward.delete("Observation/a")
    assert ids(ward, "Observation?patient=p1&date=lt2026-01-06") == []
