"""Two patients' records for the tests of confinement, and how an answer is looked through for the stranger's."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from recovery.audit import Actor
from recovery.models import Episode, Patient, Team
from recovery.services.connections import issue_token
from tests import factories
from tests.integration.integrations.fhir.conftest import Door
from tests.integration.integrations.smart.records import ELSEWHERE, MARK, SHARED, record, sent_types

AT = factories.d.SURGERY_END + timedelta(days=2)


def lay_down(door: Door) -> None:
    """Both patients' records, one streamed reading each, an old version, a deletion, and our conclusions about each."""
    first = ("Patient", "Device", "Encounter")
    types = [*first, *(one for one in sent_types() if one not in first and one not in SHARED and one not in ELSEWHERE)]
    for name, said in SHARED.items():
        answer = door.put(f"{name}/shared", {"resourceType": name, "id": "shared", **said})
        assert answer.status_code == 201, answer.content
    for whose, mark in (("own", ""), ("stranger", MARK)):
        for name in types:
            answer = door.put(f"{name}/{whose}-{name}", record(name, whose, mark))
            assert answer.status_code == 201, (name, answer.content)
        assert door.put(f"Task/{whose}-Task", {**record("Task", whose, mark), "priority": "stat"}).status_code == 200
        gone = {**record("Flag", whose, mark), "id": f"{whose}-gone"}
        assert door.put(f"Flag/{whose}-gone", gone).status_code == 201
        assert door.delete(f"Flag/{whose}-gone").status_code == 204
        assert door.post("Observation", reading(whose, mark)).status_code == 201
    moved = {**record("Condition", "stranger", MARK), "id": "moved"}
    door.put("Condition/moved", moved)  # filed under the stranger first, then found to be ours
    door.put("Condition/moved", {**record("Condition", "own", ""), "id": "moved"})
    for whose, mark in (("own", ""), ("stranger", MARK)):
        conclude(whose, mark)


def reading(whose: str, mark: str, category: str = "vital-signs") -> dict[str, Any]:
    said = {**record("Observation", whose, mark)}
    for name in ("id", "note", "encounter"):
        said.pop(name)
    said["category"] = [{"coding": [{**said["category"][0]["coding"][0], "code": category}]}]
    return said | {"effectiveDateTime": "2026-01-02T11:00:00Z"}


def conclude(whose: str, mark: str) -> None:
    """An episode with a snapshot and an alert: RiskAssessment, CarePlan, Goals, the index, DetectedIssue, Flag."""
    team = Team.objects.get_or_create(key=f"team-{whose}", defaults={"name": f"Team {whose}"})[0]
    episode = Episode.objects.create(
        patient=Patient.objects.get(fhir_id=f"{whose}-Patient"),
        fhir_id=f"{whose}-op",
        surgery_end=factories.d.SURGERY_END,
        team=team,
        procedure="knee_replacement",
        procedure_text=mark or "Knee replacement",
    )
    factories.make_snapshot(episode, AT, factories.said(sentence=mark or "ours", procedure_label=mark or "ours"))
    factories.make_alert(episode, AT, headline=mark or "ours", because=[{"text": mark or "ours"}])


def told(text: str) -> str:
    """What an answer tells of records: not what it repeats of the question, in links and in refusals."""
    return json.dumps(_told(json.loads(text))) if text.startswith("{") else text


def _told(value: Any) -> Any:
    if isinstance(value, list):
        return [_told(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("resourceType") == "OperationOutcome":
        return None
    return {key: _told(one) for key, one in value.items() if key != "link"}


def patient_token(scopes: str, name: str = "app") -> Door:
    return Door(
        issue_token(name=name, scopes=scopes, actor=Actor.system("test"), now=timezone.now(), patient="own-Patient")
    )
