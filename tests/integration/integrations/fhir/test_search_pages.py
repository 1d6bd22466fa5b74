"""How a search answers: order, pages both ways, totals, summaries, elements."""

from typing import Any

import pytest

from integrations.fhir.search import readings
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.fhir.searching import fill, heart_rate, ids, put

SUBSETTED = "SUBSETTED"


@pytest.fixture
def ward(door: Door) -> Door:
    return fill(door)


def links(page: dict[str, Any]) -> dict[str, str]:
    return {one["relation"]: one["url"].partition("/fhir/")[2] for one in page["link"]}


def walked(door: Door, url: str, relation: str = "next") -> list[list[str]]:
    """The ids of each page from `url` on."""
    pages = []
    while url:
        page = content(door.get(url))
        pages.append([one["resource"]["id"] for one in page.get("entry", [])])
        url = links(page).get(relation, "")
    return pages


ORDERS = {
    "Observation?patient=ann,bob&_sort=code,-date": "pale ecg hr3 hr2 hr1 bp2 bp1 t3 t2 t1 steps".split(),
    "Observation?patient=bob&_sort=status,date": ["t3", "hr3"],
    "Observation?patient=ann&_sort=date": "steps hr1 t1 bp1 pale hr2 t2 bp2 ecg".split(),
    "Observation?patient=ann&code=8867-4": ["ecg", "hr2", "hr1"],
    "Patient?_sort=family": ["ann", "bob"],
    "Patient?_sort=-family": ["bob", "ann"],
    "Patient?_sort=gender,-birthdate": ["ann", "bob"],
    "Patient?_sort=-_id": ["bob", "ann"],
    "Patient?_sort=death-date": ["bob", "ann"],
    "Patient?_sort=-death-date": ["bob", "ann"],
    "Encounter?_sort=-date": ["open", "stay"],
    "Encounter?_sort=-status": ["open", "stay"],
}


def test_several_keys_sort_every_shelf_in_one_order(ward: Door) -> None:
    found = {query: ids(ward, query) for query in ORDERS}
    patients_of = [one for one in found["Observation?patient=ann,bob&_sort=code,-date"]]
    assert sorted(patients_of) == sorted(ORDERS["Observation?patient=ann,bob&_sort=code,-date"])
    assert {key: value for key, value in found.items() if "code,-date" not in key} == {
        key: value for key, value in ORDERS.items() if "code,-date" not in key
    }


@pytest.mark.parametrize(
    "order", ["", "date", "-date", "code,-date", "-code,date", "status,-code", "_lastUpdated", "-device,date"]
)
@pytest.mark.parametrize("count", [1, 4])
def test_pages_there_and_back_hold_the_same(ward: Door, order: str, count: int) -> None:
    base = "Observation?patient=ann,bob" + (f"&_sort={order}" if order else "")
    everything = ids(ward, f"{base}&_count=1000")
    assert len(everything) == len(set(everything)) == 11
    there = walked(ward, f"{base}&_count={count}")
    assert [one for page in there for one in page] == everything
    last = content(ward.get(f"{base}&_count={count}"))
    while "next" in links(last):
        last = content(ward.get(links(last)["next"]))
    back = walked(ward, links(last)["previous"], "previous")
    assert list(reversed(back)) == there[:-1]


@pytest.mark.parametrize(
    "order", ["", "birthdate", "-birthdate", "-family,birthdate", "gender", "-_lastUpdated", "_id"]
)
def test_pages_of_documents_there_and_back_hold_the_same(door: Door, order: str) -> None:
    for number in range(7):
        said: dict[str, Any] = {"gender": "male"} if number % 2 else {}
        said |= {"birthDate": f"19{60 + number // 2}-01-01"} if number != 3 else {}
        put(door, {"resourceType": "Patient", "id": f"x{number}", "name": [{"family": "ÅaBb"[number % 4]}], **said})
    base = "Patient?_count=2" + (f"&_sort={order}" if order else "")
    everything = ids(door, base.replace("=2", "=100"))
    there = walked(door, base)
    assert [one for page in there for one in page] == everything and len(set(everything)) == 7
    back = walked(door, links(content(door.get(links(content(door.get(base)))["next"])))["previous"], "previous")
    assert back == there[:1]


def test_a_page_back_is_stable_while_readings_arrive(ward: Door) -> None:
    first = content(ward.get("Observation?patient=ann&_count=3"))
    second = content(ward.get(links(first)["next"]))
    put(
        ward,
        heart_rate(
            id="new", subject={"reference": "Patient/ann"}, device=None, effectiveDateTime="2026-03-01T00:00:00Z"
        ),
    )
    again = content(ward.get(links(second)["previous"]))
    assert [one["resource"]["id"] for one in again["entry"]] == [one["resource"]["id"] for one in first["entry"]]
    assert ids(ward, links(again)["previous"]) == ["new"]


def test_totals_count_all_shelves(ward: Door) -> None:
    said = {
        query: content(ward.get(query)).get("total")
        for query in (
            "Observation?patient=ann,bob&_count=0",
            "Observation?patient=ann,bob&_summary=count",
            "Observation?patient=ann&_total=accurate&_count=2",
            "Observation?patient=ann&_total=estimate&_count=2",
            "Observation?patient=ann&_total=none&_count=2",
            "Observation?date=gt2026-01-07T01:00:00Z&patient=ann&_count=0",
            "Observation?identifier=one&_count=0",
        )
    }
    assert list(said.values()) == [11, 11, 9, 9, None, 1, 1]
    assert "entry" not in content(ward.get("Observation?patient=ann&_count=0"))


