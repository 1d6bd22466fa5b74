"""An alert is a DetectedIssue and a Flag: found, read, followed through its steps, and written by this server only."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.fhir import validation, wire
from recovery.audit import Actor
from recovery.models import Alert, User
from recovery.services.alert_acts import acknowledge_alert, resolve_alert
from recovery.services.alerting import apply_candidates
from recovery.twin.alerts import AlertCandidate
from recovery.twin.facts import Fact
from recovery.twin.suspicion import Hypothesis, Suspicion, facts
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, content

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def alert(door: Door) -> Alert:
    episode = factories.make_episode(key="p9")
    return factories.make_alert(episode, AT)


def resolve(alert: Alert) -> None:
    actor = Actor.of_user(User.objects.create_user("nurse", role="clinician"))
    held = acknowledge_alert(alert_key=alert.key, version=1, actor=actor, now=AT + timedelta(hours=1))
    resolve_alert(
        alert_key=alert.key,
        version=held.version,
        outcome="false_alarm",
        useful=False,
        note="probe loose",
        actor=actor,
        now=AT + timedelta(hours=2),
    )


def test_an_open_alert_is_a_preliminary_issue_with_its_evidence(door: Door, alert: Alert) -> None:
    issue = content(door.get(f"DetectedIssue/{alert.key}"))
    assert (issue["status"], issue["severity"]) == ("preliminary", "high")
    assert issue["patient"] == {"reference": "Patient/p9"}
    assert issue["evidence"][0]["code"][0]["text"].startswith("respiratory rate 24 /min")
    assert "mitigation" not in issue


def test_what_people_did_is_its_mitigation_and_ends_the_flag(door: Door, alert: Alert) -> None:
    before = door.get(f"DetectedIssue/{alert.key}")["ETag"]
    resolve(alert)
    answer = door.get(f"DetectedIssue/{alert.key}")
    issue, flag = content(answer), content(door.get(f"Flag/{alert.key}"))
    assert answer["ETag"] != before and issue["status"] == "final"
    assert [step["action"]["text"].partition(" ")[0] for step in issue["mitigation"]] == ["Acknowledged", "Resolved"]
    assert issue["mitigation"][-1]["action"]["text"] == "Resolved (false alarm): probe loose"
    assert issue["mitigation"][-1]["author"] == {"display": "nurse"}
    assert flag["status"] == "inactive" and flag["period"]["end"] == "2026-03-03T14:00:00.000Z"


def test_both_are_valid_before_and_after(door: Door, alert: Alert) -> None:
    for _ in range(2):
        for name in ("DetectedIssue", "Flag"):
            assert validation.check(wire.parse_object(door.get(f"{name}/{alert.key}").content)) == name
        if alert.status == "open":
            resolve(alert)
            alert.refresh_from_db()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("DetectedIssue?patient=p9", True),
        ("DetectedIssue?patient=other", False),
        ("DetectedIssue?patient=p9&identified=2026-03-03", True),
        ("DetectedIssue?identified=lt2026-03-03", False),
        ("DetectedIssue?code=physiological", True),
        ("DetectedIssue?code=data-stopped", False),
        ("DetectedIssue?status=preliminary", True),
        ("Flag?patient=p9&status=active", True),
        ("Flag?subject=Patient/p9&date=ge2026-03-04", True),
        ("Flag?category=clinical&status=inactive", False),
        ("Flag?author=Practitioner/x", False),
    ],
)
def test_they_are_found_by_what_they_say(door: Door, alert: Alert, query: str, found: bool) -> None:
    entries = content(door.get(query)).get("entry", [])
    assert [one["resource"]["id"] for one in entries] == ([str(alert.key)] if found else [])


def test_nobody_else_writes_them_but_others_may_send_their_own(door: Door, alert: Alert) -> None:
    own = content(door.get(f"DetectedIssue/{alert.key}"))
    text = door.get(f"DetectedIssue/{alert.key}").content
    assert door.put(f"DetectedIssue/{own['id']}", text).status_code == 405
    assert door.delete(f"Flag/{alert.key}").status_code == 405
    sent = door.post("DetectedIssue", {"resourceType": "DetectedIssue", "status": "final"})
    assert sent.status_code == 201
    assert content(door.get("DetectedIssue?_total=accurate"))["total"] == 2


def test_a_further_hit_is_a_new_version(door: Door, alert: Alert) -> None:
    before = door.get(f"DetectedIssue/{alert.key}")["ETag"]
    fact = Fact("above_own_curve", "respiratory_rate", "respiratory rate", 9.0, "/min", 5.0)
    again = AlertCandidate(
        alert.cause, "physiological", "high", "held", "still there", (fact,), (), 3.0, 1.0, 2.0, "test"
    )
    apply_candidates(episode=alert.episode, candidates=[again], now=AT + timedelta(hours=1))
    assert door.get(f"DetectedIssue/{alert.key}", If_None_Match=before).status_code == 200


def test_its_evidence_is_the_index_of_the_day_and_can_be_read(door: Door, alert: Alert) -> None:
    factories.make_snapshot(alert.episode, alert.last_hit_at, factories.said())
    detail = [one["reference"] for one in content(door.get(f"DetectedIssue/{alert.key}"))["evidence"][0]["detail"]]
    key = alert.episode.key
    assert detail == [f"Observation/{key}-day0", f"RiskAssessment/{key}"]
    assert all(door.get(reference).status_code == 200 for reference in detail)


SUSPECTED = Suspicion(
    0.31, 0.2, (Hypothesis("pneumonia", "pneumonia", False, 0.6, 20.0, (("spo2", 2.0),), ()),), "h-1", "synthetic"
)


def suspected(since: float = 48.0) -> AlertCandidate:
    told = facts(SUSPECTED)
    return AlertCandidate(
        "suspicion", "physiological", "high", "raised", "Looks ill", told, ("Consider.",), 0.31, since, 48.0, "alerts-2"
    )


def test_a_suspicion_carries_its_facts_the_cause_among_them_and_is_valid(door: Door) -> None:
    episode = factories.make_episode(key="p9")
    apply_candidates(episode=episode, candidates=[suspected()], now=AT)
    issue = content(door.get(f"DetectedIssue/{Alert.objects.get().key}"))
    assert [code["text"] for code in issue["evidence"][0]["code"]] == [
        "31 in 100 that a complication is under way now",
        "Likeliest complication pneumonia: 60 in 100 of all causes weighed, begun about 20 h ago if so",
        "Oxygen saturation speaks for it",
    ]
    raw = door.get(f"DetectedIssue/{Alert.objects.get().key}").content
    assert validation.check(wire.parse_object(raw)) == "DetectedIssue"


def test_being_told_again_is_no_answer_to_an_alert(door: Door) -> None:
    episode = factories.make_episode(key="p9")
    apply_candidates(episode=episode, candidates=[suspected()], now=AT)
    before = door.get(f"DetectedIssue/{Alert.objects.get().key}")["ETag"]
    apply_candidates(episode=episode, candidates=[suspected(since=24.0)], now=AT + timedelta(hours=24))
    answer = door.get(f"DetectedIssue/{Alert.objects.get().key}")
    assert answer["ETag"] != before and "mitigation" not in content(answer)
