"""What could explain the last three days, live: from readings to the alert, the snapshot and the page."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from recovery.models import Alert, Episode, Finding, Owed, Pathway, Snapshot, Twin
from recovery.services import proof, refresh
from recovery.services.intake import Delivery
from recovery.twin.alert_policy import DEFAULT_POLICY
from recovery.twin.state import FORMAT, TwinState
from tests import deliveries as d
from tests import factories
from tests.integration.recovery.test_refresh import NOW, clock_at, send

pytestmark = pytest.mark.django_db

ORDINARY = {
    "heart_rate": (78.0, 2.5),
    "respiratory_rate": (16.0, 1.0),
    "temperature": (36.9, 0.15),
    "spo2": (96.0, 0.8),
}
ILL = {"heart_rate": 26.0, "respiratory_rate": 8.0, "temperature": 1.8, "spo2": -5.0}
UNITS = {"temperature": "Cel", "spo2": "%"}


def synthetic_readings(ill_from: float, until: int = 75, seed: int = 5) -> tuple:
    """Hourly vital signs, synthetic: ordinary until `ill_from`, then those of a bad chest infection."""
    rng = np.random.default_rng(seed)
    rows = []
    for metric, (level, sd) in ORDINARY.items():
        kind = d.series(metric=metric, unit=UNITS.get(metric, "/min"))
        for hour in range(-48, until):
            value = level + rng.normal(0.0, sd) + (ILL[metric] if hour >= ill_from else 0.0)
            rows.append(d.number(len(rows), hour + 0.2, round(value, 1), kind))
    return tuple(rows)


def looked_at(ill_from: float = 44.0) -> dict:
    send(d.enrolment())
    send(Delivery("test", readings=synthetic_readings(ill_from)))
    refresh.refresh_owed(clock=clock_at(NOW))
    return Snapshot.objects.get(current=True).content


def test_an_ill_patient_gets_a_suspicion_alert_whose_facts_name_the_cause():
    said = looked_at()
    alert = Alert.objects.get(cause="suspicion")
    leading = next(one for one in said["suspicion"]["causes"] if not one["benign"])
    keys = [fact["key"] for fact in alert.because]
    assert keys[:2] == ["suspicion", "hypothesis"] and "speaks_for" in keys
    assert alert.because[1]["about"] == leading["name"]
    assert alert.because[0]["value"] == pytest.approx(said["suspicion"]["probability"], abs=1e-4)


def test_an_ordinary_course_raises_no_suspicion():
    said = looked_at(ill_from=1e9)
    assert not Alert.objects.filter(cause="suspicion").exists()
    assert said["suspicion"]["probability"] < 0.06


def test_a_single_outlying_reading_raises_nobody_and_is_said_to_stand_alone():
    send(d.enrolment())
    pulse = d.series(metric="heart_rate", unit="/min")
    send(Delivery("test", readings=(d.number(0, 70.2, 150.0, pulse),)))
    refresh.refresh_owed(clock=clock_at(NOW))
    said = Snapshot.objects.get(current=True).content
    raise_at = next(rule for rule in DEFAULT_POLICY.rules if rule.cause == "suspicion").raise_at
    assert said["suspicion"]["probability"] >= raise_at and not Alert.objects.exists()
    assert ["heart rate (one reading)"] in [one["for"] for one in said["suspicion"]["causes"]]
    later = NOW + timedelta(hours=1)
    send(Delivery("test", readings=(d.number(1, 72.4, 150.0, pulse),)), later)
    refresh.refresh_owed(clock=clock_at(later))
    assert Alert.objects.get().cause == "suspicion"


def again(hours: float, ill_from: float = 44.0) -> dict:
    """A later look, with readings that go on."""
    later = NOW + timedelta(hours=hours)
    send(Delivery("test", readings=synthetic_readings(ill_from, until=75 + int(hours))), later)
    refresh.refresh_owed(clock=clock_at(later))
    return Snapshot.objects.get(current=True).content


def test_a_twin_stored_in_format_1_is_rebuilt_at_the_next_look():
    looked_at()
    twin = Twin.objects.get()
    whole = TwinState.from_plain(twin.state)
    old = twin.state | {"format": 1}
    for metric in old["metrics"].values():
        metric["recent_surprises"] = metric["recent_hours"] = ""
    Twin.objects.update(state=old)
    later = NOW + timedelta(minutes=61)
    assert refresh.owe_silent(now=later) == 1
    assert refresh.refresh_owed(clock=clock_at(later)) == 1
    rebuilt = TwinState.from_plain(Twin.objects.get().state)
    for key, metric in whole.metrics.items():
        kept = metric.recent_hours >= rebuilt.until_hour - 72
        np.testing.assert_allclose(rebuilt.metrics[key].recent_surprises, metric.recent_surprises[kept], atol=1e-9)
    owed = Owed.objects.get()
    assert owed.done_seq == owed.seq and not owed.last_error
    assert Twin.objects.get().state["format"] == FORMAT


def test_the_nightly_proof_rebuilds_a_twin_of_another_format_and_calls_it_no_defect():
    looked_at()
    Twin.objects.update(state=Twin.objects.get().state | {"format": 1})
    assert proof.prove_twins(now=NOW) == proof.Proof(compared=0, differ=(), at_work=0, outdated=1, not_reached=0)
    assert refresh.refresh_owed(clock=clock_at(NOW)) == 1
    assert Twin.objects.get().state["format"] == FORMAT


def stored_policy(policy: dict) -> None:
    pathway = Pathway.objects.create(key="old", name="Old", policy=policy)
    Episode.objects.update(pathway=pathway)


def test_a_policy_stored_before_the_rule_is_followed_as_it_was_written():
    send(d.enrolment())
    plain = DEFAULT_POLICY.to_plain()
    rules = [rule for rule in plain["rules"] if rule["cause"] != "suspicion"]
    for rule in rules:
        del rule["again_after_h"]
    stored_policy({"version": "alerts-1", "rules": rules})
    looked_at()
    for hours in (1, 2, 3):
        again(hours)
    causes = dict(Alert.objects.values_list("cause", "severity"))
    assert "suspicion" not in causes and causes["deterioration"] in ("medium", "high")
    assert Snapshot.objects.get(current=True).content["suspicion"]["probability"] > 0.9


@pytest.mark.parametrize("broken", [{"version": "x"}, {"version": "x", "rules": [{"cause": "suspicion", "new": 1}]}])
def test_a_policy_that_cannot_be_read_leaves_nobody_unwatched(broken):
    send(d.enrolment())
    stored_policy(broken)
    looked_at()
    assert Alert.objects.filter(cause="suspicion").exists()
    assert not Owed.objects.get().last_error


@pytest.mark.parametrize(
    "memory",
    [
        {"format": 1, "at": 70.0, "worse_since": {}, "causes": {"deterioration": {"since": 40.0, "last_bad": 70.0}}},
        {"format": 1, "at": 70.0, "worse_since": {}, "causes": {"suspicion": {"since": 40.0, "last_bad": 70.0}}},
        {"format": 1, "at": 70.0, "causes": {"gone": {"since": 1.0, "last_bad": 2.0}}},
        {"format": 9, "at": 70.0},
        {"format": 1, "at": 500.0},
        {"format": 1},
        {"at": None},
    ],
)
def test_a_memory_of_another_time_or_format_stops_no_look(memory):
    looked_at()
    Twin.objects.update(memory=memory)
    again(1.5)
    owed = Owed.objects.get()
    assert owed.done_seq == owed.seq and not owed.last_error
    assert Alert.objects.filter(cause="suspicion").count() == 1
    assert "suspicion" in Twin.objects.get().memory["causes"]


def test_an_alert_that_stands_for_a_day_is_told_again_live():
    looked_at()
    again(25)
    alert = Alert.objects.get(cause="suspicion")
    assert list(alert.transitions.order_by("id").values_list("to_status", "reason")) == [
        ("open", ""),
        ("open", "It still stands."),
    ]


def test_before_surgery_and_without_a_reading_nothing_is_weighed_and_the_snapshot_says_so():
    early = d.SURGERY_END - timedelta(days=3)
    send(d.enrolment(), early)
    refresh.refresh_owed(clock=clock_at(early))
    said = Snapshot.objects.get(current=True).content["suspicion"]
    assert said["probability"] is None and "before the operation" in said["silent"]
    assert refresh.owe_silent(now=NOW) == 1
    refresh.refresh_owed(clock=clock_at(NOW))
    assert "nothing to weigh" in Snapshot.objects.get(current=True).content["suspicion"]["silent"]


def test_on_day_31_it_is_silent_and_the_alert_waits_for_a_person():
    send(d.enrolment())
    stored_policy(DEFAULT_POLICY.to_plain())
    Pathway.objects.update(days=90)
    looked_at()
    later = d.SURGERY_END + timedelta(days=31)
    refresh.owe_silent(now=later)
    refresh.refresh_owed(clock=clock_at(later))
    assert "first 30 days" in Snapshot.objects.get(current=True).content["suspicion"]["silent"]
    assert Alert.objects.get(cause="suspicion").status == "open"


def test_the_page_of_the_ill_patient_says_what_could_explain_the_last_three_days():
    looked_at()
    episode = Episode.objects.get()
    team = factories.make_team()
    Episode.objects.update(team=team)
    client = Client(headers={"host": "localhost"})
    client.force_login(factories.make_person("own", team=team))
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(f"/patients/{episode.key}/").content.decode()))
    assert "What could explain the last three days" in said and "Pneumonia" in said
    assert "More than 99 in 100 that a complication is under way now" in said
    assert "Likeliest complication pneumonia: more than 99 in 100 of all causes weighed" in said
    assert "0 in 100 that" not in said.replace("fewer than 1", "")


def test_a_complication_that_is_diagnosed_is_not_named_again_but_told_as_the_likelier_cause():
    send(d.enrolment())
    at = d.SURGERY_END + timedelta(hours=60)
    Finding.objects.create(
        patient=Episode.objects.get().patient,
        document_type="Condition",
        fhir_id="c1",
        kind="complication",
        key="pneumonia",
        onset_at=at,
        recorded_at=at,
    )
    said = looked_at()["suspicion"]
    assert said["known"] > 0.9 and "pneumonia" not in [one["name"] for one in said["causes"]]
    told = [fact["text"] for fact in Alert.objects.get(cause="suspicion").because]
    assert any("already diagnosed is likelier" in text for text in told)
