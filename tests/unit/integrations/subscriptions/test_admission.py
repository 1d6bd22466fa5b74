"""What can be subscribed to, and what is refused in words because it could not be served."""

from typing import Any

import pytest

from integrations.fhir.outcomes import FhirError
from integrations.subscriptions.admission import admitted
from integrations.subscriptions.topics import BACKPORT
from recovery.services.intake import MASKED
from recovery.services.outbox import ALERT_RAISED

BASE = "https://twin.example/fhir"
LOINC = "http://loinc.org"


def asked_for(criteria: str = "Observation", **channel: Any) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": "https://receiver.example/hook", **channel},
    }


def refusal(resource: dict[str, Any]) -> str:
    with pytest.raises(FhirError) as caught:
        admitted(resource, BASE)
    assert caught.value.status == 422
    return f"{caught.value.issues[0].expression}: {caught.value.issues[0].diagnostics}"


@pytest.mark.parametrize(
    ("criteria", "why"),
    [
        ("Unicorn?horn=1", "Nothing can be subscribed to"),
        ("AuditEvent?agent=x", "Nothing can be subscribed to"),
        ("StructureDefinition", "Nothing can be subscribed to"),
        ("Observation?colour=red", "cannot be searched by 'colour'"),
        ("Observation?subject:Patient.name=Ida", "cannot follow references"),
        ("Observation?_has:Provenance:target:agent=x", "has no meaning"),
        ("Observation?_sort=date", "has no meaning"),
        ("Observation?_count=5", "has no meaning"),
        ("Observation?_include=Observation:subject", "has no meaning"),
        ("Observation?date=gt-yesterday", "date"),
        ("Observation?_text=fever", "not offered"),
        ("", "Nothing can be subscribed to"),
        ("Observation?code=" + "x" * 2_100, "2000 characters"),
    ],
)
def test_criteria_that_cannot_be_served_are_refused(criteria: str, why: str) -> None:
    said = refusal(asked_for(criteria))
    assert said.startswith("Subscription.criteria") and why in said


@pytest.mark.parametrize(
    "criteria",
    [
        "Observation",
        "Observation?",
        f"Observation?code={LOINC}|8867-4,9279-1&patient=p1",
        "Observation?value-quantity=gt100",
        "Observation?category:not=laboratory",
        "Patient?name:contains=art&_tag=x|y",
        "RiskAssessment?subject=Patient/p1",
        "Flag?status=active",
        "Condition?_id=c1",
        "Encounter?_lastUpdated=gt2026-01-01",
    ],
)
def test_criteria_that_one_resource_can_answer_are_taken(criteria: str) -> None:
    kept, facts = admitted(asked_for(criteria), BASE)
    assert facts.criteria == criteria and facts.type == criteria.partition("?")[0]
    assert kept["status"] == "requested"


def test_what_a_reading_must_have_is_drawn_from_the_criteria() -> None:
    _, facts = admitted(asked_for(f"Observation?code={LOINC}|8867-4,9279-1&patient=p1,p2&date=gt2026-01-01"), BASE)
    assert facts.watch == {"patients": ["p1", "p2"], "texts": [["8867-4", "9279-1"]], "base": BASE}


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ({"type": "websocket"}, "rest-hook only"),
        ({"type": "email"}, "rest-hook only"),
        ({"endpoint": "http://receiver.example/hook"}, "https"),
        ({"endpoint": "ftp://receiver.example/hook"}, "https"),
        ({"endpoint": "https://"}, "https"),
        ({"endpoint": "https://user:secret@receiver.example/"}, "Name and password"),
        ({"payload": "application/fhir+xml"}, "application/fhir+json"),
        ({"header": ["Authorization Bearer x"]}, "Name: value"),
        ({"header": ["X-A: b\r\nX-C: d"]}, "Name: value"),
        ({"header": ["X-Ä: b"]}, "Name: value"),
        ({"header": ["Host: other.example"]}, "set by this server"),
        ({"header": ["content-length: 5"]}, "set by this server"),
        ({"header": ["X-A: b"] * 21}, "Up to 20"),
    ],
)
def test_a_channel_that_cannot_be_used_is_refused(channel: dict[str, Any], why: str) -> None:
    assert why in refusal(asked_for(**channel))


def test_hosts_can_be_confined(settings: Any) -> None:
    settings.SUBSCRIPTION_HOSTS = frozenset({"receiver.example"})
    admitted(asked_for(), BASE)
    assert "not among those" in refusal(asked_for(endpoint="https://other.example/hook"))


def test_header_values_are_masked_in_what_is_kept() -> None:
    kept, facts = admitted(asked_for(header=["Authorization: Bearer secret", "X-Key:abc"]), BASE)
    assert kept["channel"]["header"] == [f"Authorization: {MASKED}", f"X-Key: {MASKED}"]
    assert facts.headers == ("Authorization: Bearer secret", "X-Key:abc")


@pytest.mark.parametrize(
    ("sent", "kept"), [("requested", "requested"), ("active", "requested"), ("error", "requested"), ("off", "off")]
)
def test_the_server_decides_the_status(sent: str, kept: str) -> None:
    stored, facts = admitted({**asked_for(), "status": sent, "error": "what a client made up"}, BASE)
    assert stored["status"] == kept and "error" not in stored and facts.is_on is (kept == "requested")


def topic(*filters: str, url: str = ALERT_RAISED) -> dict[str, Any]:
    said = [{"url": f"{BACKPORT}backport-filter-criteria", "valueString": one} for one in filters]
    return {**asked_for(url), **({"_criteria": {"extension": said}} if said else {})}


def test_a_topic_with_its_filters() -> None:
    _, facts = admitted(topic("DetectedIssue?patient=Patient/p1"), BASE)
    assert (facts.topic, facts.type, facts.criteria) == (
        ALERT_RAISED,
        "DetectedIssue",
        "DetectedIssue?patient=Patient/p1",
    )
    assert admitted(topic("patient=p1"), BASE)[1].criteria == "DetectedIssue?patient=p1"
    assert admitted(topic("Patient?_id=p1"), BASE)[1].criteria == "DetectedIssue?patient=p1"
    assert admitted(topic(), BASE)[1].criteria == "DetectedIssue"
    assert admitted(topic(url=f"{ALERT_RAISED}|1.0"), BASE)[1].topic == ALERT_RAISED


@pytest.mark.parametrize("said", ["Observation?patient=p1", "DetectedIssue?severity=high", "DetectedIssue?", ""])
def test_a_filter_that_a_topic_does_not_have_is_refused(said: str) -> None:
    assert "Subscription.criteria" in refusal(topic(said))


def test_an_unknown_topic_is_no_search_either() -> None:
    assert "Nothing can be subscribed to" in refusal(topic(url="https://other.example/SubscriptionTopic/x"))


def test_numbers_of_the_channel_are_kept_within_bounds() -> None:
    numbers = {"backport-heartbeat-period": 1, "backport-timeout": 600, "backport-max-count": 100_000}
    extensions = [{"url": f"{BACKPORT}{name}", "valueUnsignedInt": value} for name, value in numbers.items()]
    body = topic()
    body["channel"]["extension"] = extensions
    _, facts = admitted(body, BASE)
    assert (facts.heartbeat_s, facts.timeout_s, facts.most_events) == (10, 10, 100)
