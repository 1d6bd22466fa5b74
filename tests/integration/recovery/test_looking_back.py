"""As known on day N: to the letter what was served, or rebuilt from exactly what had been received by then."""

from datetime import timedelta

import pytest

from recovery.audit import Actor
from recovery.models import Episode, Sample, Snapshot
from recovery.selectors.past import alerts_then, past_of
from recovery.services import looking_back, marking
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.services.marking import WrongReading
from tests import deliveries as d
from tests import factories

pytestmark = pytest.mark.django_db
NOW = d.SURGERY_END + timedelta(hours=118, minutes=24)
ACTOR = Actor.system("t")


@pytest.fixture
def episode() -> Episode:
    """Five days with a pneumonia from day 3; the last twelve hours looked at as they went."""
    factories.make_ward(NOW, factories.STORIES[:1])
    return Episode.objects.select_related("patient", "pathway").get()


def then(episode: Episode, at):
    return looking_back.said_then(episode=episode, at=at, severities=[])


def test_where_a_snapshot_is_kept_it_is_the_answer(episode):
    kept = Snapshot.objects.filter(made_at__lt=NOW).order_by("-made_at")[1]
    found = then(episode, kept.made_at + timedelta(minutes=30))
    assert (found.how, found.content, found.made_at) == ("stored", kept.content, kept.made_at)


def test_rebuilt_it_equals_what_was_served_then(episode):
    """Every number but the wording of how long something had lasted, which the alert memory of that time told."""
    served_then = list(Snapshot.objects.filter(made_at__lt=NOW).order_by("made_at"))
    Snapshot.objects.filter(made_at__lt=NOW).delete()
    for kept in served_then[-4:]:
        served, at = kept.content, kept.made_at
        found = then(episode, at)
        assert found.how == "rebuilt"
        for key, metric in served["metrics"].items():
            told = found.content["metrics"][key]
            same = metric.keys() - {"reading", "gates", "now_source"}  # of the stretch folded then, and of now
            assert {name: told[name] for name in same} == {name: metric[name] for name in same}, key
        numbers = ("outcome", "horizon_h", "probability", "low", "high", "abstained")
        assert [[one[n] for n in numbers] for one in found.content["risks"]] == [
            [one[n] for n in numbers] for one in served["risks"]
        ]
        assert found.content["suspicion"] == served["suspicion"]
        assert found.content["scores"] == served["scores"]
        assert found.data_until == kept.data_until


def test_what_was_received_later_is_not_known_then(episode):
    at = NOW - timedelta(minutes=40)
    before = past_of(episode, at, NOW + timedelta(hours=1)).observed["heart_rate"]
    early = d.series("synthetic-0")
    late = Delivery("test", (d.number(0, 60.5, 150, early),))
    deliver(delivery=late, actor=ACTOR, now=NOW + timedelta(minutes=30), atomic=True)
    past = past_of(episode, at, NOW + timedelta(hours=1))
    assert past.observed["heart_rate"] == before
    assert any(abs(hour - 60.5) < 0.6 for hour in past.later["heart_rate"].hours)


def test_a_mark_counts_from_when_it_was_made(episode):
    row = Sample.objects.filter(series__metric="heart_rate").order_by("-at_ms").first()
    wrong = WrongReading(episode.patient_id, (row.series_id, row.at_ms, row.value, row.digits))
    marking.mark_reading(reading=wrong, reason="Device fault", actor=ACTOR, now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=1)
    assert not past_of(episode, NOW, later).observed["heart_rate"].wrong
    assert past_of(episode, NOW + timedelta(minutes=2), later).observed["heart_rate"].wrong


def test_nothing_is_written_by_looking(episode):
    Snapshot.objects.filter(made_at__lt=NOW).delete()
    twin = episode.twin.state
    then(episode, NOW - timedelta(hours=3))
    assert Snapshot.objects.count() == 1
    episode.twin.refresh_from_db()
    assert episode.twin.state == twin


def test_before_the_first_reading_was_received_nothing_was_known(episode):
    assert then(episode, d.SURGERY_END + timedelta(hours=2)) is None


def test_an_alert_stands_as_it_stood(episode):
    from recovery.models import AlertTransition

    alert = factories.make_alert(episode, NOW, cause="by-hand", raised_at=NOW - timedelta(hours=5))
    for hours, before, after in ((4, "open", "acknowledged"), (1, "acknowledged", "resolved")):
        AlertTransition.objects.create(
            alert=alert,
            at=NOW - timedelta(hours=hours),
            from_status=before,
            to_status=after,
            actor_name="noor",
        )

    def seen(hours: float):
        told = alerts_then(episode, NOW - timedelta(hours=hours))
        return [(one.status, one.owner) for one in told if one.headline == alert.headline and one.severity == "high"]

    assert [seen(hours) for hours in (6, 4.5, 3, 0.5)] == [[], [("open", "")], [("acknowledged", "noor")], []]


def test_a_look_within_an_hour_that_was_written_over_is_rebuilt(episode):
    at = NOW - timedelta(minutes=3)
    assert Snapshot.objects.get(current=True).hour == int(at.timestamp() // 3600)
    assert then(episode, at).how == "rebuilt"
