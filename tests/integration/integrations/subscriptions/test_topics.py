"""The topic form of subscriptions-backport 1.1 in R4: handshake, heartbeat, notifications, $status and $events."""

from datetime import timedelta
from typing import Any

import pytest

from integrations.fhir import validation
from integrations.subscriptions.topics import TOPICS
from recovery.audit import Actor
from recovery.models import Alert, Episode, Patient
from recovery.selectors import deliveries as seen
from recovery.services import alerting, outbox
from recovery.services.alert_acts import acknowledge_alert, reopen_alert
from recovery.services.outbox import ALERT_RAISED, RISK_CHANGE
from recovery.twin.alerts import AlertCandidate
from tests.factories import make_person, make_snapshot, said
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.subscriptions.conftest import BACKPORT, Inbox, Post, asked_for, subscribe

SOON = timedelta(seconds=1)


@pytest.fixture
def episodes(post: Post) -> list[Episode]:
    made = []
    for name in ("p1", "p2"):
        patient = Patient.objects.create(fhir_id=name)
        made.append(Episode.objects.create(patient=patient, fhir_id=f"{name}-op", surgery_end=post.now))
    return made


def topic(url: str, content_kind: str = "id-only", filters: tuple[str, ...] = (), **numbers: int) -> dict[str, Any]:
    body = asked_for(url)
    body["channel"]["_payload"] = {
        "extension": [{"url": f"{BACKPORT}backport-payload-content", "valueCode": content_kind}]
    }
    if numbers:
        names = {"heartbeat": "backport-heartbeat-period", "most": "backport-max-count"}
        kinds = {"heartbeat": "valueUnsignedInt", "most": "valuePositiveInt"}
        body["channel"]["extension"] = [
            {"url": f"{BACKPORT}{names[key]}", kinds[key]: value} for key, value in numbers.items()
        ]
    if filters:
        url = f"{BACKPORT}backport-filter-criteria"
        body["_criteria"] = {"extension": [{"url": url, "valueString": one} for one in filters]}
    return body


def conclude(episode: Episode, probability: float | None, post: Post) -> None:
    risk = {"outcome": "complication", "label": "any complication", "horizon_h": 168, "probability": probability}
    risks = [{**risk, "abstained": "too few readings" if probability is None else None}]
    episode.snapshots.all().delete()
    make_snapshot(episode, post.now, said(risks=risks))
    outbox.note_risks(episode=episode, risks=risks, now=post.now)
    post.now += SOON


def parameters(bundle: Any) -> dict[str, Any]:
    first = bundle["entry"][0]["resource"]
    assert first["resourceType"] == "Parameters"
    found: dict[str, Any] = {"events": []}
    for one in first["parameter"]:
        value = next((one[key] for key in one if key.startswith("value")), None)
        if one["name"] == "notification-event":
            parts = {part["name"]: next(part[key] for key in part if key.startswith("value")) for part in one["part"]}
            found["events"].append(parts)
        else:
            found[one["name"]] = value
    return found


def test_a_topic_begins_with_a_handshake_and_is_active_once_that_was_answered(
    door: Door, post: Post, inbox: Inbox
) -> None:
    inbox.is_up = False
    fhir_id = subscribe(door, post, topic(RISK_CHANGE))
    assert content(door.get(f"Subscription/{fhir_id}"))["status"] == "requested"
    inbox.is_up = True
    post.work(after=timedelta(minutes=1))
    assert content(door.get(f"Subscription/{fhir_id}"))["status"] == "active"
    bundle = inbox.bodies[0]
    assert bundle["type"] == "history" and len(bundle["entry"]) == 1
    told = parameters(bundle)
    assert (told["type"], told["status"], told["topic"]) == ("handshake", "requested", RISK_CHANGE)
    assert told["subscription"]["reference"].endswith(f"/fhir/Subscription/{fhir_id}")
    assert told["events-since-subscription-start"] == "0"


