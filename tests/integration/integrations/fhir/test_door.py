"""The door itself: who may come in, what it speaks, what it notes down."""

import gzip
import json

import pytest
from django.test import Client

from integrations.fhir.routes import ROUTES
from recovery.models import AuditEvent
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.unit.integrations.fhir.observations import heart_rate


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer  "])
def test_without_a_valid_token_nothing_is_told(db: None, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/fhir/Patient", "/fhir/Patient/p1", "/fhir/Nonsense", "/fhir/x/y/z"):
        response = Client().get(path, headers=headers)
        assert response.status_code == 401 and response["WWW-Authenticate"].startswith("Bearer")
        assert content(response)["issue"][0]["code"] == "login"
    assert AuditEvent.objects.filter(outcome="denied").count() == 4


def test_a_browser_session_opens_nothing(db: None, django_user_model: type) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("nurse", password="long enough words"))
    assert client.get("/fhir/Patient").status_code == 401


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ("system/*.cruds", 201),
        ("system/Observation.c", 201),
        ("system/Observation.write", 201),
        ("system/*.*", 201),
        ("system/Observation.rs", 403),
        ("system/*.read", 403),
        ("system/Patient.cruds", 403),
        ("patient/Observation.cruds", 403),
        ("system/Observation.c?category=vital-signs", 201),
        ("system/Observation.c?category=laboratory", 403),
        ("system/Observation.c?colour=red", 403),
    ],
)
def test_scopes_decide_what_a_token_may_do(door: Door, patient: str, scopes: str, status: int) -> None:
    response = Door(token_for(scopes, "scoped")).post("Observation", heart_rate())
    assert response.status_code == status


def test_a_read_only_token_reads_and_searches_and_no_more(door: Door, patient: str) -> None:
    reader = Door(token_for("system/*.rs", "reader"))
    assert reader.get("Patient/p1").status_code == 200 and reader.get("Patient").status_code == 200
    for response in (
        reader.put("Patient/p1", {"resourceType": "Patient", "id": "p1"}),
        reader.delete("Patient/p1"),
        reader.post("Patient", {"resourceType": "Patient"}),
    ):
        assert response.status_code == 403 and content(response)["issue"][0]["code"] == "forbidden"
    denied = AuditEvent.objects.filter(actor_name="reader", outcome="denied")
    assert list(denied.values_list("action", "entity")) == [
        ("update", "Patient"),
        ("delete", "Patient"),
        ("create", "Patient"),
    ]


def test_metadata_is_open_and_claims_just_what_is_routed(db: None) -> None:
    said = content(Client().get("/fhir/metadata"))
    assert said["fhirVersion"] == "4.0.1"
    claimed = {one["type"]: one for one in said["rest"][0]["resource"]}
    assert set(claimed) == set(ROUTES)
    for name, route in ROUTES.items():
        assert [one["code"] for one in claimed[name]["interaction"]] == list(route.interactions)


def test_every_claimed_search_parameter_is_answered(door: Door) -> None:
    values = {
        "token": "x",
        "string": "x",
        "reference": "Patient/x",
        "date": "2026-01-05",
        "uri": "urn:x",
        "quantity": "5",
        "number": "5",
    }
    for resource in content(door.get("metadata"))["rest"][0]["resource"]:
        for param in resource["searchParam"]:
            parts = ROUTES[resource["type"]].param(param["name"])
            kinds = [ROUTES[resource["type"]].param(one).kind for one in parts.components] if parts else []
            said = "$".join(values[kind] for kind in kinds) or values[param["type"]]
            path = f"{resource['type']}?{param['name']}={said}"
            response = door.get(path, Prefer="handling=strict")
            assert response.status_code == 200, (path, response.content)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ('application/fhir+json; fhirVersion="3.0"', 406),
        ("application/fhir+json; fhirVersion=5.0, application/fhir+json; fhirVersion=4.0", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/fhir+json;q=0.9", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
    ],
)
def test_what_the_caller_accepts_decides(door: Door, patient: str, accept: str, status: int) -> None:
    response = door.get("Patient/p1", Accept=accept)
    assert response.status_code == status and response["Content-Type"].startswith("application/fhir+json")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json", 201),
        ("application/json; charset=UTF-8", 201),
        ("application/fhir+json; fhirVersion=4.0; charset=utf-8", 201),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("application/fhir+json; charset=latin-1", 415),
    ],
)
def test_what_the_body_is_said_to_be_decides(door: Door, content_type: str, status: int) -> None:
    assert door.send("POST", "Patient", {"resourceType": "Patient"}, content_type).status_code == status


