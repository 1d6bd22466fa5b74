"""The figures of the service page: each counted by hand on a ward small enough to do so."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.models import AlertTransition, Delivery, Finding, RosterShift, Team, TeamHook, Twin
from recovery.presenters.service import TOO_FEW, csv_rows, service_view
from recovery.selectors.service import service, teams_answered_for
from tests import factories

NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def episode():
    return factories.make_episode(factories.make_team(), ended=NOW - 10 * DAY)


def figures(days: int = 7):
    return service(Team.objects.all(), NOW, days)


def make(episode, number: int, **fields):
    raised = fields.pop("raised_at", NOW - DAY)
    return factories.make_alert(episode, NOW, cause=fields.pop("cause", f"c{number}"), raised_at=raised, **fields)


def resolved(episode, number: int, outcome: str, useful: bool | None = None, **fields):
    said = {"status": "resolved", "resolved_at": NOW - HOUR, "outcome": outcome, "useful": useful}
    return make(episode, number, **{**said, **fields})


def test_patients_are_enrolled_activated_and_responding(episode):
    silent, never = (factories.make_episode(episode.team, key=key, ended=NOW - DAY) for key in ("p2", "p3"))
    for one, hours in ((episode, 2), (silent, 30)):
        Twin.objects.create(
            episode=one, state={}, model_version="m", computed_at=NOW, data_until=NOW - timedelta(hours=hours)
        )
    found = figures()
    assert (found.followed, found.activated, found.responding) == (3, 2, 1)
    assert never.pk


def test_patient_days_are_those_within_window_and_pathway(episode):
    factories.make_episode(episode.team, key="p2", ended=NOW - 2 * DAY)
    factories.make_episode(episode.team, key="p3", ended=NOW - 40 * DAY)  # its thirty days are over
    assert figures(7).patient_days == pytest.approx(7 + 2)
    assert figures(30).patient_days == pytest.approx(10 + 2 + 20)


@pytest.mark.parametrize(("minutes", "median"), [((5,), 5), ((5, 60), 32.5), ((5, 7, 60), 7)])
def test_the_median_time_to_acknowledge_is_the_middle_one(episode, minutes, median):
    for number, took in enumerate(minutes):
        make(episode, number, acknowledged_at=NOW - DAY + timedelta(minutes=took))
    make(episode, 99)  # nobody has taken this one
    found = figures().acknowledged_high
    assert (found.median, found.n) == (timedelta(minutes=median), len(minutes))


def test_alerts_outside_the_window_or_the_team_do_not_count(episode):
    make(episode, 1)
    make(episode, 2, raised_at=NOW - 8 * DAY)
    make(factories.make_episode(factories.make_team("ward-9", "Ward 9"), key="p9"), 3)
    assert service(Team.objects.filter(key="ward-7"), NOW, 7).raised == {"high": 1}
    assert service(Team.objects.filter(key="ward-7"), NOW, 30).raised == {"high": 2}


def test_a_high_alert_that_the_product_closed_was_not_acted_on(episode):
    make(episode, 1, acknowledged_at=NOW)
    resolved(episode, 2, "true_problem")
    make(episode, 3, status="resolved", resolved_at=NOW)
    make(episode, 4, severity="low", acknowledged_at=NOW)
    found = figures().acted_on_high
    assert (found.hits, found.of) == (2, 3)


def test_what_a_rule_was_worth_is_counted_by_cause(episode):
    for number in range(30):
        outcome = "true_problem" if number < 6 else "false_alarm"
        resolved(episode, number, outcome, number < 2 if number < 25 else None, cause="pain")
    make(episode, 99, cause="pain")
    (rule,) = figures().rules
    assert (rule.raised, rule.true.hits, rule.true.of) == (31, 6, 30)
    assert (rule.useful.hits, rule.useful.of, rule.overridden) == (2, 25, 28)
    (line,) = service_view(figures()).rules
    assert line.ppv == "6 of 30 (20 in 100)" and "under 10 in 100 useful" in line.flag


def test_few_answers_are_too_few_to_tell_and_flag_nothing(episode):
    for number in range(19):
        resolved(episode, number, "false_alarm", useful=False, cause="pain")
    (line,) = service_view(figures()).rules
    assert TOO_FEW in line.ppv and line.flag == ""


def test_lead_time_runs_from_a_right_alert_to_the_diagnosis_after_it(episode):
    for number, hours in enumerate((2, 10, 24 * 8)):
        one = factories.make_episode(episode.team, key=f"lead{number}", ended=NOW - 10 * DAY)
        resolved(one, 0, "true_problem", raised_at=NOW - 5 * DAY)
        Finding.objects.create(
            patient=one.patient,
            document_type="Condition",
            fhir_id=f"c{number}",
            kind="complication",
            recorded_at=NOW - 5 * DAY + hours * HOUR,
        )
    found = figures().lead
    assert (found.median, found.n) == (6 * HOUR, 2)


def test_a_roster_that_covers_little_is_not_what_shifts_are_counted_by(episode):
    nurse = factories.make_person("bo", team=episode.team)
    turn = {"team": episode.team, "user": nurse, "level": "on_call_first"}
    RosterShift.objects.create(start=NOW - DAY, until=NOW, **turn)
    assert (figures().nurse_shifts, figures().shifts_are_rostered) == (21, False)
    RosterShift.objects.create(start=NOW - 5 * DAY, until=NOW - DAY, **turn)
    assert (figures().nurse_shifts, figures().shifts_are_rostered) == (15, True)


def test_what_has_been_snoozed_for_long_is_counted(episode):
    for number, hours in enumerate((2, 30)):
        alert = make(episode, number, status="snoozed", snoozed_until=NOW + HOUR)
        at = NOW - timedelta(hours=hours)
        AlertTransition.objects.create(alert=alert, at=at, to_status="snoozed", actor_name="bo")
    assert figures().snoozed_long == 1


def test_messages_that_were_given_up_are_told_with_their_reason(episode):
    hook = TeamHook.objects.create(team=episode.team, url="https://pager.example/", made_at=NOW, made_by="lea")
    alert = make(episode, 1)
    for status, cause in (("sent", ""), ("dead", "It answered 500."), ("waiting", "")):
        Delivery.objects.create(
            alert=alert, channel="hook", hook=hook, reason="raised", at=NOW, not_before=NOW, status=status, cause=cause
        )
    (way,) = figures().sent
    assert (way.sent, way.waiting, way.given_up, way.cause) == (1, 1, 1, "It answered 500.")


def test_an_empty_service_has_figures_and_divides_by_nothing():
    view = service_view(figures())
    assert [one.value for one in view.burden] == ["0", TOO_FEW, TOO_FEW, TOO_FEW]
    assert len(list(csv_rows(figures()))) > 10


def test_the_number_of_queries_does_not_grow_with_the_alerts(episode, django_assert_max_num_queries):
    make(episode, 0)
    with django_assert_max_num_queries(26) as few:
        figures()
    for number in range(1, 30):
        make(episode, number)
    with django_assert_max_num_queries(len(few)):
        figures()


def test_administrators_answer_for_all_teams_and_nurses_for_their_own(episode):
    nurse = factories.make_person("bo", team=episode.team)
    boss = factories.make_person("boss", "administrator")
    factories.make_team("ward-9", "Ward 9")
    assert teams_answered_for(nurse, NOW).count() == 1 and teams_answered_for(boss, NOW).count() == 2