def test_a_handshake_that_is_never_answered_ends_in_an_error(door: Door, post: Post, inbox: Inbox) -> None:
    inbox.is_up = False
    fhir_id = subscribe(door, post, topic(RISK_CHANGE))
    for _ in range(4):
        post.work(after=timedelta(minutes=5))
    stands = content(door.get(f"Subscription/{fhir_id}"))
    assert stands["status"] == "error" and "5 tries" in stands["error"]


def test_a_risk_is_told_when_it_has_moved_far_enough(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode]
) -> None:
    subscribe(door, post, topic(RISK_CHANGE, "full-resource"))
    inbox.clear()
    for probability in (0.10, 0.12, 0.14, 0.15, 0.11, 0.10, None, 0.10):
        conclude(episodes[0], probability, post)
    post.work(after=SOON)
    told = [one for bundle in inbox.bodies for one in parameters(bundle)["events"]]
    # 10 is the first, 15 is 5 points on, 10 is 5 back, then it is no longer estimated, and is again
    assert [one["event-number"] for one in told] == ["1", "2", "3", "4", "5"]
    focus = inbox.bodies[0]["entry"][1]["resource"]
    assert focus["resourceType"] == "RiskAssessment" and focus["subject"]["reference"] == "Patient/p1"


def test_an_r4_criterion_on_risks_hears_of_every_change_of_what_they_say(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode]
) -> None:
    subscribe(door, post, asked_for("RiskAssessment?patient=p1"))
    for episode, probability in ((0, 0.10), (0, 0.10), (1, 0.5), (0, 0.11)):
        conclude(episodes[episode], probability, post)
    post.work(after=SOON)
    assert [one["resourceType"] for one in inbox.bodies] == ["RiskAssessment"] * 2


def test_an_alert_is_told_when_it_is_raised_and_when_it_stands_open_again(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode]
) -> None:
    subscribe(door, post, topic(ALERT_RAISED))
    subscribe(door, post, asked_for("Flag?patient=p1"))
    inbox.clear()
    candidate = AlertCandidate(
        cause="deterioration",
        kind="physiological",
        severity="medium",
        title="Off the own course",
        because=(),
        steps=(),
        change="raised",
        value=1.0,
        since_h=30.0,
        at_h=30.0,
        policy_version="test",
    )
    alerting.apply_candidates(episode=episodes[0], candidates=[candidate], now=post.now)
    alert = Alert.objects.get()
    nurse = Actor.of_user(make_person("nurse"))
    alert = acknowledge_alert(alert_key=alert.key, version=alert.version, actor=nurse, now=post.now)
    reopen_alert(alert_key=alert.key, version=alert.version, actor=nurse, now=post.now)
    post.work(after=SOON)
    bundles = [one for one in inbox.bodies if one["resourceType"] == "Bundle"]
    told = [one for bundle in bundles for one in parameters(bundle)["events"]]
    assert [one["focus"]["reference"].rpartition("/fhir/")[2] for one in told] == [f"DetectedIssue/{alert.key}"] * 2
    assert len([one for one in inbox.bodies if one["resourceType"] == "Flag"]) == 3


def test_a_filter_by_patient_tells_of_nobody_else(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode]
) -> None:
    subscribe(door, post, topic(RISK_CHANGE, filters=("RiskAssessment?patient=Patient/p2",)))
    inbox.clear()
    for episode in episodes:
        conclude(episode, 0.2, post)
    post.work(after=SOON)
    focuses = [one["focus"]["reference"] for bundle in inbox.bodies for one in parameters(bundle)["events"]]
    assert [one.rpartition("/")[2] for one in focuses] == [str(episodes[1].key)]


@pytest.mark.parametrize("kind", ["empty", "id-only", "full-resource"])
def test_the_content_is_as_much_as_was_asked_for(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode], kind: str
) -> None:
    subscribe(door, post, topic(RISK_CHANGE, kind, most=10))
    inbox.clear()
    for episode in episodes:
        conclude(episode, 0.2, post)
    post.work(after=SOON)
    assert len(inbox.bodies) == 1  # both in one notification
    bundle = inbox.bodies[0]
    events = parameters(bundle)["events"]
    assert [one["event-number"] for one in events] == ["1", "2"]
    assert all(("focus" in one) is (kind != "empty") for one in events)
    assert ["resource" in one for one in bundle["entry"][1:]] == {
        "empty": [],
        "id-only": [False, False],
        "full-resource": [True, True],
    }[kind]
    assert validation.check(bundle, "Bundle") == "Bundle"