def test_a_packed_body_is_refused_as_packed(door: Door, patient: str) -> None:
    response = door.post("Observation", gzip.compress(json.dumps(heart_rate()).encode()), Content_Encoding="gzip")
    assert response.status_code == 415
    assert "gzip" in content(response)["issue"][0]["diagnostics"]


def test_a_body_too_large_is_refused_before_it_is_read(door: Door, settings: pytest.FixtureRequest) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = door.post("Patient", {"resourceType": "Patient", "name": [{"family": "x" * 2000}]})
    assert response.status_code == 413 and content(response)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "metadata", 405),
        ("PUT", "metadata", 405),
        ("GET", "", 405),
        ("GET", "Patient/none", 404),
        ("GET", "Nonsense/1", 404),
        ("GET", "Patient/p1/_history/9", 404),
        ("GET", "Patient/p1/$nothing", 404),
        ("GET", "Patient/p%201", 404),
        ("GET", "Observation/r-1-1-1", 404),
    ],
)
def test_what_is_not_there_is_said_in_fhir(door: Door, patient: str, method: str, path: str, status: int) -> None:
    response = door.send(method, path)
    assert response.status_code == status and content(response)["resourceType"] == "OperationOutcome"
    if status == 405:
        assert response["Allow"]


def test_answers_are_never_kept_by_a_cache(door: Door, patient: str) -> None:
    assert door.get("Patient/p1")["Cache-Control"] == "no-store"


def test_a_read_is_noted_with_who_and_whom(door: Door, patient: str) -> None:
    AuditEvent.objects.filter(action="read").count()
    door.get("Patient/p1")
    row = AuditEvent.objects.get(action="read")
    assert (row.actor_kind, row.actor_name, row.entity, row.patient.fhir_id) == (
        "connection",
        "test system",
        "Patient/p1",
        "p1",
    )


def test_a_search_is_noted_once_for_each_patient_shown(door: Door, patient: str) -> None:
    door.post("Observation", heart_rate())
    door.get("Observation?patient=p1")
    row = AuditEvent.objects.get(action="search")
    assert (row.entity, row.patient.fhir_id) == ("Observation", "p1")


def test_a_batch_leaves_one_audit_row_for_each_patient_not_for_each_reading(door: Door, patient: str) -> None:
    before = AuditEvent.objects.filter(action="ingest").count()
    entries = [
        {
            "resource": heart_rate(effectiveDateTime=f"2026-01-05T08:{m:02d}:00Z"),
            "request": {"method": "POST", "url": "Observation"},
        }
        for m in range(10)
    ]
    door.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert AuditEvent.objects.filter(action="ingest").count() == before + 1


@pytest.mark.parametrize(
    ("method", "path", "body", "action", "entity", "status"),
    [
        ("POST", "Observation", heart_rate(status="Hartmann"), "create", "Observation", 400),
        ("POST", "Observation", "{", "create", "Observation", 400),
        ("PUT", "Patient/p1", {"resourceType": "Patient", "id": "Hartmann"}, "update", "Patient/p1", 400),
        ("PUT", "Patient?colour=Hartmann", {"resourceType": "Patient"}, "update", "Patient", 400),
        ("DELETE", "Patient/p1", "", "delete", "Patient/p1", 412),
        ("PATCH", "Patient/p9", "[]", "patch", "Patient/p9", 415),
        ("POST", "", {"resourceType": "Bundle", "type": "Hartmann"}, "ingest", "Bundle", 400),
    ],
)
def test_a_refused_write_is_noted_without_what_it_said(
    door: Door, patient: str, method: str, path: str, body: object, action: str, entity: str, status: int
) -> None:
    headers = {"If_Match": 'W/"9"'} if method == "DELETE" else {}
    door.send(method, path, body, **headers)
    row = AuditEvent.objects.get(outcome="refused")
    assert (row.action, row.entity, row.detail) == (action, entity, {"status": status})
    told = content(door.get(f"AuditEvent/{row.pk}"))
    assert told["outcome"] == "4" and "Hartmann" not in json.dumps(told, default=str)


