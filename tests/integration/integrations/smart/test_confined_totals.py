"""Confinement of what is not a record: how many there are, and whether there is one. See test_confinement."""

import json

import pytest

from integrations.fhir.reach import owner_param
from integrations.fhir.routes import ROUTES
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.integration.integrations.smart.confining import lay_down, patient_token
from tests.integration.integrations.smart.records import ELSEWHERE, LAB, MARK, SHARED, record

pytestmark = pytest.mark.django_db
TAG = f"urn:test:owner|{MARK}"
# Each request writes a row of the trail, so its rows cannot be counted twice alike.
TRAIL = "AuditEvent"


@pytest.fixture
def door(db: None) -> Door:
    """Both records, and one of the stranger's that names everything shared, so that a count of that could tell."""
    full = Door(token_for("system/*.cruds"))
    lay_down(full)
    by = {"participant": [{"individual": {"reference": "Practitioner/shared"}}]}
    stay = {**record("Encounter", "stranger", MARK), **by, "serviceProvider": {"reference": "Organization/shared"}}
    assert full.put("Encounter/stranger-stay", {**stay, "id": "stranger-stay"}).status_code == 201
    assert (
        full.put(
            "Observation/stranger-seen",
            {
                **record("Observation", "stranger", MARK),
                "id": "stranger-seen",
                "performer": [{"reference": "Practitioner/shared"}],
            },
        ).status_code
        == 201
    )
    return full


def total(door: Door, query: str) -> int | None:
    """None where it may not be asked."""
    answer = door.get(query)
    assert answer.status_code in (200, 403), (query, answer.content)
    said = json.loads(answer.content)
    return said["total"] if answer.status_code == 200 else None


def owners() -> list[tuple[str, str]]:
    """Types that are some patient's, with the parameter that says whose."""
    found = [(name, owner_param(route)) for name, route in ROUTES.items() if name not in {*SHARED, *ELSEWHERE, TRAIL}]
    return [(name, "_id" if name == "Patient" else param) for name, param in found if param or name == "Patient"]


def test_what_a_token_of_one_patient_counts_is_that_patients(door: Door) -> None:
    token = patient_token("patient/*.rs")
    seen = 0
    for name, param in owners():
        own = total(door, f"{name}?{param}={'' if param == '_id' else 'Patient/'}own-Patient&_summary=count")
        for ask in ("_summary=count", "_total=accurate&_count=1", "_count=0", f"_total=accurate&_tag:not={TAG}"):
            assert total(token, f"{name}?{ask}") == own, (name, ask)
        assert not total(token, f"{name}?{param}={'' if param == '_id' else 'Patient/'}stranger-Patient&_summary=count")
        seen += own or 0
    assert seen > 40


def test_nothing_is_counted_through_what_points_at_it(door: Door) -> None:
    """`_has` and chains from every type by every reference, onto what may be read: nothing of the stranger's counts."""
    token = patient_token("patient/*.rs")
    constrained = Door(token_for(f"system/Observation.rs?category={LAB} system/Practitioner.rs system/Patient.rs", "l"))
    asked = 0
    for source in ROUTES.values():
        for param in source.params:
            if param.kind != "reference" or source.type in {*ELSEWHERE, TRAIL}:
                continue
            for target in ("Patient", "Practitioner", "Organization", "Encounter"):
                if target in param.targets:
                    asked += 1
                    query = f"{target}?_has:{source.type}:{param.name}:_tag={TAG}&_summary=count"
                    assert not total(token, query), query
                    if target in ("Patient", "Practitioner"):
                        assert not total(constrained, query), query
    assert asked > 100
    assert total(door, f"Practitioner?_has:Observation:performer:_tag={TAG}&_summary=count") == 1
    for query in (
        f"Observation?subject:Patient._tag={TAG}",
        f"Observation?encounter._tag={TAG}",
        f"Encounter?subject:Patient._has:Observation:patient:_tag={TAG}",
        f"Practitioner?_id=shared&_has:Encounter:participant:subject:Patient._tag={TAG}",
    ):
        assert not total(token, f"{query}&_summary=count"), query


def test_a_record_of_somebody_else_is_answered_like_one_that_never_was(door: Door) -> None:
    """In reading, looking back, validating and changing: not even that there is one is told."""
    token = patient_token("patient/*.cruds")
    for route in ROUTES.values():
        name = route.type
        if name in {*SHARED, *ELSEWHERE}:
            continue
        for path in (f"{name}/{{}}-{name}", f"{name}/{{}}-{name}/_history/1", f"{name}/{{}}-{name}/_history"):
            theirs, nobodys = token.get(path.format("stranger")), token.get(path.format("nobody"))
            assert theirs.status_code == nobodys.status_code >= 400, path
            assert theirs.content.decode().replace("stranger", "nobody") == nobodys.content.decode(), path
    for path in (
        "Flag/{}-gone",
        "Flag/{}-gone/_history",
        "Patient/{}-Patient/$everything",
        "Patient/{}-Patient/$summary",
    ):
        theirs, nobodys = token.get(path.format("stranger")), token.get(path.format("nobody"))
        assert theirs.content.decode().replace("stranger", "nobody") == nobodys.content.decode(), path
    for name in ("Condition", "Observation", "Task", "Patient"):
        for method, body in (("DELETE", None), ("PATCH", [{"op": "remove", "path": "/meta"}])):
            kind = "application/json-patch+json" if body else "application/fhir+json"
            answers = [
                token.send(method, f"{name}/{who}-{name}", body, kind).status_code for who in ("stranger", "nobody")
            ]
            assert answers[0] == answers[1], (method, name, answers)


@pytest.mark.parametrize("scopes", ["patient/Observation.rs?category=" + LAB, f"user/Observation.rs?category={LAB}"])
def test_a_category_holds_within_a_patients_record_too(door: Door, scopes: str) -> None:
    """Own vital signs are as closed to it as a stranger's, by whatever way one asks."""
    token = patient_token(scopes)
    hidden = "own-Observation"
    for path in (
        f"Observation/{hidden}",
        f"Observation/{hidden}/_history",
        f"Observation/{hidden}/_history/1",
        f"Observation?_id={hidden}",
        "Observation?_include=*&_revinclude=Provenance:target",
        "Observation/_history",
        "_history",
        "Patient/own-Patient/Observation",
        "Patient/own-Patient/$everything",
        "Observation/$lastn?patient=own-Patient",
    ):
        answer = token.get(path)
        text = answer.content.decode()
        assert answer.status_code in (200, 403, 404), (path, text)
        assert f'"{hidden}"' not in text and "8867-4" not in text, (path, text)
        assert json.loads(text).get("total", 0) == 0, path
    entries = [{"request": {"method": "GET", "url": url}} for url in (f"Observation/{hidden}", "Observation")]
    answer = token.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert f'"{hidden}"' not in answer.content.decode()
