"""Alerts end to end in rows: one per cause, sustained by hits, acted on once, undone, never lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Alert, AlertTransition, AuditEvent, LiveEvent
from recovery.services import alert_acts, alerting
from recovery.twin.alerts import AlertCandidate
from recovery.twin.facts import Fact
from tests.people import make_ward

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def candidate(change: str = "raised", severity: str = "medium") -> AlertCandidate:
    fact = Fact("above_own_curve", "respiratory_rate", "respiratory rate", 5.0, "/min", 9.0)
    return AlertCandidate(
        cause="deterioration",
        kind="physiological",
        severity=severity,
        change=change,
        title="Vital signs off the expected course",
        because=(fact,),
        steps=("Consider a bedside assessment.",),
        value=7.0,
        since_h=72.0 if change == "raised" else 70.0,
        at_h=72.0,
        policy_version="alerts-1",
    )


def raised(ward, severity: str = "medium") -> Alert:
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate(severity=severity)], now=NOW)
    return Alert.objects.get()


def by(user) -> Actor:
    return Actor.of_user(user)


def test_a_candidate_raises_one_alert_with_its_facts_and_tells_open_pages():
    alert = raised(make_ward())
    assert alert.because[0]["text"] == "Respiratory rate 5 /min above own expected curve for 9 h"
    assert AlertTransition.objects.get().to_status == "open"
    assert LiveEvent.objects.filter(kind="alert").count() == 1


def test_a_further_hit_extends_the_alert_that_is_there():
    ward = make_ward()
    raised(ward)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("held")], now=NOW + timedelta(hours=1))
    alert = Alert.objects.get()
    assert (alert.hits, alert.last_hit_at) == (2, NOW + timedelta(hours=1))


def test_an_acknowledged_alert_has_an_owner_a_transition_and_an_audit_row():
    ward = make_ward()
    alert = raised(ward)
    alert_acts.acknowledge_alert(alert_key=alert.key, version=alert.version, actor=by(ward.own), now=NOW)
    alert.refresh_from_db()
    assert (alert.status, alert.owner) == ("acknowledged", ward.own)
    assert AuditEvent.objects.filter(action="alert_acknowledge", patient=ward.episode.patient).count() == 1


def test_who_comes_second_learns_who_was_first():
    ward = make_ward()
    alert = raised(ward)
    alert_acts.acknowledge_alert(alert_key=alert.key, version=alert.version, actor=by(ward.own), now=NOW)
    with pytest.raises(Conflict, match="own took it at 10:00"):
        alert_acts.acknowledge_alert(alert_key=alert.key, version=alert.version, actor=by(ward.former), now=NOW)


def test_a_high_alert_is_not_snoozed_for_a_day():
    ward = make_ward()
    alert = raised(ward, "high")
    with pytest.raises(Invalid, match="4 hours"):
        alert_acts.snooze_alert(
            alert_key=alert.key,
            version=1,
            until=NOW + timedelta(hours=24),
            reason="asleep",
            actor=by(ward.own),
            now=NOW,
        )


def test_a_snooze_needs_a_reason():
    ward = make_ward()
    alert = raised(ward)
    with pytest.raises(Invalid, match="why"):
        alert_acts.snooze_alert(
            alert_key=alert.key, version=1, until=NOW + timedelta(hours=1), reason=" ", actor=by(ward.own), now=NOW
        )


def snoozed(ward) -> Alert:
    alert = raised(ward)
    until = NOW + timedelta(hours=2)
    return alert_acts.snooze_alert(
        alert_key=alert.key, version=1, until=until, reason="seen", actor=by(ward.own), now=NOW
    )


def test_a_snoozed_alert_wakes_when_its_time_is_over():
    ward = make_ward()
    snoozed(ward)
    assert alerting.wake_snoozed(now=NOW + timedelta(hours=1)) == 0
    assert alerting.wake_snoozed(now=NOW + timedelta(hours=2)) == 1
    assert Alert.objects.get().status == "open"


def test_a_snoozed_alert_wakes_when_it_becomes_graver():
    ward = make_ward()
    snoozed(ward)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("held", "high")], now=NOW)
    alert = Alert.objects.get()
    assert (alert.status, alert.severity) == ("open", "high")


def test_a_resolved_alert_keeps_its_outcome_and_is_not_raised_again_by_hits_that_go_on():
    ward = make_ward()
    alert = raised(ward)
    alert_acts.resolve_alert(
        alert_key=alert.key, version=1, outcome="expected_course", useful=False, note="", actor=by(ward.own), now=NOW
    )
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("held")], now=NOW)
    assert Alert.objects.get().outcome == "expected_course"
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("raised")], now=NOW)
    assert Alert.objects.count() == 2


TOLD_AGAIN = replace(candidate("raised"), since_h=48.0)
DAY = NOW + timedelta(hours=24)


def statuses() -> list[tuple[str, str]]:
    return list(AlertTransition.objects.order_by("id").values_list("to_status", "reason"))


def test_an_open_alert_that_is_told_again_says_that_it_still_stands_and_tells_open_pages():
    ward = make_ward()
    raised(ward)
    assert alerting.apply_candidates(episode=ward.episode, candidates=[TOLD_AGAIN], now=DAY)
    assert statuses() == [("open", ""), ("open", "It still stands.")]
    assert Alert.objects.get().version == 1 and LiveEvent.objects.filter(kind="alert").count() == 2


@pytest.mark.parametrize(("again", "reason"), [(TOLD_AGAIN, "It still stands."), (candidate("raised"), "It is back.")])
def test_an_acknowledged_alert_that_is_raised_again_is_open_again(again, reason):
    ward = make_ward()
    alert = raised(ward)
    alert_acts.acknowledge_alert(alert_key=alert.key, version=1, actor=by(ward.own), now=NOW)
    assert alerting.apply_candidates(episode=ward.episode, candidates=[again], now=DAY)
    assert Alert.objects.get().status == "open" and statuses()[-1] == ("open", reason)


def test_a_snoozed_alert_that_is_told_again_waits_for_its_snooze():
    ward = make_ward()
    snoozed(ward)
    soon = NOW + timedelta(hours=1)
    assert not alerting.apply_candidates(episode=ward.episode, candidates=[TOLD_AGAIN], now=soon)
    assert (Alert.objects.get().status, Alert.objects.get().hits, len(statuses())) == ("snoozed", 2, 2)
    assert alerting.wake_snoozed(now=NOW + timedelta(hours=2)) == 1
    assert Alert.objects.get().status == "open"


@pytest.mark.parametrize(("judged_h_ago", "alerts"), [(1, 1), (11, 1), (13, 2)])
def test_what_a_person_has_judged_is_told_again_only_after_a_rest(judged_h_ago, alerts):
    ward = make_ward()
    alert = raised(ward)
    at = DAY - timedelta(hours=judged_h_ago)
    alert_acts.resolve_alert(
        alert_key=alert.key, version=1, outcome="expected_course", useful=None, note="", actor=by(ward.own), now=at
    )
    alerting.apply_candidates(episode=ward.episode, candidates=[TOLD_AGAIN], now=DAY)
    assert Alert.objects.count() == alerts


def test_what_cleared_and_begins_anew_is_a_new_alert():
    ward = make_ward()
    raised(ward)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("cleared")], now=NOW)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("raised")], now=DAY)
    assert sorted(Alert.objects.values_list("status", flat=True)) == ["open", "resolved"]


def test_an_unknown_outcome_is_refused():
    ward = make_ward()
    alert = raised(ward)
    with pytest.raises(Invalid, match="outcome must be one of"):
        alert_acts.resolve_alert(
            alert_key=alert.key, version=1, outcome="meh", useful=None, note="", actor=by(ward.own), now=NOW
        )


def test_the_last_step_can_be_undone():
    ward = make_ward()
    alert = raised(ward)
    acknowledged = alert_acts.acknowledge_alert(alert_key=alert.key, version=1, actor=by(ward.own), now=NOW)
    alert_acts.reopen_alert(alert_key=alert.key, version=acknowledged.version, actor=by(ward.own), now=NOW)
    assert Alert.objects.get().status == "open"


def test_readings_back_within_limits_close_an_alert_that_nobody_has_in_hand():
    ward = make_ward()
    raised(ward)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("cleared")], now=NOW)
    assert Alert.objects.get().status == "resolved"


def test_an_alert_in_hand_is_left_to_its_owner():
    ward = make_ward()
    alert = raised(ward)
    alert_acts.acknowledge_alert(alert_key=alert.key, version=1, actor=by(ward.own), now=NOW)
    alerting.apply_candidates(episode=ward.episode, candidates=[candidate("cleared")], now=NOW)
    assert Alert.objects.get().status == "acknowledged"


def test_an_alert_that_does_not_exist_is_not_found():
    ward = make_ward()
    with pytest.raises(NotFound):
        alert_acts.acknowledge_alert(alert_key=ward.episode.key, version=1, actor=by(ward.own), now=NOW)
