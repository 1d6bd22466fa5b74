"""Confinement, generated over the routes table: whatever is asked, in whatever way, a token reaches what it may.

Two patients have a record of every type. The stranger's say MARK somewhere, so a leak shows in any answer. Every
request that the table offers is made by each token, and no answer may say MARK; what each token may reach is asked as
well, so that nothing passes by being closed altogether.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.search.compartments import PATIENT
from recovery.models import Connection, Document, DocumentVersion, Episode, Patient, Team
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.integration.integrations.smart.confining import lay_down, patient_token, reading, told
from tests.integration.integrations.smart.launching import app, token_of
from tests.integration.integrations.smart.records import ELSEWHERE, LAB, MARK, SHARED, record, sent_types

pytestmark = pytest.mark.django_db
PATCH = [{"op": "add", "path": "/language", "value": "en"}]


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    body: Any = None
    kind: str = "application/fhir+json"
    headers: tuple[tuple[str, str], ...] = ()


@pytest.fixture
def door(db: None) -> Door:
    return Door(token_for("system/*.cruds"))


@pytest.fixture(scope="module")
def records(rows_of_file: DjangoDbBlocker) -> None:
    """Laid down once: what a test does to them is rolled back."""
    with rows_of_file.unblock():
        lay_down(Door(token_for("system/*.cruds", "who lays down")))


# ---- what is asked ---


def requests(whose: str) -> Iterator[Ask]:
    """Every interaction of the table, aimed at the records of `whose`."""
    for route in ROUTES.values():
        if route.type not in ELSEWHERE and (whose == "stranger" or route.type not in SHARED):
            yield from reads(route, whose)
            if "create" in route.interactions and route.type not in SHARED:
                yield from writes(route, whose)
    yield from operations(whose)
    yield Ask("GET", "_history?_count=1000")
    gets = [
        one.path for name in ("Observation", "Patient") for one in reads(ROUTES[name], whose) if one.method == "GET"
    ]
    yield bundle("batch", [{"request": {"method": "GET", "url": url}} for url in gets])
    for url in (gets[0], gets[5], f"Observation?patient={whose}-Patient", f"Patient/{whose}-Patient/Observation"):
        yield bundle("transaction", [{"request": {"method": "GET", "url": url}}])


def bundle(kind: str, entries: list[Any]) -> Ask:
    return Ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})


def reads(route: Route, whose: str) -> Iterator[Ask]:
    name, one = route.type, f"{whose}-{route.type}"
    patient = f"{whose}-Patient"
    yield from (Ask("GET", f"{name}/{path}") for path in (one, f"{one}/_history/1", f"{one}/_history"))
    yield Ask("GET", f"{name}/_history?_count=100")
    others = "&".join(f"_revinclude={other}:{param}" for other, param in referring(route.type))
    yield Ask("GET", f"{name}?_count=100&_include=*&_include:iterate=*&{others}")
    yield Ask("GET", f"{name}?_id={one}&_total=accurate")
    owners = [param for param in route.params if "Patient" in param.targets]
    for param in owners[:2]:
        yield Ask("GET", f"{name}?{param.name}=Patient/{patient}&_summary=count")
        yield Ask("GET", f"{name}?{param.name}:Patient.name={MARK.lower()}")
    yield Ask("POST", f"{name}/_search", f"_id={one}", "application/x-www-form-urlencoded")
    if name in PATIENT:
        yield Ask("GET", f"Patient/{patient}/{name}?_count=100")


def referring(type_name: str) -> Iterator[tuple[str, str]]:
    """The parameters of the commoner types that may point at this one."""
    for other in ("Observation", "Encounter", "Provenance", "Task", "DeviceMetric", "AuditEvent", "Group"):
        found = [one for one in ROUTES[other].params if one.kind == "reference"]
        names = [one.name for one in found if type_name in one.targets or not one.targets]
        yield from ((other, name) for name in names[:1])


def writes(route: Route, whose: str) -> Iterator[Ask]:
    """Changing what stands there, moving it, and making more of it for that patient."""
    name, one = route.type, f"{whose}-{route.type}"
    mine, body = record(name, "own", ""), record(name, whose, MARK if whose == "stranger" else "")
    new = {key: value for key, value in body.items() if key != "id"}
    kind, tagged = "application/json-patch+json", f"{name}?_tag=urn:test:owner|{MARK}"
    put = {"resource": {**body, "language": "en"}, "request": {"method": "PUT", "url": f"{name}/{one}"}}
    data = base64.b64encode(json.dumps(PATCH).encode()).decode()
    binary = {"resourceType": "Binary", "contentType": kind, "data": data}
    moved = {"resource": {**mine, "id": one}, "request": {"method": "PUT", "url": f"{name}/{one}"}}
    yield bundle("batch", [put])
    yield bundle("batch", [moved])
    yield bundle("batch", [{"request": {"method": "DELETE", "url": f"{name}/{one}"}}])
    yield bundle("batch", [{"resource": binary, "request": {"method": "PATCH", "url": f"{name}/{one}"}}])
    yield bundle("transaction", [{"resource": new, "request": {"method": "POST", "url": name}}])
    yield Ask("POST", name, new)
    yield Ask("DELETE", tagged)
    yield Ask("PATCH", f"{name}/{one}", [{"op": "test", "path": "/meta/tag/0/code", "value": MARK}, *PATCH], kind)
    if name in ("Observation", "Condition", "Patient", "Provenance", "Device"):
        yield Ask("PUT", f"{name}/{one}", put["resource"])
        yield Ask("PUT", f"{name}/{one}", moved["resource"])
        yield Ask("PUT", tagged, mine)
        yield Ask("PATCH", tagged, PATCH, kind)
        yield Ask("DELETE", f"{name}/{one}")
        yield Ask("POST", name, new, headers=(("If_None_Exist", f"_tag=urn:test:owner|{MARK}"),))


def operations(whose: str) -> Iterator[Ask]:
    patient = f"{whose}-Patient"
    for path in (
        f"Patient/{patient}/$everything?_count=1000",
        f"Patient/{patient}/$everything?_type=AuditEvent",
        f"Patient/{patient}/$summary",
        f"Observation/$lastn?patient={patient}",
        f"Patient/{patient}/*?_count=1000",
        f"Patient/{patient}/$validate",
        f"Condition?_has:Provenance:target:agent.name={MARK}",
        f"Patient?_has:Observation:patient:_tag={MARK}&_total=accurate",
        f"Patient?_has:Condition:patient:code:text={MARK.lower()}&_summary=count",
        "Patient?_has:Group:member:_has:Group:member:_tag=x",
    ):
        yield Ask("GET", path)
    yield Ask("GET", f"AuditEvent?entity=Patient/{patient}")
    yield Ask("GET", "Flag/stranger-gone/_history")
    yield Ask("GET", "Condition/moved/_history")
    yield Ask("GET", "Condition/moved/_history/1")
    for name, found in conclusions(whose):
        yield from (Ask("GET", f"{name}/{found}"), Ask("GET", f"{name}?_id={found}"))


def conclusions(whose: str) -> list[tuple[str, str]]:
    episode = Episode.objects.get(patient__fhir_id=f"{whose}-Patient")
    alert = episode.alerts.get()
    return [
        ("RiskAssessment", str(episode.key)),
        ("CarePlan", str(episode.key)),
        ("DetectedIssue", str(alert.key)),
        ("Flag", str(alert.key)),
        ("Observation", f"{episode.key}-day2"),
    ]


# ---- the tokens ---


def asked(door: Door, one: Ask) -> tuple[int, str]:
    answer = door.send(one.method, one.path, one.body, one.kind, **dict(one.headers))
    return answer.status_code, answer.content.decode()


def strangers() -> list[tuple[Any, ...]]:
    """All that is held of the stranger."""
    rows = Document.objects.filter(fhir_id__startswith="stranger-") | Document.objects.filter(content__contains=MARK)
    return sorted(rows.values_list("type", "fhir_id", "version", "deleted", "content"))


def check_nothing_leaks(door: Door, whose: str = "stranger") -> None:
    before = strangers()
    for one in requests(whose):
        status, text = asked(door, one)
        assert status < 500, (one, text)
        assert MARK not in told(text), (one, text)
    assert strangers() == before


def test_a_token_of_one_patient_reaches_that_patient_alone(door: Door, records: None) -> None:
    token = patient_token("patient/*.cruds")
    check_nothing_leaks(token)
    for name in sent_types():
        if name not in {*SHARED, *ELSEWHERE, "DeviceMetric"}:
            assert token.get(f"{name}/own-{name}").status_code == 200, name
    assert json.loads(token.get("Patient?_total=accurate").content)["total"] == 1
    for name in SHARED:
        assert token.get(f"{name}/shared").status_code == 200
        assert token.put(f"{name}/shared", {"resourceType": name, "id": "shared", **SHARED[name]}).status_code == 403


def test_an_app_for_a_person_reaches_whom_that_person_may_see(door: Door, records: None) -> None:
    nurse = factories.make_person("nurse", "clinician", Team.objects.get(key="team-own"))
    token = Door(token_of(nurse, app(), "user/*.cruds")["access_token"])
    check_nothing_leaks(token)
    assert token.get("Observation/own-Observation").status_code == 200
    assert json.loads(token.get("Patient?_total=accurate").content)["total"] == 1


def test_a_patient_reads_their_own_record_and_is_told_no_alert_and_no_risk_by_a_list(door: Door, records: None) -> None:
    person = factories.make_person("ida", "patient")
    Patient.objects.filter(fhir_id="own-Patient").update(user=person)
    token = Door(token_of(person, app(), "launch/patient patient/*.cruds user/*.cruds")["access_token"])
    check_nothing_leaks(token)
    assert token.get("Observation/own-Observation").status_code == 200
    for name in ("RiskAssessment", "DetectedIssue", "Flag"):
        assert token.get(name).status_code == 403
    assert token.post("Observation", reading("own", "")).status_code in (200, 201)
    changed = {**record("Condition", "own", ""), "language": "en"}
    assert token.put("Condition/own-Condition", changed).status_code == 403
    assert token.delete("Condition/own-Condition").status_code == 403


def test_the_words_of_others_searches_are_not_told_through_the_trail(door: Door, records: None) -> None:
    door.get(f"Observation?patient=own-Patient,stranger-Patient&_tag=ours,{MARK}")

    def queries(token: Door, path: str) -> list[str]:
        said = json.loads(token.get(path).content)
        events = [one["resource"] for one in said.get("entry", [])] or [said]
        coded = [entity["query"] for event in events for entity in event["entity"] if "query" in entity]
        return [base64.b64decode(one).decode() for one in coded]

    assert any(MARK in one for one in queries(door, "AuditEvent?_count=100&patient=own-Patient"))
    token = patient_token("patient/*.rs")
    found = json.loads(token.get("AuditEvent?_count=100").content)["entry"]
    assert len(found) > 10 and queries(token, "AuditEvent?_count=100") == []
    assert all(queries(token, f"AuditEvent/{one['resource']['id']}") == [] for one in found[:5])


def test_a_token_held_to_a_category_reaches_no_other(door: Door, records: None) -> None:
    """Everything of the stranger is a vital sign or no Observation; one laboratory value is all that is left."""
    laboratory = reading("stranger", "", LAB) | {"valueQuantity": {"value": 1.1, "unit": "mmol/L"}}
    assert door.post("Observation", laboratory).status_code == 201
    token = Door(token_for(f"system/Observation.cruds?category={LAB}", "lab"))
    check_nothing_leaks(token)
    found = json.loads(token.get("Observation?_total=accurate").content)
    assert found["total"] == 1 and found["entry"][0]["resource"]["category"][0]["coding"][0]["code"] == LAB
    one = found["entry"][0]["resource"]
    assert token.get(f"Observation/{one['id']}").status_code == 200
    vital = {**one, "category": [{"coding": [{**one["category"][0]["coding"][0], "code": "vital-signs"}]}]}
    assert token.put(f"Observation/{one['id']}", vital).status_code == 403
    assert token.post("Observation", reading("stranger", "")).status_code == 403


def test_a_token_that_reads_changes_nothing(door: Door, records: None) -> None:
    token = Door(token_for("system/*.rs", "reader"))
    held = list(Document.objects.order_by("pk").values_list("pk", "version", "deleted"))
    versions = DocumentVersion.objects.count()
    for one in requests("stranger"):
        if one.method != "GET" and "_search" not in one.path and '"GET"' not in json.dumps(one.body):
            status, text = asked(token, one)
            assert status in (200, 403, 405), (one, text)
            assert all(each["response"]["status"].startswith("403") for each in entries_of(status, text)), (one, text)
    assert list(Document.objects.order_by("pk").values_list("pk", "version", "deleted")) == held
    assert DocumentVersion.objects.count() == versions


def entries_of(status: int, text: str) -> list[Any]:
    return json.loads(text).get("entry", []) if status == 200 else []


@pytest.mark.parametrize(
    ("scopes", "change", "status"),
    [
        ("system/*.cruds", {"expires_at": timezone.now() - timedelta(days=1)}, 401),
        ("system/*.cruds", {"revoked_at": timezone.now()}, 401),
        ("openid fhirUser launch", {}, 403),
    ],
    ids=["expired", "revoked", "without scopes of data"],
)
def test_a_token_without_rights_opens_nothing(
    door: Door, records: None, scopes: str, change: dict[str, Any], status: int
) -> None:
    token = Door(token_for(scopes, "nobody"))
    Connection.objects.filter(name="nobody").update(**change)
    for one in requests("own"):
        found, text = asked(token, one)
        refused = [each.get("response", {}).get("status", "")[:3] for each in entries_of(found, text)]
        is_batch = found == 200 and status == 403 and refused and set(refused) <= {"403", "404"}
        assert found == status or (found == 405 and status == 403) or is_batch, (one, found, text)


def test_scopes_of_people_without_a_person_reach_what_is_about_nobody_and_no_record(door: Door, records: None) -> None:
    token = Door(token_for("patient/*.cruds user/*.cruds", "nobody"))
    for name in sent_types():
        if name not in {*SHARED, *ELSEWHERE}:
            assert token.get(f"{name}/own-{name}").status_code == 403
            assert token.get(name).status_code == 403
    assert token.get("Practitioner/shared").status_code == 200
    assert "own-" not in token.get("_history?_count=1000").content.decode()
