"""A course beside another: of people like this one never from few, never with names, and only where they agreed."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recovery.models import AuditEvent, Batch, ConsentDecision, Episode, Sample, Series
from recovery.selectors.similar import FEWEST
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ida(scene):
    scene.episode.patient.birth_date = date(1950, 5, 4)
    scene.episode.patient.save()
    return scene


def others(scene, count: int, *, key: str = "like", born: date = date(1952, 1, 1), **patient):
    """So many people after the same operation on another ward, with one heart rate on day 0: 60, 61, ..."""
    ended = scene.now - timedelta(days=20)
    batch = Batch.objects.create(channel="test", received_at=ended)
    found = []
    for number in range(count):
        given = {"family_name": f"Secret{number}", "birth_date": born, **patient}
        episode = factories.make_episode(scene.foreign.team, key=f"{key}{number}", ended=ended, **given)
        series = Series.objects.create(
            patient=episode.patient, metric="heart_rate", code="8867-4", unit="/min", shape="number", template_hash="t"
        )
        at_ms = int((ended + timedelta(hours=10)).timestamp() * 1000)
        Sample.objects.create(series=series, at_ms=at_ms, value=60.0 + number, digits=0, batch=batch)
        found.append(episode)
    return found


def page(scene, query: str = "?similar=on", who: str = "own"):
    return scene.client(who).get(reverse("compare", args=[scene.episode.key]) + query)


def test_of_twenty_the_median_is_shown_and_nobody_is_named(ida):
    others(ida, FEWEST)
    answer = page(ida)
    body = answer.content.decode()
    assert "20 other people here with the same operation, aged 65 to 79 at it" in body
    row = next(one for one in answer.context["view"].measures[0].rows if one.day == "0")
    assert row.like.startswith("70 (") and row.people == "20" and "Secret" not in body
    assert AuditEvent.objects.get(action="view_compare").detail["similar"] == FEWEST


def test_of_nineteen_nothing_is_shown(ida):
    others(ida, FEWEST - 1)
    answer = page(ida)
    assert "fewer than 20, so nothing is shown" in answer.content.decode()
    assert not answer.context["view"].measures[0].chart.like_middle


def test_another_age_another_operation_real_people_and_who_said_no_are_not_like_this_one(ida):
    others(ida, FEWEST - 1)
    others(ida, 1, key="young", born=date(1990, 1, 1))
    others(ida, 1, key="real", is_synthetic=False)
    (hip,) = others(ida, 1, key="hip")
    Episode.objects.filter(pk=hip.pk).update(procedure="hip_replacement")
    (no,) = others(ida, 1, key="no")
    ConsentDecision.objects.create(
        patient=no.patient, purpose="improvement", data_type="records", allowed=False, since=ida.now
    )
    assert page(ida).context["view"].similar.startswith("19 other people")


def test_another_operation_of_the_same_person_is_laid_over_day_by_day(ida):
    earlier = Episode.objects.create(
        patient=ida.episode.patient,
        fhir_id="before-op",
        procedure="hip_replacement",
        procedure_text="Hip replacement",
        surgery_end=ida.now - timedelta(days=90),
        team=ida.episode.team,
    )
    factories.make_reading(earlier, value=97.0, hour=15.0)
    answer = page(ida, f"?measure=heart_rate&other={earlier.key}")
    (one,) = answer.context["view"].measures
    assert one.chart.later and next(row for row in one.rows if row.day == "0").other == "97"


def test_two_measures_share_their_axis(ida):
    snapshot = ida.episode.snapshots.get()
    pain = dict(snapshot.content["metrics"]["heart_rate"]) | {"label": "Pain"}
    pain["curve"] = {name: values[1:] for name, values in pain["curve"].items()}
    snapshot.content["metrics"]["pain"] = pain
    snapshot.save()
    first, second = page(ida, "?measure=heart_rate&beside=pain").context["view"].measures
    assert [tick.at for tick in first.chart.x_ticks] == [tick.at for tick in second.chart.x_ticks]
    assert (first.key, second.key) == ("heart_rate", "pain") and first.chart.now_at == second.chart.now_at


def test_an_operation_entrusted_to_another_team_is_not_offered(ida):
    earlier = Episode.objects.create(
        patient=ida.episode.patient,
        fhir_id="elsewhere",
        procedure="hip_replacement",
        surgery_end=ida.now - timedelta(days=90),
        team=ida.foreign.team,
    )
    answer = page(ida, f"?other={earlier.key}")
    assert answer.context["other"] is None and "No other operation" in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["", "?measure=%00&beside=<b>&other=x", "?measure=nothing&similar=on", "?beside=spo2"]
)
def test_what_cannot_be_read_is_left_out(ida, query):
    assert page(ida, query).status_code == 200


def test_before_anything_is_computed_it_says_so(ida):
    ida.episode.snapshots.all().delete()
    assert "Nothing has been computed" in page(ida).content.decode()
