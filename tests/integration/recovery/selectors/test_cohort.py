"""Who counts how long, and what ends it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recovery.models import ConsentDecision, Episode, Finding
from recovery.selectors.cohort import EVENT, FREE, RIVAL, CohortFilter, cohort
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR = CohortFilter(NOW - timedelta(days=365), NOW)


def make(days_ago: float, number: int, team, procedure: str = "colectomy_open", **patient) -> Episode:
    episode = factories.make_episode(team, key=f"p{number}", ended=NOW - timedelta(days=days_ago), **patient)
    Episode.objects.filter(pk=episode.pk).update(procedure=procedure)
    return episode


def told(episode: Episode, day: float, key: str = "pneumonia", kind: str = "complication") -> None:
    at = episode.surgery_end + timedelta(days=day)
    Finding.objects.create(
        patient=episode.patient,
        document_type="Condition",
        fhir_id=f"{episode.fhir_id}-{key}-{day}",
        kind=kind,
        key=key,
        onset_at=at,
        recorded_at=at,
    )


@pytest.fixture
def team():
    return factories.make_team()


@pytest.fixture
def nurse(team):
    return factories.make_person("nurse", team=team)


def one(nurse, **over):
    found = cohort(nurse, NOW, CohortFilter(**({"since": YEAR.since, "until": NOW} | over)))
    [group] = found.groups
    return [(round(day, 3), end) for day, end in zip(group.days, group.ends, strict=True)]


def test_the_first_complication_within_30_days_ends_the_follow_up(nurse, team):
    episode = make(100, 1, team)
    told(episode, 4.5)
    told(episode, 9.0, "ssi")
    assert one(nurse) == [(4.5, EVENT)]
    assert one(nurse, event="ssi") == [(9.0, EVENT)]
    assert one(nurse, event="vte") == [(30.0, FREE)]


def test_what_was_recorded_before_the_operation_or_after_day_30_does_not_count(nurse, team):
    episode = make(100, 1, team)
    told(episode, -2.0)
    told(episode, 31.0, "ssi")
    assert one(nurse) == [(30.0, FREE)]


def test_a_death_before_it_is_a_rival_and_the_event_where_death_is_asked_for(nurse, team):
    episode = make(100, 1, team, died_at=NOW - timedelta(days=94))
    told(episode, 8.0)
    assert one(nurse) == [(6.0, RIVAL)]
    assert one(nurse, event="death") == [(6.0, EVENT)]


def test_whoever_is_still_followed_is_counted_until_now(nurse, team):
    make(3, 1, team)
    assert one(nurse) == [(3.0, FREE)]


def test_the_next_operation_ends_the_follow_up_of_the_first(nurse, team):
    first = make(20, 1, team)
    second = make(8, 2, team)
    Episode.objects.filter(pk=second.pk).update(patient=first.patient, procedure="hip_fracture")
    second.patient = first.patient
    told(second, 2.0)
    assert one(nurse, procedure="colectomy_open") == [(12.0, FREE)]
    assert one(nurse, procedure="hip_fracture") == [(2.0, EVENT)]


def test_a_readmission_begins_after_discharge(nurse, team):
    episode = make(60, 1, team)
    told(episode, 0.0, "inpatient", "stay")
    told(episode, 12.0, "inpatient", "stay")
    assert one(nurse, event="readmission") == [(30.0, FREE)]
    Episode.objects.update(discharged_at=episode.surgery_end + timedelta(days=5))
    assert one(nurse, event="readmission") == [(12.0, EVENT)]


def test_groups_are_by_operation_sex_age_or_team_and_the_largest_comes_first(nurse, team):
    make(50, 1, team, sex="female", birth_date=date(1950, 1, 1))
    make(40, 2, team, sex="male", birth_date=date(1990, 1, 1))
    make(45, 3, team, "hip_fracture", sex="female", birth_date=None)

    def names(by):
        return [(g.name, len(g.days)) for g in cohort(nurse, NOW, CohortFilter(YEAR.since, NOW, by=by)).groups]

    assert names("procedure") == [("colectomy_open", 2), ("hip_fracture", 1)]
    assert names("sex") == [("female", 2), ("male", 1)]
    assert sorted(names("age")) == [("", 1), ("65 to 79", 1), ("under 65", 1)]
    assert names("team") == [("Ward 7", 3)]


def test_only_operations_of_ones_own_teams_count(team):
    make(50, 1, team)
    stranger = factories.make_person("other", team=factories.make_team("ward-9", "Ward 9"))
    found = cohort(stranger, NOW, YEAR)
    assert found.operations == 0 and found.procedures == ()


def test_a_patient_who_does_not_allow_it_is_not_counted(nurse, team):
    episode = make(50, 1, team)
    make(40, 2, team)
    ConsentDecision.objects.create(
        patient=episode.patient, purpose="improvement", data_type="records", allowed=False, since=NOW
    )
    assert cohort(nurse, NOW, YEAR).operations == 1


def test_the_number_of_queries_does_not_grow_with_the_operations(nurse, team, django_assert_max_num_queries):
    for number in range(12):
        told(make(50 + number, number, team), 3.0)
    with django_assert_max_num_queries(6):
        assert cohort(nurse, NOW, YEAR).operations == 12
