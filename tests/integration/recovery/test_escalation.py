"""Nobody has it: the ladder is climbed in watch hours, once, by whoever comes first, and says whom it told."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Alert, EscalationStep, Notification, Pathway
from recovery.pathway_plan import DEFAULT_PLAN
from recovery.services import alert_acts, alerting, escalation, rosters
from recovery.twin.alerts import AlertCandidate
from tests import factories

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)  # a Thursday, in watch hours
NIGHT = datetime(2026, 3, 5, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SYSTEM = Actor.system("test")
pytestmark = pytest.mark.django_db


def candidate(severity: str = "high", cause: str = "deterioration") -> AlertCandidate:
    return AlertCandidate(
        cause, "physiological", severity, "raised", "Vital signs", (), (), 7.0, 72.0, 72.0, "alerts-2"
    )


@pytest.fixture
def ward():
    team = factories.make_team()
    people = {
        name: factories.make_person(name, role, team, first_name=name.title())
        for name, role in (("ana", "clinician"), ("bo", "clinician"), ("lea", "lead"))
    }
    episode = factories.make_episode(team, ended=NOW - timedelta(days=3))
    return episode, people


def raised(episode, now=NOW, severity="high") -> Alert:
    alerting.apply_candidates(episode=episode, candidates=[candidate(severity)], now=now)
    return Alert.objects.get()


def shift(ward, name: str, level: str, start=NOW - timedelta(hours=1), hours: float = 12):
    episode, people = ward
    return rosters.add_shift(
        team=episode.team,
        user_id=people[name].pk,
        level=level,
        start=start,
        until=start + timedelta(hours=hours),
        actor=SYSTEM,
        now=NOW,
    )


def told(reason: str) -> list[str]:
    return sorted(Notification.objects.filter(reason=reason).values_list("user__username", flat=True))


def test_a_high_alert_has_a_ladder_of_rows_from_its_first_moment(ward):
    alert = raised(ward[0])
    assert alert.due_at == NOW + 15 * MINUTE
    assert list(alert.escalations.order_by("number").values_list("to", "due_at", "status")) == [
        ("on_call_second", NOW + 15 * MINUTE, "waiting"),
        ("lead", NOW + 30 * MINUTE, "waiting"),
    ]


def test_at_night_the_ladder_waits_for_the_teams_hours(ward):
    assert raised(ward[0], NIGHT).due_at == datetime(2026, 3, 6, 8, 15, tzinfo=UTC)


def test_a_pathways_own_ladder_and_hours_are_followed(ward):
    episode, _ = ward
    plan = DEFAULT_PLAN.to_plain() | {
        "escalation": [{"after_minutes": 5, "to": "lead"}],
        "watch_hours": [{"days": list(range(7)), "start": "00:00", "end": "23:59"}],
    }
    episode.pathway = Pathway.objects.create(key="day-and-night", name="Day and night", content=plan)
    episode.save()
    alert = raised(episode, NIGHT)
    assert list(alert.escalations.values_list("to", "due_at")) == [("lead", NIGHT + 5 * MINUTE)]


@pytest.mark.parametrize(("severity", "minutes", "steps"), [("medium", 240, 1), ("low", 600, 0)])
def test_what_is_less_grave_has_more_time(ward, severity, minutes, steps):
    alert = raised(ward[0], NOW - timedelta(hours=2), severity)
    assert alert.due_at == NOW - timedelta(hours=2) + minutes * MINUTE
    assert alert.escalations.count() == steps


def test_who_is_on_call_first_hears_of_a_new_alert_and_else_the_team(ward):
    raised(ward[0])
    assert told("raised") == ["ana", "bo", "lea"]
    Alert.objects.all().delete()
    shift(ward, "bo", "on_call_first")
    raised(ward[0])
    assert told("raised") == ["bo"]


def test_each_step_is_climbed_when_it_is_due_and_names_whom_it_told(ward):
    shift(ward, "ana", "on_call_first")
    shift(ward, "bo", "on_call_second")
    alert = raised(ward[0])
    assert escalation.escalate_due(now=NOW + 14 * MINUTE) == 0
    assert escalation.escalate_due(now=NOW + 15 * MINUTE) == 1
    assert told("escalated") == ["bo"]
    assert escalation.escalate_due(now=NOW + 31 * MINUTE) == 1
    assert told("escalated") == ["bo", "lea"]
    assert [one.told for one in alert.escalations.order_by("number")] == [
        "Second on call: Bo told.",
        "Ward lead: Lea told.",
    ]
    assert escalation.escalate_due(now=NOW + timedelta(days=1)) == 0
    assert alert.transitions.filter(action="escalate").count() == 2


def test_a_gap_in_the_roster_tells_more_people_and_says_so(ward):
    alert = raised(ward[0])
    escalation.escalate_due(now=NOW + 15 * MINUTE)
    assert told("escalated") == ["ana", "bo", "lea"]
    assert "nobody is on the roster" in alert.escalations.get(number=1).told


def test_who_has_left_the_team_is_not_told_though_the_roster_names_them(ward):
    shift(ward, "bo", "on_call_second")
    ward[1]["bo"].memberships.update(until=NOW)
    raised(ward[0])
    escalation.escalate_due(now=NOW + 15 * MINUTE)
    assert told("escalated") == ["ana", "lea"]


def test_nobody_to_tell_is_said_and_not_hidden(ward):
    episode, _ = ward
    episode.team = None
    episode.save()
    alert = raised(episode)
    escalation.escalate_due(now=NOW + 15 * MINUTE)
    assert "entrusted to no team" in alert.escalations.get(number=1).told


def test_who_takes_it_stops_the_ladder_and_giving_it_back_starts_anew(ward):
    alert = raised(ward[0])
    actor = Actor.of_user(ward[1]["ana"])
    alert_acts.acknowledge_alert(alert_key=alert.key, version=1, actor=actor, now=NOW + MINUTE)
    assert escalation.escalate_due(now=NOW + timedelta(hours=2)) == 0
    alert_acts.reopen_alert(alert_key=alert.key, version=2, actor=actor, now=NOW + timedelta(hours=2))
    assert escalation.escalate_due(now=NOW + timedelta(hours=2, minutes=15)) == 1
    assert list(EscalationStep.objects.order_by("pk").values_list("round", "status")) == [
        (1, "off"),
        (1, "off"),
        (2, "told"),
        (2, "waiting"),
    ]


def test_one_that_becomes_high_gets_the_ladder_of_a_high_one(ward):
    alert = raised(ward[0], severity="medium")
    alerting.apply_candidates(episode=ward[0], candidates=[candidate("high")], now=NOW + 10 * MINUTE)
    alert.refresh_from_db()
    assert alert.due_at == NOW + 25 * MINUTE
    assert alert.escalations.filter(status="waiting").count() == 2
    assert told("graver") == ["ana", "bo", "lea"]


def test_a_step_whose_alert_was_taken_in_between_is_needless(ward):
    alert = raised(ward[0])
    Alert.objects.filter(pk=alert.pk).update(status="acknowledged")
    assert escalation.escalate_due(now=NOW + timedelta(hours=1)) == 0
    assert set(alert.escalations.values_list("status", flat=True)) == {"off"}


def test_a_turn_is_written_once_by_the_rules(ward):
    episode, people = ward
    shift(ward, "ana", "on_call_first")
    with pytest.raises(Conflict):
        shift(ward, "ana", "on_call_first")
    with pytest.raises(Invalid):
        shift(ward, "ana", "nobody")
    with pytest.raises(Invalid):
        shift(ward, "bo", "on_call_first", hours=-1)
    with pytest.raises(Invalid):
        shift(ward, "bo", "on_call_first", hours=24 * 8)
    stranger = factories.make_person("stranger")
    with pytest.raises(Invalid, match="own staff"):
        rosters.add_shift(
            team=episode.team, user_id=stranger.pk, level="lead", start=NOW, until=NOW + MINUTE, actor=SYSTEM, now=NOW
        )


def test_a_turn_is_taken_off_only_by_its_own_team(ward):
    turn = shift(ward, "ana", "on_call_first")
    with pytest.raises(NotFound):
        rosters.remove_shift(team=factories.make_team("ward-9", "Ward 9"), shift_id=turn.pk, actor=SYSTEM, now=NOW)
    rosters.remove_shift(team=ward[0].team, shift_id=turn.pk, actor=SYSTEM, now=NOW)
    assert rosters.on_call(ward[0].team, "on_call_first", NOW) == []


def test_the_sweep_asks_no_more_for_more_alerts_that_are_not_due(ward, django_assert_num_queries):
    for number in range(5):
        alerting.apply_candidates(episode=ward[0], candidates=[candidate(cause=f"c{number}")], now=NOW)
    with django_assert_num_queries(1):
        escalation.escalate_due(now=NOW)