def test_a_summary_keeps_what_r4_marks_and_says_so(ward: Door) -> None:
    entry = content(ward.get("Patient?_id=ann&_summary=true"))["entry"][0]["resource"]
    assert set(entry) == {
        *("resourceType", "id", "meta", "identifier", "active", "name", "telecom", "gender", "birthDate", "address"),
        "managingOrganization",
    }
    assert entry["meta"]["tag"][-1]["code"] == SUBSETTED and entry["meta"]["tag"][0]["code"] == "study"
    data = content(ward.get("Procedure?_id=knee&_summary=data"))["entry"][0]["resource"]
    assert "text" not in data and data["status"] == "completed"
    text = content(ward.get("Procedure?_id=knee&_summary=text"))["entry"][0]["resource"]
    assert set(text) == {"resourceType", "id", "meta", "status", "subject"}
    plain = content(ward.get("Procedure?_id=knee&_summary=false"))["entry"][0]["resource"]
    assert "tag" not in plain["meta"]


def test_elements_keep_what_is_named_and_what_must_be_there(ward: Door) -> None:
    found = content(ward.get("Observation?_id=t1,bp1&_elements=value,identifier"))["entry"]
    by_id = {one["resource"]["id"]: one["resource"] for one in found}
    assert set(by_id["t1"]) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}
    assert set(by_id["bp1"]) == {"resourceType", "id", "meta", "status", "code"}
    assert by_id["t1"]["meta"]["tag"][0]["code"] == SUBSETTED
    both = content(ward.get("Procedure?_elements=Procedure.code&_include=Procedure:patient"))["entry"]
    assert set(both[0]["resource"]) == {"resourceType", "id", "meta", "status", "subject", "code"}
    assert "birthDate" in both[1]["resource"] and SUBSETTED not in str(both[1]["resource"]["meta"])


def test_a_part_of_a_resource_keeps_its_decimals(ward: Door) -> None:
    put(ward, heart_rate(id="exact", subject={"reference": "Patient/bob"}, device=None, note=[{"text": "n"}]))
    response = ward.send(
        "PUT", "Observation/exact", content(ward.get("Observation/exact")) | {"valueQuantity": {"value": 1}}
    )
    body = ward.get("Observation/exact").content.replace(b'"value":1}', b'"value":1.50}')
    assert ward.send("PUT", "Observation/exact", body).status_code == 200, response.content
    assert b'"value":1.50' in ward.get("Observation?_id=exact&_elements=value").content


def test_the_self_link_repeats_what_was_understood(ward: Door) -> None:
    page = content(ward.get(r"Patient?identifier=urn:mrn|A\,1\|2&colour=red&_sort=family&_count=5"))
    assert links(page)["self"] == "Patient?identifier=urn%3Amrn%7CA%5C%2C1%5C%7C2&_sort=family&_count=5"
    assert ids(ward, links(page)["self"]) == ["ann"]


def test_repeated_parameters_all_hold_and_commas_are_alternatives(ward: Door) -> None:
    assert ids(ward, "Observation?code=8310-5,8867-4&code=8310-5&patient=bob") == ["t3"]
    posted = ward.send(
        "POST",
        "Observation/_search?patient=bob",
        "code=8310-5&date=ge2026-01-01&date=le2026-01-31",
        "application/x-www-form-urlencoded",
    )
    assert [one["resource"]["id"] for one in content(posted)["entry"]] == ["t3"]


def test_an_order_that_cannot_be_kept_is_named_or_refused(ward: Door) -> None:
    page = content(ward.get("Observation?patient=bob&_sort=value-quantity"))
    assert "_sort" in page["entry"][-1]["resource"]["issue"][0]["diagnostics"]
    assert ward.get("Observation?_sort=value-quantity", Prefer="handling=strict").status_code == 400
    assert ward.get("Patient?_sort=colour", Prefer="handling=strict").status_code == 400


@pytest.mark.parametrize(
    "cursor",
    [
        "e30",
        "eyJrIjpbXX0",
        "eyJrIjpbMV19",
        "eyJrIjpbTmFOLDEsMSwxXX0",
        "eyJrIjpbIngiLDEsMSwxXX0",
        "eyJrIjpbMWUzMDAsMSwxLDFdfQ",
        "W10",
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(ward: Door, cursor: str) -> None:
    for query in ("Observation?_count=2", "Observation?_sort=-date,_lastUpdated", "Encounter?_sort=date"):
        assert ward.get(f"{query}&_cursor={cursor}").status_code == 400, query


@pytest.mark.parametrize("order", ["-date", "date", "-date,code"])
def test_readings_of_many_series_come_in_one_order(door: Door, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "FEW_SERIES", 2)
    fill(door)
    bob: dict[str, Any] = {"subject": {"reference": "Patient/bob"}, "device": None}
    for day in ("01", "09", "28"):
        put(door, heart_rate(id=f"far{day}", effectiveDateTime=f"2019-02-{day}T00:00:00Z", **bob))
    base = f"Observation?_sort={order}"
    everything = ids(door, f"{base}&_count=1000")
    by_time = [content(door.get(f"Observation/{one}")) for one in everything]
    times = [one.get("effectiveDateTime") or one["effectivePeriod"]["start"] for one in by_time]
    assert times == sorted(times, reverse=order.startswith("-")) and len(times) == 14
    there = walked(door, f"{base}&_count=3")
    assert [one for page in there for one in page] == everything
    assert content(door.get(f"{base}&_count=0"))["total"] == 14
