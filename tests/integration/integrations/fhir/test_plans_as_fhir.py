"""A pathway is a CarePlan with its milestones as Goals, each day of it an Observation; others' stand beside them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.fhir import validation, wire
from recovery.models import Episode, Pathway, Snapshot
from recovery.selectors.patient import patient_page
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, content

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)  # day 3
MILESTONE = {
    "key": "steps_1000",
    "label": "1,000 steps a day",
    "metric": "steps",
    "unit": "/d",
    "target": 1000.0,
    "direction": "up",
    "from_day": 4,
    "early": 4,
    "median": 6,
    "late": 15,
    "probability": 0.97,
    "reached": 0.2,
    "achieved": False,
    "personal": True,
    "source": "made up for a test",
}
BASELINE = {**MILESTONE, "key": "steps_baseline", "target": None, "median": None, "late": None}


@pytest.fixture
def episode(door: Door) -> Episode:
    episode = factories.make_episode(key="p9")
    assert door.put("Patient/p9", {"resourceType": "Patient", "id": "p9", "gender": "female"}).status_code == 201
    episode.pathway = Pathway.objects.create(key="knee", version=2, name="Knee replacement", days=30)
    episode.save()
    for days, milestones in ((2, []), (0, [MILESTONE, BASELINE])):
        snapshot = factories.make_snapshot(
            episode, AT - timedelta(days=days), factories.said(day=3 - days, milestones=milestones)
        )
        Snapshot.objects.filter(pk=snapshot.pk).update(current=days == 0)
        if days:
            Snapshot.objects.filter(pk=snapshot.pk).update(current=False)
    return episode


def found(door: Door, query: str) -> list[str]:
    return [one["resource"]["id"] for one in content(door.get(query)).get("entry", [])]


def read(door: Door, address: str) -> Any:
    answer = door.get(address)
    assert answer.status_code == 200, answer.content
    assert validation.check(wire.parse_object(answer.content)) == address.partition("/")[0]
    return content(answer)


def test_the_plan_runs_from_day_zero_and_names_its_goals(door: Door, episode: Episode) -> None:
    plan = read(door, f"CarePlan/{episode.key}")
    assert (plan["status"], plan["intent"], plan["title"]) == ("active", "plan", "Knee replacement")
    assert plan["period"] == {"start": "2026-03-02T12:00:00.000Z", "end": "2026-04-01T12:00:00.000Z"}
    assert plan["supportingInfo"][0] == {"reference": "Procedure/p9-op"}
    assert [one["reference"] for one in plan["goal"]] == [
        f"Goal/{episode.key}-steps-1000",
        f"Goal/{episode.key}-steps-baseline",
    ]
    for one in plan["goal"]:
        read(door, one["reference"])


def test_a_goal_has_its_measure_its_level_and_the_day_on_which_it_is_expected(door: Door, episode: Episode) -> None:
    goal = read(door, f"Goal/{episode.key}-steps-1000")
    target = goal["target"][0]
    assert target["measure"]["coding"][0] == {"system": "http://loinc.org", "code": "55423-8"}
    assert (target["detailQuantity"]["comparator"], target["detailQuantity"]["unit"]) == (">=", "/d")
    assert target["dueDate"] == "2026-03-08"
    assert target["extension"][0]["valuePeriod"] == {"start": "2026-03-06", "end": "2026-03-17"}
    assert goal["achievementStatus"]["coding"][0]["code"] == "in-progress"


def test_a_goal_that_may_not_be_reached_promises_no_day(door: Door, episode: Episode) -> None:
    target = read(door, f"Goal/{episode.key}-steps-baseline")["target"][0]
    assert "dueDate" not in target and "detailString" in target and "end" not in target["extension"][0]["valuePeriod"]


@pytest.mark.parametrize(
    ("status", "plan", "goal", "achieved"),
    [
        ("active", "active", "active", "in-progress"),
        ("finished", "completed", "completed", "not-achieved"),
        ("cancelled", "revoked", "cancelled", "not-achieved"),
    ],
)
def test_they_follow_the_episode(
    door: Door, episode: Episode, status: str, plan: str, goal: str, achieved: str
) -> None:
    Episode.objects.update(status=status)
    said = read(door, f"Goal/{episode.key}-steps-1000")
    assert read(door, f"CarePlan/{episode.key}")["status"] == plan
    assert (said["lifecycleStatus"], said["achievementStatus"]["coding"][0]["code"]) == (goal, achieved)


def test_before_the_first_snapshot_there_is_a_plan_without_goals(door: Door, episode: Episode) -> None:
    Snapshot.objects.all().delete()
    assert "goal" not in read(door, f"CarePlan/{episode.key}")
    assert found(door, "Goal?patient=p9") == []


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("CarePlan?patient=p9", 1),
        ("CarePlan?patient=p9&status=active&date=2026-03-15", 0),
        ("CarePlan?patient=p9&date=ge2026-03-15", 1),
        ("CarePlan?patient=other", 0),
        ("Goal?patient=p9", 2),
        ("Goal?patient=p9&target-date=2026-03-08", 1),
        ("Goal?subject=Patient/p9&lifecycle-status=completed", 0),
        ("Goal?patient=p9&achievement-status=in-progress", 2),
        ("Observation?patient=p9", 2),
        ("Observation?patient=p9&code=https://twinweb.example/CodeSystem/recovery-index|recovery-state", 2),
        ("Observation?patient=p9&code=8867-4", 0),
        ("Observation?patient=p9&date=2026-03", 2),
        ("Observation?patient=p9&date=lt2026-03-04", 1),
        ("Observation?patient=p9&status=final", 1),
        ("Observation?code=recovery-state", 0),
        ("Observation?code=https://twinweb.example/CodeSystem/recovery-index|recovery-state", 2),
    ],
)
def test_they_are_found_by_what_they_say(door: Door, episode: Episode, query: str, hits: int) -> None:
    assert len(found(door, query)) == hits
    assert content(door.get(f"{query}&_summary=count"))["total"] == hits


def test_the_plan_of_another_system_stands_beside_ours(door: Door, episode: Episode) -> None:
    theirs = {"status": "active", "subject": {"reference": "Patient/p9"}}
    plan = content(door.post("CarePlan", {"resourceType": "CarePlan", "intent": "plan", **theirs}))["id"]
    goal = {"lifecycleStatus": "active", "description": {"text": "walk"}, "subject": {"reference": "Patient/p9"}}
    own = content(door.post("Goal", {"resourceType": "Goal", **goal}))["id"]
    assert set(found(door, "CarePlan?patient=p9")) == {plan, str(episode.key)}
    assert len(found(door, "Goal?patient=p9")) == 3 and own in found(door, "Goal?patient=p9")


def test_nobody_else_writes_them(door: Door, episode: Episode) -> None:
    for address in (f"CarePlan/{episode.key}", f"Goal/{episode.key}-steps-1000", f"Observation/{episode.key}-day3"):
        assert door.put(address, door.get(address).content).status_code == 405
        assert door.delete(address).status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "CarePlan/none",
        "Goal/none",
        "Goal/{key}-steps",
        "Goal/{key}-",
        "Observation/{key}-day99",
        "Observation/{key}-day",
    ],
)
def test_what_there_is_not_is_not_found(door: Door, episode: Episode, address: str) -> None:
    assert door.get(address.format(key=episode.key)).status_code == 404


def test_a_day_is_final_once_the_next_has_begun_and_names_what_it_stands_on(door: Door, episode: Episode) -> None:
    first, last = read(door, f"Observation/{episode.key}-day1"), read(door, f"Observation/{episode.key}-day3")
    assert (first["status"], last["status"]) == ("final", "preliminary")
    assert last["valueCodeableConcept"]["coding"][0]["code"] == "on-track"
    assert last["method"]["coding"][0]["version"] == "cold-start-1/published-1"
    part = last["component"][0]
    assert part["valueQuantity"]["value"].text == "0.4" and part["valueQuantity"]["code"] == "{SD}"
    course = {one["url"]: one for one in part["extension"][0]["extension"]}
    assert course["interval"]["valueRange"]["low"]["value"].text == "71.0"


def test_a_twin_without_data_gives_a_reason_and_no_value(door: Door, episode: Episode) -> None:
    silent = factories.said("no_data", milestones=[])
    silent["metrics"]["heart_rate"] |= {"deviation": None}
    Snapshot.objects.filter(current=True).update(content=silent)
    day = read(door, f"Observation/{episode.key}-day3")
    assert "valueCodeableConcept" not in day and day["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueQuantity" not in day["component"][0] and day["component"][0]["dataAbsentReason"]


@pytest.mark.parametrize("count", [1, 2, 50])
def test_days_and_readings_come_in_one_order_without_repeats(door: Door, episode: Episode, count: int) -> None:
    for hour in range(4):
        reading = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/p9"},
            "effectiveDateTime": f"2026-03-0{hour + 2}T13:00:00Z",
            "valueQuantity": {
                "value": 70 + hour,
                "unit": "/min",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        }
        assert door.post("Observation", reading).status_code == 201
    seen, url = [], f"Observation?patient=p9&_count={count}"
    while url:
        page = content(door.get(url))
        seen += [one["resource"] for one in page["entry"]]
        url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "").partition("/fhir/")[2]
    times = [one.get("effectiveDateTime") or one["effectivePeriod"]["start"] for one in seen]
    assert len({one["id"] for one in seen}) == len(seen) == 6 and times == sorted(times, reverse=True)


def test_the_risks_of_earlier_hours_are_its_history(door: Door, episode: Episode) -> None:
    page = content(door.get(f"RiskAssessment/{episode.key}/_history"))
    assert page["total"] == 2
    versions = [one["resource"]["meta"]["versionId"] for one in page["entry"]]
    assert versions == sorted(versions, reverse=True)
    old = content(door.get(f"RiskAssessment/{episode.key}/_history/{versions[1]}"))
    assert old["occurrenceDateTime"] == "2026-03-03T12:00:00.000Z"


def test_everything_holds_the_plan_the_goals_and_the_days(door: Door, episode: Episode) -> None:
    page = content(door.get("Patient/p9/$everything"))
    held = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in page["entry"]}
    key = episode.key
    assert {f"CarePlan/{key}", f"Goal/{key}-steps-1000", f"Observation/{key}-day1", f"Provenance/twin-{key}"} <= held
    assert f"RiskAssessment/{key}" in held


def test_the_chart_and_the_resources_say_the_same(door: Door, episode: Episode) -> None:
    """One snapshot: the state, the risk and the deviation on the page are those of the resources."""
    nurse = factories.make_person("nurse", team=factories.make_team())
    Episode.objects.update(team=factories.make_team())
    page = patient_page(nurse, episode.key, AT)
    assert page.said is not None
    day, risks = read(door, f"Observation/{episode.key}-day3"), read(door, f"RiskAssessment/{episode.key}")
    assert day["valueCodeableConcept"]["coding"][0]["code"] == page.said.state.replace("_", "-")
    assert float(day["component"][0]["valueQuantity"]["value"].text) == page.said.metrics["heart_rate"].deviation
    shown = page.said.risks[0].probability
    assert shown is not None and float(risks["prediction"][0]["probabilityDecimal"].text) == shown * 100
    assert {one["meta"]["lastUpdated"] for one in (day, risks)} == {"2026-03-05T12:00:00.000Z"}


def test_an_operation_still_to_come_has_a_draft_without_days(door: Door, episode: Episode) -> None:
    Snapshot.objects.all().delete()
    Episode.objects.update(status="planned", surgery_end=None)
    plan = read(door, f"CarePlan/{episode.key}")
    assert plan["status"] == "draft" and "period" not in plan
    assert found(door, "Observation?patient=p9") == []


def test_a_day_before_surgery_has_an_index_of_its_own(door: Door, episode: Episode) -> None:
    newest = Snapshot.objects.filter(current=True).values_list("pk", flat=True)[0]
    Snapshot.objects.update(current=False)
    factories.make_snapshot(episode, AT - timedelta(days=3, hours=1), factories.said(day=-1))
    Snapshot.objects.update(current=False)
    Snapshot.objects.filter(pk=newest).update(current=True)
    assert read(door, f"Observation/{episode.key}-day-1")["status"] == "final"
    assert found(door, f"Observation?_id={episode.key}-day-1") == [f"{episode.key}-day-1"]
    assert len(found(door, "Observation?patient=p9")) == 3


def test_nothing_of_a_deleted_patient_is_concluded(door: Door, episode: Episode) -> None:
    assert door.delete("Patient/p9").status_code in (200, 204)
    for address in (f"CarePlan/{episode.key}", f"Goal/{episode.key}-steps-1000", f"Observation/{episode.key}-day3"):
        assert door.get(address).status_code == 404
    for name in ("CarePlan", "Goal", "RiskAssessment", "Observation", "Provenance"):
        assert found(door, f"{name}?patient=p9") == []