def test_a_quiet_subscription_has_a_heartbeat(door: Door, post: Post, inbox: Inbox) -> None:
    subscribe(door, post, topic(RISK_CHANGE, heartbeat=60))
    subscribe(door, post, topic(RISK_CHANGE))
    inbox.clear()
    post.work(after=timedelta(seconds=30))
    assert inbox.messages == []
    post.work(after=timedelta(seconds=31))
    post.work(after=timedelta(seconds=31))
    post.work(after=timedelta(seconds=31))
    kinds = [parameters(one)["type"] for one in inbox.bodies]
    assert kinds == ["heartbeat", "heartbeat"]


def test_status_says_how_it_stands(door: Door, post: Post, inbox: Inbox, episodes: list[Episode]) -> None:
    fhir_id = subscribe(door, post, topic(RISK_CHANGE))
    conclude(episodes[0], 0.2, post)
    post.work(after=SOON)
    other = subscribe(door, post, asked_for("Patient"))
    bundle = content(door.get(f"Subscription/{fhir_id}/$status"))
    assert bundle["type"] == "searchset" and bundle["total"] == 1
    told = parameters(bundle)
    assert (told["type"], told["status"], told["events-since-subscription-start"]) == ("query-status", "active", "1")
    assert content(door.get("Subscription/$status"))["total"] == 2
    assert content(door.get(f"Subscription/$status?id={other}"))["total"] == 1
    assert content(door.get("Subscription/$status?status=error"))["total"] == 0
    assert door.get("Subscription/none/$status").status_code == 404
    assert Door(token_for("system/Patient.rs", "stranger")).get(f"Subscription/{fhir_id}/$status").status_code == 403


def test_a_gap_is_filled_by_asking_for_the_events(
    door: Door, post: Post, inbox: Inbox, episodes: list[Episode]
) -> None:
    fhir_id = subscribe(door, post, topic(RISK_CHANGE))
    for probability in (0.1, 0.2, 0.3, 0.4):
        conclude(episodes[0], probability, post)
    post.work(after=SOON)
    bundle = content(door.get(f"Subscription/{fhir_id}/$events?eventsSinceNumber=2&eventsUntilNumber=3"))
    told = parameters(bundle)
    assert told["type"] == "query-event" and told["events-since-subscription-start"] == "4"
    assert [one["event-number"] for one in told["events"]] == ["2", "3"]
    full = content(door.get(f"Subscription/{fhir_id}/$events?eventsSinceNumber=4&content=full-resource"))
    assert full["entry"][1]["resource"]["resourceType"] == "RiskAssessment"
    for query in ("eventsSinceNumber=x", "content=much", "eventsSinceNumber=-1"):
        assert door.get(f"Subscription/{fhir_id}/$events?{query}").status_code == 400
    narrow = Door(token_for("system/Subscription.rs", "narrow"))
    assert parameters(content(narrow.get(f"Subscription/{fhir_id}/$events")))["events"] == []


def test_the_topics_are_announced(door: Door) -> None:
    rest = content(door.get("metadata"))["rest"][0]
    mine = next(one for one in rest["resource"] if one["type"] == "Subscription")
    url = f"{BACKPORT}capabilitystatement-subscriptiontopic-canonical"
    assert [one["valueCanonical"] for one in mine["extension"] if one["url"] == url] == list(TOPICS)
    assert {"status", "events"} <= {one["name"] for one in mine["operation"]}


def test_nothing_is_written_down_while_nobody_subscribes(post: Post, episodes: list[Episode]) -> None:
    conclude(episodes[0], 0.2, post)
    assert seen.overview().unmatched == 0
