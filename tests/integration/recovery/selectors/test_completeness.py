"""What a day of readings is called, and that nothing is counted twice or left out."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.models import Batch, ConsentDecision, Sample, Series
from recovery.presenters.completeness import completeness_view
from recovery.selectors.completeness import completeness
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


@pytest.fixture
def team():
    return factories.make_team()


@pytest.fixture
def nurse(team):
    return factories.make_person("nurse", team=team)


@pytest.fixture
def series(team):
    episode = factories.make_episode(team, ended=NOW - timedelta(days=10))
    return Series.objects.create(
        patient=episode.patient, metric="heart_rate", code="8867-4", unit="/min", shape="number", template_hash="h"
    )


def read(series, at, value=70.0, late=timedelta(minutes=5), **over):
    batch = Batch.objects.create(channel="test", received_at=at + late)
    ms = int(at.timestamp() * 1000)
    return Sample.objects.create(series=series, at_ms=ms, value=value, digits=0, batch=batch, **over)


def read_day(series, day, hours, value=70.0):
    for hour in range(hours):
        read(series, datetime(2026, 10, day, tzinfo=BERLIN) + timedelta(hours=hour, minutes=10), value)


def states(nurse, **over):
    [row] = completeness(nurse, NOW, over.get("zone", BERLIN), "heart_rate").rows
    return [cell.state for cell in row.cells]


def test_a_day_is_received_partial_refused_missing_or_not_expected(nurse, series):
    read_day(series, 27, 18)
    read_day(series, 28, 5)
    read_day(series, 29, 3, value=400.0)
    read_day(series, 31, 24)
    assert states(nurse)[-7:] == ["not_expected", "received", "partial", "refused", "missing", "received", "missing"]


@pytest.mark.parametrize(
    ("clock", "span_ms", "state"),
    [
        (timedelta(minutes=20), 0, "not_expected"),
        (timedelta(hours=1, minutes=59), 0, "not_expected"),
        (timedelta(hours=2), 0, "missing"),
        (timedelta(hours=20), 24 * 3_600_000, "not_expected"),  # one reading a day, which comes when the day is over
    ],
)
def test_today_is_missing_only_once_a_reading_of_today_could_be_here(nurse, series, clock, span_ms, state):
    Series.objects.update(span_ms=span_ms)
    read(series, datetime(2026, 10, 30, tzinfo=BERLIN), late=timedelta(days=1))
    [row] = completeness(nurse, datetime(2026, 11, 1, tzinfo=BERLIN) + clock, BERLIN, "heart_rate").rows
    assert [cell.state for cell in row.cells][-2:] == ["missing", state]


def test_where_the_patient_has_withdrawn_the_type_of_data_it_says_so(nurse, series):
    read_day(series, 31, 24)
    kept = {"purpose": "care", "data_type": "vitals", "allowed": False, "since": NOW, "said_by": "the patient"}
    ConsentDecision.objects.create(patient=series.patient, **kept)
    assert set(states(nurse)) == {"withdrawn"}


def test_the_day_of_a_clock_change_has_25_hours_and_loses_none(nurse, series):
    start = datetime(2026, 10, 25, tzinfo=BERLIN)  # clocks go back at 3 in the morning
    for hour in range(25):
        read(series, (start.astimezone(UTC) + timedelta(hours=hour)), value=70.0 + hour)
    [row] = completeness(nurse, NOW, BERLIN, "heart_rate").rows
    assert [cell.readings for cell in row.cells][-9:-6] == [0, 25, 0]


def test_arrivals_are_counted_by_how_late_they_came_and_clocks_that_run_ahead_are_named(nurse, series):
    at = datetime(2026, 10, 30, 8, tzinfo=UTC)
    for number, late_h in enumerate((0.2, 3, 20, 50, 100)):
        read(series, at + timedelta(minutes=number), late=timedelta(hours=late_h))
    read(series, at + timedelta(minutes=30), late=timedelta(minutes=-20))
    found = completeness(nurse, NOW, BERLIN, "heart_rate")
    assert found.arrivals == (2, 1, 1, 1, 1) and found.ahead == 1


def test_strangers_patients_are_not_counted(series):
    read_day(series, 31, 4)
    other = factories.make_person("other", team=factories.make_team("ward-9", "Ward 9"))
    found = completeness(other, NOW, BERLIN, "heart_rate")
    assert found.rows == () and found.readings == 0


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 14 * 24 * 60 - 1), st.sampled_from([5.0, 70.0, 300.0]), st.booleans()), max_size=40
    )
)
def test_the_totals_of_the_cells_are_those_of_the_store(nurse, series, readings):
    Sample.objects.all().delete()
    for minute, value, ended in {row[:2]: row for row in readings}.values():
        one = read(series, NOW - timedelta(minutes=minute + 1), value)
        if ended:
            Sample.objects.filter(pk=one.pk).update(ended_batch=one.batch)
    for zone in (BERLIN, KOLKATA):
        found = completeness(nurse, NOW, zone, "heart_rate")
        since = int(found.days[0].timestamp() * 1000)
        stored = Sample.objects.filter(at_ms__gte=since)
        [row] = found.rows
        assert sum(cell.readings for cell in row.cells) == found.readings == stored.filter(ended_batch=None).count()
        assert sum(found.arrivals) == found.readings
        assert found.ended == stored.exclude(ended_batch=None).count()
        assert found.refused == sum(one.value in (5.0, 300.0) for one in stored.filter(ended_batch=None))


@pytest.mark.parametrize(("late_h", "wanted"), [(-3.0, [("Device/w", 3.0, "arrival")]), (0.1, []), (9.0, [])])
def test_a_watch_whose_readings_come_before_their_time_has_its_clock_named(nurse, series, late_h, wanted):
    Series.objects.filter(pk=series.pk).update(source="Device/w")
    for hour in range(30):
        read(series, NOW - timedelta(hours=40 - hour), late=timedelta(hours=late_h))
    [row] = completeness(nurse, NOW, BERLIN, "heart_rate").rows
    assert [(one.device, round(one.hours, 2), one.evidence) for one in row.clocks] == wanted


@pytest.mark.parametrize(("shift", "wanted"), [(0, None), (9, 9.0), (-10, -10.0)])
def test_a_watch_that_lives_in_another_time_zone_has_its_clock_named(nurse, series, shift, wanted):
    Series.objects.filter(pk=series.pk).update(source="Device/w")
    start = datetime(2026, 10, 26, tzinfo=BERLIN)
    for hour in range(5 * 24):
        read(
            series, start + timedelta(hours=hour), value=70.0 + 10.0 * math.cos((hour - shift - 15.5) * math.pi / 12.0)
        )
    [row] = completeness(nurse, NOW, BERLIN, "heart_rate").rows
    assert [one.evidence for one in row.clocks] == (["phase"] if wanted else [])
    assert all(one.hours == pytest.approx(wanted, abs=0.6) for one in row.clocks)
    [line] = completeness_view(completeness(nurse, NOW, BERLIN, "heart_rate"), NOW, BERLIN).lines
    assert [("late" if shift > 0 else "early") in one for one in line.clocks] == [True] * len(row.clocks)
