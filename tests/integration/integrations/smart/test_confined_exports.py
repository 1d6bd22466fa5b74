"""Confinement of `$export`: kick-off, status, files and ending it, by each kind of token. See test_confinement."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recovery.models import AuditEvent, Connection, Export, Patient, Team
from tests import factories
from tests.integration.integrations.bulk.conftest import kick_off, manifest, work
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.integration.integrations.smart.confining import lay_down, patient_token, reading
from tests.integration.integrations.smart.launching import app, token_of
from tests.integration.integrations.smart.records import LAB, MARK, record

pytestmark = pytest.mark.django_db
GONE_LONG_AGO = "2020-01-01T00:00:00Z"
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def door(db: None, settings: Any, tmp_path: Any) -> Door:
    settings.EXPORT_FILES = tmp_path / "exports"
    full = Door(token_for("system/*.cruds"))
    lay_down(full)
    return full


def kick_offs(whose: str) -> Iterator[tuple[str, str, Any]]:
    """Every way to ask for an export that would hold the records of `whose`."""
    named = [{"name": "patient", "valueReference": {"reference": f"Patient/{whose}-Patient"}}]
    for path in ("$export", "Patient/$export", f"Group/{whose}-Group/$export"):
        yield "GET", path, None
        yield "POST", path, {"resourceType": "Parameters", "parameter": []}
        yield "GET", f"{path}?_type=Observation", None
        yield "GET", f"{path}?_typeFilter=Observation%3Fstatus%3Dfinal&_type=Observation", None
        yield "GET", f"{path}?_since={GONE_LONG_AGO}", None
        yield "POST", path, {"resourceType": "Parameters", "parameter": named}
    yield "GET", f"Patient/$export?patient=Patient/{whose}-Patient", None
    yield "GET", "$export?_type=AuditEvent,RiskAssessment,CarePlan,Flag,DetectedIssue,Provenance", None


def lines(door: Door, said: dict[str, Any]) -> list[dict[str, Any]]:
    """All that the files of a manifest hold."""
    found: list[dict[str, Any]] = []
    for one in (*said["output"], *said["deleted"]):
        answer = door.get(path_of(one["url"]), Accept_Encoding="gzip")
        assert answer.status_code == 200, answer.content
        told = gzip.decompress(b"".join(answer.streaming_content)).decode().splitlines()
        assert len(told) == one["count"]
        found += [json.loads(line) for line in told]
    return found


def fetched(door: Door, path: str) -> int:
    """What is answered; a file is read to its end, where the test's client closes it without the database's line."""
    answer = door.get(path)
    b"".join(answer.streaming_content if answer.streaming else ())
    return int(answer.status_code)


def path_of(url: str) -> str:
    return url.partition("/fhir/")[2]


def test_tokens_of_people_and_patients_start_no_export_and_find_none(door: Door) -> None:
    status = kick_off(door)
    work()
    files = [path_of(one["url"]) for one in manifest(door, status)["output"]]
    nurse = factories.make_person("nurse", "clinician", Team.objects.get(key="team-own"))
    ida = factories.make_person("ida", "patient")
    Patient.objects.filter(fhir_id="own-Patient").update(user=ida)
    tokens = [
        patient_token("patient/*.cruds"),
        patient_token("patient/*.rs", "reading app"),
        Door(token_of(nurse, app("of a nurse"), "user/*.cruds")["access_token"]),
        Door(token_of(ida, app("of a patient"), "launch/patient patient/*.cruds")["access_token"]),
    ]
    held = Export.objects.count()
    for token in tokens:
        for whose in ("own", "stranger"):
            for method, path, body in kick_offs(whose):
                assert token.send(method, path, body, **ASYNC).status_code == 403, (path, body)
        for path in (status, *files):
            assert fetched(token, path) == 404, path
        assert token.delete(status).status_code == 404
    assert Export.objects.count() == held and lines(door, manifest(door, status))
    assert AuditEvent.objects.filter(action="export", outcome="denied").exists()


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        (f"system/Observation.rs?category={LAB} system/Group.rs", {"Observation", "Group"}),
        (
            "system/Patient.rs?name=Ours system/Observation.rs?patient=own-Patient"
            " system/AuditEvent.rs?patient=own-Patient system/RiskAssessment.rs?patient=own-Patient"
            " system/CarePlan.rs?patient=own-Patient system/Condition.rs?patient=own-Patient",
            {"Patient", "Observation", "AuditEvent", "RiskAssessment", "CarePlan", "Condition"},
        ),
        (
            "system/Observation.r system/Observation.s?category=laboratory system/Patient.rs?name=Ours",
            {"Patient", "Observation"},
        ),
    ],
    ids=["a category", "a patient", "a constraint on searching alone"],
)
def test_an_export_of_a_constrained_scope_tells_nothing_else(door: Door, scopes: str, told: set[str]) -> None:
    """Through no kind of export, filter, deletion or count."""
    ours = reading("own", "", LAB) | {"valueQuantity": {"value": 1.1, "unit": "mmol/L"}}
    assert door.post("Observation", ours).status_code == 201
    stranger = {**record("Group", "stranger", ""), "id": "stranger-Group"}
    assert door.put("Group/stranger-Group", stranger).status_code == 200  # a name that may be read
    token = Door(token_for(scopes, "constrained"))
    seen: set[str] = set()
    for method, path, body in kick_offs("stranger"):
        answer = token.send(method, path, body, **ASYNC)
        assert answer.status_code in (202, 403, 404), (path, answer.content)
        if answer.status_code != 202:
            continue
        work()
        said = manifest(token, path_of(answer["Content-Location"]))
        found = lines(token, said)
        assert MARK not in json.dumps([found, said["output"], said["deleted"]]), (path, body)
        assert not said["deleted"]
        seen |= {one["resourceType"] for one in found}
    assert seen <= told | {"OperationOutcome"} and seen & told


def test_naming_a_patient_whom_the_scopes_do_not_reach_says_not_even_that_they_are_here(door: Door) -> None:
    token = Door(token_for("system/Patient.rs?name=Ours system/Observation.rs?patient=own-Patient", "one"))
    answers = [
        token.get(f"Patient/$export?patient=Patient/{name}-Patient", **ASYNC) for name in ("own", "stranger", "nobody")
    ]
    assert [one.status_code for one in answers] == [202, 404, 404]
    without = Door(token_for(f"system/Observation.rs?category={LAB}", "without patients"))
    asked = [without.get(f"Patient/$export?patient=Patient/{name}-Patient", **ASYNC) for name in ("stranger", "nobody")]
    assert [one.status_code for one in asked] == [202, 202]
    assert answers[1].content.decode().replace("stranger", "nobody") == answers[2].content.decode()


@pytest.mark.parametrize("change", ["expires_at", "revoked_at"])
def test_a_token_that_ended_has_no_part_in_an_export_begun_before(door: Door, change: str) -> None:
    """Neither one that is written already nor one that is still being written."""
    token = Door(token_for("system/*.rs", "ends"))
    written = kick_off(token)
    work()
    files = [path_of(one["url"]) for one in manifest(token, written)["output"]]
    begun = kick_off(token)
    Connection.objects.filter(name="ends").update(**{change: timezone.now() - timedelta(seconds=1)})
    work()
    asked = [("GET", path) for path in (written, begun, *files)] + [("DELETE", written), ("DELETE", begun)]
    for method, path in asked:
        assert token.send(method, path).status_code == 401, (method, path)
    for method, path, body in kick_offs("own"):
        assert token.send(method, path, body, **ASYNC).status_code == 401
    assert door.get(written).status_code == 404


def test_a_narrower_token_of_the_same_system_opens_no_file_that_holds_more(door: Door) -> None:
    """One system may hold several tokens (a backend service asks for the scopes it needs at the moment)."""
    status = kick_off(door, f"$export?_since={GONE_LONG_AGO}&_type=Observation,Condition,Flag")
    work()
    whole = manifest(door, status)
    by_type = {one["type"]: path_of(one["url"]) for one in (*whole["output"], *whole["deleted"])}
    assert set(by_type) == {"Observation", "Condition", "Flag", "Bundle"}

    def statuses(scopes: str) -> dict[str, int]:
        Connection.objects.filter(name="test system").update(scopes=scopes)
        said = manifest(door, status)
        counted = {one["type"] for one in (*said["output"], *said["deleted"]) if "count" in one}
        answers = {name: fetched(door, path) for name, path in by_type.items()}
        assert counted == {name for name, code in answers.items() if code == 200}
        return answers

    assert statuses(f"system/Observation.rs?category={LAB} system/Condition.rs") == {
        "Observation": 403,
        "Condition": 200,
        "Flag": 403,
        "Bundle": 403,
    }
    assert set(statuses("system/*.s system/*.c").values()) == {403}
    assert set(statuses("system/*.rs").values()) == {200}
