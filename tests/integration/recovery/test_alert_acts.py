"""What people do with an alert: exactly undone, never overwritten, put off only as long as it may be."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid
from recovery.models import Alert, AlertSight, AuditEvent, Delivery, EscalationStep, Notification
from recovery.services import alert_acts, alerting
from recovery.services.alert_moves import as_it_is
from tests import factories

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)  # a Thursday, in watch hours
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def ward():
    team = factories.make_team()
    people = [factories.make_person(name, team=team, first_name=name.title()) for name in ("ana", "bo")]
    episode = factories.make_episode(team, ended=NOW - timedelta(days=3))
    factories.make_snapshot(episode, NOW, factories.said())
    return episode, people


def make(episode, **fields) -> Alert:
    return factories.make_alert(episode, NOW, **{"severity": "medium", **fields})


def by(person) -> Actor:
    return Actor.of_user(person)


def act(name: str, alert: Alert, person, now=NOW, **said) -> Alert:
    done = getattr(alert_acts, f"{name}_alert")(
        alert_key=alert.key, version=alert.version, actor=by(person), now=now, **said
    )
    alert.refresh_from_db()
    return done


STEPS = {
    "acknowledge": {},
    "snooze": {"until": NOW + timedelta(hours=2), "reason": "in theatre"},
    "resolve": {"outcome": "false_alarm", "useful": False, "note": "loose watch"},
    "assign": {},
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", ["open", "acknowledged"])
def test_an_undo_restores_exactly_what_was_there_before(ward, step, before):
    episode, (ana, bo) = ward
    alert = make(episode)
    alerting.escalation.start(alert, NOW)
    if before == "acknowledged":
        if step == "acknowledge":
            pytest.skip("it cannot be taken twice")
        act("acknowledge", alert, bo)
    was, ladder = as_it_is(alert), list(alert.escalations.values_list("number", "status", "due_at"))
    said = {**STEPS[step], **({"user_id": bo.pk} if step == "assign" else {})}
    act(step, alert, ana, **said)
    assert as_it_is(alert) != was or step == "assign"
    act("undo", alert, ana, NOW + 9 * SECOND)
    assert as_it_is(alert) == was
    assert list(alert.escalations.values_list("number", "status", "due_at")) == ladder


def test_an_undo_is_for_ten_seconds(ward):
    episode, (ana, _) = ward
    alert = make(episode)
    act("acknowledge", alert, ana)
    with pytest.raises(Conflict, match="10 seconds"):
        act("undo", alert, ana, NOW + 13 * SECOND)


def test_nobody_undoes_what_somebody_else_did(ward):
    episode, (ana, bo) = ward
    alert = make(episode)
    act("acknowledge", alert, ana)
    with pytest.raises(Conflict, match="nothing of yours"):
        act("undo", alert, bo)


def test_an_undo_is_not_undone(ward):
    episode, (ana, _) = ward
    alert = make(episode)
    act("acknowledge", alert, ana)
    act("undo", alert, ana)
    with pytest.raises(Conflict):
        act("undo", alert, ana)


def test_a_resolution_is_not_undone_over_the_same_alert_raised_anew(ward):
    episode, (ana, _) = ward
    alert = make(episode)
    act("resolve", alert, ana, outcome="other", useful=None, note="")
    make(episode)
    with pytest.raises(Conflict, match="raised again"):
        act("undo", alert, ana)


def test_a_given_alert_keeps_its_clock_until_it_is_taken(ward):
    episode, (ana, bo) = ward
    alert = make(episode, severity="high", due_at=NOW + timedelta(minutes=15))
    alerting.escalation.start(alert, NOW)
    act("assign", alert, ana, user_id=bo.pk)
    assert (alert.status, alert.owner, alert.due_at) == ("open", bo, NOW + timedelta(minutes=15))
    assert alert.escalations.filter(status="waiting").count() == 2
    assert Notification.objects.get(user=bo).reason == "assigned"


def test_an_alert_is_not_given_to_a_stranger(ward):
    episode, (ana, _) = ward
    stranger = factories.make_person("stranger", team=factories.make_team("ward-9", "Ward 9"))
    with pytest.raises(Invalid):
        act("assign", make(episode), ana, user_id=stranger.pk)


def test_a_high_alert_that_nobody_has_seen_cannot_be_put_off(ward):
    episode, (ana, _) = ward
    alert = make(episode, severity="high")
    later = {"until": NOW + timedelta(hours=1), "reason": "in theatre"}
    with pytest.raises(Invalid, match="Nobody has looked"):
        act("snooze", alert, ana, **later)
    alert_acts.note_sight(alerts=[alert], actor=by(ana), now=NOW)
    act("snooze", alert, ana, **later)
    assert alert.status == "snoozed"


def test_the_first_sight_of_each_person_is_kept(ward):
    episode, (ana, bo) = ward
    alert = make(episode)
    for person, minutes in ((ana, 1), (ana, 5), (bo, 7)):
        alert_acts.note_sight(alerts=[alert], actor=by(person), now=NOW + timedelta(minutes=minutes))
    assert sorted(AlertSight.objects.values_list("user__username", "at")) == [
        ("ana", NOW + timedelta(minutes=1)),
        ("bo", NOW + timedelta(minutes=7)),
    ]


def test_calling_for_help_tells_the_next_in_line_now_and_once(ward):
    episode, (ana, bo) = ward
    alert = make(episode, severity="high")
    alerting.escalation.start(alert, NOW)
    act("escalate", alert, ana, reason="I am in theatre.")
    first, second = alert.escalations.order_by("number")
    assert (first.status, second.status) == ("told", "waiting") and "whole team" in first.told
    assert alert.transitions.get().reason.startswith("I am in theatre. Second on call:")
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"ana", "bo"}
    with pytest.raises(Conflict, match="nothing of yours"):
        act("undo", alert, ana)


def test_help_can_be_called_for_beyond_the_ladder(ward):
    episode, (ana, _) = ward
    alert = make(episode, severity="low")
    for _ in range(3):
        act("escalate", alert, ana, reason="")
    assert list(alert.escalations.order_by("number").values_list("to", flat=True)) == ["on_call_second", "lead", "lead"]


def test_many_are_taken_at_once_and_each_refusal_says_who_won(ward):
    episode, (ana, bo) = ward
    alerts = [make(episode, cause=f"cause-{number}") for number in range(4)]
    seen = [(one.key, one.version) for one in alerts]
    act("acknowledge", alerts[2], bo)
    bulk = alert_acts.act_on_many(action="acknowledge", seen=seen, actor=by(ana), now=NOW)
    assert len(bulk.done) == 3 and "Bo took it" in bulk.refused[alerts[2].key]
    alerts[2].refresh_from_db()
    assert alerts[2].owner == bo
    assert AuditEvent.objects.filter(action="alert_acknowledge", actor_name="ana").count() == 3


@pytest.mark.parametrize("action", ["resolve", "escalate", "junk"])
def test_only_what_can_be_undone_is_done_to_many(ward, action):
    with pytest.raises(Invalid):
        alert_acts.act_on_many(action=action, seen=[(make(ward[0]).key, 1)], actor=by(ward[1][0]), now=NOW)


def test_what_was_undone_sends_nothing_that_was_not_owed(ward):
    episode, (ana, _) = ward
    alert = make(episode)
    act("acknowledge", alert, ana)
    act("undo", alert, ana)
    assert not Delivery.objects.exists() and not EscalationStep.objects.exists()