def test_refused_entries_of_a_batch_are_noted_once_with_their_number(door: Door, patient: str) -> None:
    bad = {"resource": heart_rate(status="bad"), "request": {"method": "POST", "url": "Observation"}}
    door.post("", {"resourceType": "Bundle", "type": "batch", "entry": [bad, bad]})
    row = AuditEvent.objects.get(outcome="refused")
    assert (row.action, row.entity, row.detail) == ("ingest", "Bundle", {"status": 400, "entries": 2})


def test_a_long_address_is_answered_and_a_longer_one_refused_in_fhir(door: Door) -> None:
    assert door.get("Patient?_id=" + ",".join(f"p{n}" for n in range(1500))).status_code == 200
    response = door.get("Patient?_id=" + "x" * 20_000)
    assert response.status_code == 414 and "_search" in content(response)["issue"][0]["diagnostics"]
    many = door.get("Patient?" + "&".join(["_tag=x"] * 1200))
    assert many.status_code == 400 and content(many)["resourceType"] == "OperationOutcome"


def test_a_known_version_is_not_sent_again(door: Door, patient: str) -> None:
    assert door.get("Patient/p1", If_None_Match='W/"1"').status_code == 304
    assert door.get("Patient/p1", If_None_Match='W/"2"').status_code == 200


@pytest.mark.parametrize("resource", [{"resourceType": "Organization", "id": "n1", "name": "x"}, heart_rate(id="n1")])
def test_a_put_for_what_must_not_stand_yet_makes_it_and_overwrites_nothing(
    door: Door, patient: str, resource: dict[str, object]
) -> None:
    """RFC 9110 13.1.2."""
    place = f"{resource['resourceType']}/n1"
    assert door.put(place, resource, If_None_Match="*").status_code == 201
    held = door.get(place).content
    for known in ("*", 'W/"7", W/"1"'):
        again = door.put(place, {**resource, "language": "de"}, If_None_Match=known)
        assert again.status_code == 412 and content(again)["resourceType"] == "OperationOutcome"
    assert door.get(place).content == held
    assert door.put(place, {**resource, "language": "de"}, If_None_Match='W/"7"').status_code == 200
    door.delete(place)
    assert door.put(place, resource, If_None_Match="*").status_code == 201


def test_a_conditional_put_for_what_must_not_stand_yet(door: Door, patient: str) -> None:
    made = {"resourceType": "Organization", "name": "Ward 7"}
    answers = [door.put("Organization?name=Ward 7", made, If_None_Match="*").status_code for _ in range(2)]
    assert answers == [201, 412]


def test_an_unforeseen_error_gives_a_number_and_no_detail(
    door: Door, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("integrations.fhir.shelves.find", broken)
    response = door.get("Patient/p1")
    assert response.status_code == 500 and b"secret" not in response.content
    assert response["X-Request-Id"] in content(response)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "query, kept",
    [
        ("_elements=gender", {"resourceType", "id", "meta", "gender"}),
        ("_summary=text", {"resourceType", "id", "meta"}),
        ("_summary=false", {"resourceType", "id", "meta", "gender", "maritalStatus"}),
        ("_elements=", {"resourceType", "id", "meta", "gender", "maritalStatus"}),
    ],
)
def test_a_read_gives_the_part_that_was_asked_for_and_says_so(
    door: Door, patient: str, query: str, kept: set[str]
) -> None:
    whole = {"resourceType": "Patient", "id": "part", "gender": "female", "maritalStatus": {"text": "married"}}
    written = door.put("Patient/part", whole)
    found = content(door.get(f"Patient/part?{query}"))
    assert set(found) == kept
    assert ("tag" in found["meta"]) == ("maritalStatus" not in kept)
    assert door.get(f"Patient/part?{query}")["ETag"] == written["ETag"]
