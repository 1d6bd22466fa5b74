"""From work owed to one snapshot: order, batching, duplicates and late data give the same twin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.management import call_command

from recovery import queue
from recovery.audit import Actor
from recovery.models import Episode, LiveEvent, Owed, Snapshot, Twin
from recovery.services import proof, refresh, served_models, twinning
from recovery.services.ingestion import deliver
from recovery.services.intake import Delivery
from recovery.twin.state import TwinState
from tests import deliveries as d

NOW = d.SURGERY_END + timedelta(hours=75, minutes=20)
ACTOR = Actor.system("test")
pytestmark = pytest.mark.django_db


def send(delivery: Delivery, now: datetime = NOW) -> None:
    deliver(delivery=delivery, actor=ACTOR, now=now, atomic=False)


def clock_at(now: datetime):
    return lambda: now


def vital_signs(until: int = 75, seed: int = 7) -> list:
    """Hourly heart rate and respiratory rate from two days before surgery, synthetic."""
    rng = np.random.default_rng(seed)
    breath = d.series(metric="respiratory_rate")
    rows = []
    for hour in range(-48, until):
        rows.append(d.number(len(rows), hour + 0.2, float(round(70 + 9 * (hour > 0) + rng.normal(0, 3)))))
        rows.append(d.number(len(rows), hour + 0.2, float(round(15 + rng.normal(0, 1))), breath))
    return rows


def twin_after(deliveries: list[Delivery], times: list[datetime] | None = None) -> TwinState:
    send(d.enrolment())
    for delivery, now in zip(deliveries, times or [NOW] * len(deliveries), strict=True):
        send(delivery, now)
        refresh.refresh_owed(clock=clock_at(now))
    refresh.refresh_owed(clock=clock_at(NOW))
    return TwinState.from_plain(Twin.objects.get().state)


def assert_same(one: TwinState, other: TwinState) -> None:
    assert one.until_hour == other.until_hour
    assert one.metrics.keys() == other.metrics.keys()
    for key in one.metrics:
        a, b = one.metrics[key].memory.belief, other.metrics[key].memory.belief
        np.testing.assert_allclose(a.mean, b.mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(a.cov, b.cov, rtol=0, atol=1e-9)


def rebuilt() -> TwinState:
    episode = Episode.objects.select_related("patient", "pathway").get()
    return twinning.rebuild(episode, NOW, served_models.population()).fold.state


def test_a_refresh_makes_one_snapshot_with_expectation_band_and_age_of_the_data():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    snapshot = Snapshot.objects.get()
    heart = snapshot.content["metrics"]["heart_rate"]
    assert snapshot.current
    assert snapshot.content["day"] == 3
    assert heart["low90"] < heart["low50"] < heart["expected"] < heart["high50"] < heart["high90"]
    assert heart["hours_since"] == pytest.approx(75 + 1 / 3 - 74.2, abs=0.01)
    assert heart["scorecard"]["n"] > 100
    assert snapshot.data_until == d.SURGERY_END + timedelta(hours=74.2)


def test_the_work_is_settled_and_open_pages_are_told():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    owed = Owed.objects.get()
    assert owed.done_seq == owed.seq
    assert LiveEvent.objects.filter(kind="twin").exists()


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_any_batching_gives_the_twin_of_a_rebuild(pieces):
    rows = vital_signs()
    parts = [Delivery("test", readings=tuple(rows[i::pieces])) for i in range(pieces)]
    assert_same(twin_after(parts), rebuilt())


def test_readings_that_arrive_late_give_the_twin_of_a_rebuild():
    rows = vital_signs()
    late = [row for row in rows if d.ms(d.SURGERY_END) < row.at_ms < d.ms(d.SURGERY_END) + 30 * d.HOUR_MS]
    timely = [row for row in rows if row not in late]
    state = twin_after(
        [Delivery("test", readings=tuple(timely)), Delivery("test", readings=tuple(reversed(late)))],
        [NOW - timedelta(hours=1), NOW],
    )
    assert_same(state, rebuilt())


def test_readings_hour_by_hour_as_they_happen_give_the_twin_of_a_rebuild():
    rows = vital_signs()
    times = [*(d.SURGERY_END + timedelta(hours=h) for h in range(-40, 75, 5)), NOW]
    parts = []
    for k, time in enumerate(times):
        before = times[k - 1] if k else datetime(2000, 1, 1, tzinfo=UTC)
        parts.append(Delivery("test", readings=tuple(r for r in rows if d.ms(before) <= r.at_ms < d.ms(time))))
    assert_same(twin_after(parts, times), rebuilt())


def test_duplicates_change_nothing():
    rows = tuple(vital_signs())
    assert_same(twin_after([Delivery("test", readings=rows), Delivery("test", readings=rows[::3])]), rebuilt())


def test_a_moved_operation_rebuilds_the_twin_on_the_new_clock():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    send(Delivery("test", documents=(d.procedure(0, end=d.SURGERY_END + timedelta(hours=6)),)))
    refresh.refresh_owed(clock=clock_at(NOW))
    state = TwinState.from_plain(Twin.objects.get().state)
    assert state.until_hour == pytest.approx(75 + 1 / 3 - 6)
    assert_same(state, rebuilt())


def test_what_was_known_earlier_can_be_asked_for():
    rows = vital_signs()
    early, late = tuple(rows[:120]), tuple(rows[120:])
    send(d.enrolment(), NOW - timedelta(hours=2))
    send(Delivery("test", readings=early), NOW - timedelta(hours=1))
    send(Delivery("test", readings=late), NOW)
    episode = Episode.objects.select_related("patient", "pathway").get()
    params = served_models.population()
    then = twinning.rebuild(episode, NOW, params, known_by=NOW - timedelta(minutes=30)).fold.state
    now = twinning.rebuild(episode, NOW, params).fold.state
    assert then.metrics["heart_rate"].count == 60
    assert now.metrics["heart_rate"].count > 60


def test_an_episode_that_cannot_be_refreshed_waits_for_its_retry_and_its_neighbours_go_on(monkeypatch):
    send(d.enrolment("p1"))
    send(
        Delivery(
            "test",
            documents=(d.patient(0, "p2"), d.procedure(1, "p2")),
            readings=(d.number(2, 3, 80, d.series("p2")),),
        )
    )
    broken = Episode.objects.get(patient__fhir_id="p1").pk
    prepare = twinning.prepare

    def fragile(episode, *rest):
        if episode.pk == broken:
            raise RuntimeError("poison")
        return prepare(episode, *rest)

    monkeypatch.setattr(twinning, "prepare", fragile)
    assert refresh.refresh_owed(clock=clock_at(NOW)) == 1
    waiting = Owed.objects.get(key=broken)
    assert waiting.done_seq < waiting.seq
    assert waiting.last_error == "RuntimeError"
    assert waiting.not_before > NOW
    assert not queue.open_work("twin", NOW).filter(pk=waiting.pk).exists()
    assert queue.open_work("twin", NOW + timedelta(hours=1)).filter(pk=waiting.pk).exists()


def test_a_worker_whose_claim_ran_out_stores_nothing():
    send(d.enrolment())
    (claim,) = queue.claim(kind="twin", limit=1, now=NOW)
    later = NOW + queue.CLAIM_FOR + timedelta(seconds=1)
    (again,) = queue.claim(kind="twin", limit=1, now=later)
    assert queue.settle(claim) is False
    assert queue.settle(again) is True


def test_work_that_arrives_while_a_worker_is_busy_stays_owed():
    send(d.enrolment())
    (claim,) = queue.claim(kind="twin", limit=1, now=NOW)
    send(Delivery("test", readings=(d.number(0, 3, 80.0),)))
    assert queue.settle(claim)
    assert queue.open_work("twin", NOW).count() == 1


def test_silence_is_looked_at_again_within_the_hour():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    assert refresh.owe_silent(now=NOW + timedelta(minutes=30)) == 0
    assert refresh.owe_silent(now=NOW + timedelta(minutes=61)) == 1
    later = NOW + timedelta(hours=30)
    refresh.refresh_owed(clock=clock_at(later))
    said = Snapshot.objects.get(current=True).content
    assert said["state"] == "no_data" or said["metrics"]["heart_rate"]["hours_since"] > 24
    assert "not known" in said["sentence"]


def test_the_nightly_proof_passes_and_finds_a_twin_that_was_tampered_with():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    assert proof.prove_twins(now=NOW + timedelta(hours=3)) == proof.Proof(1, (), 0, 0, 0)
    twin = Twin.objects.get()
    state = TwinState.from_plain(twin.state)
    state.metrics["heart_rate"].memory.belief.mean[0] += 1e-6
    twin.state = state.to_plain()
    twin.save()
    assert proof.prove_twins(now=NOW) == proof.Proof(1, (twin.episode_id,), 0, 0, 0)
    refresh.refresh_owed(clock=clock_at(NOW))
    assert proof.prove_twins(now=NOW) == proof.Proof(1, (), 0, 0, 0)


def test_verify_twins_says_how_many_it_left_out_and_why(capsys):
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    twin = Twin.objects.get()
    Twin.objects.update(state=twin.state | {"model": "another"})
    call_command("verify_twins")
    assert (
        "0 twins equal their rebuild to 1e-9. Left out: 0 with work owed, 1 of another model" in capsys.readouterr().out
    )
    queue.owe(kind="twin", dirty={twin.episode_id: None}, now=NOW)
    call_command("verify_twins")
    assert "Left out: 1 with work owed, 0 of another model or format, 0 beyond the limit." in capsys.readouterr().out


def test_severe_pain_is_never_called_as_expected():
    pain = d.series(metric="pain", unit="{score}", source="patient")
    twin_after([Delivery("test", readings=tuple(d.number(k, 60 + k, 9.0, pain) for k in range(10)))])
    said = Snapshot.objects.get().content
    assert said["reasons"] == ["Pain 9 of 10, severe"]
    assert "Pain needs a look" in said["sentence"]


def test_a_patient_without_a_reading_gets_no_number_and_is_told_why():
    twin_after([])
    said = Snapshot.objects.get().content
    assert {risk["abstained"] for risk in said["risks"]} == {
        "No reading has arrived yet, so the present state is not known."
    }
    assert all(risk["probability"] is None for risk in said["risks"])


@pytest.mark.parametrize(
    ("value", "unit", "points"), [(120.0, "mm[Hg]", 0), (120.0, "mmHg", 0), (16.0, "kPa", None), (120.0, "", None)]
)
def test_a_pressure_in_another_unit_is_missing_from_news2_and_never_a_low_pressure(value, unit, points):
    key = replace(d.series(metric="", unit=unit, shape="number"), system="http://loinc.org", code="8480-6")
    send(d.enrolment())
    send(Delivery("test", readings=(*vital_signs(), d.number(999, 74.5, value, key))))
    refresh.refresh_owed(clock=clock_at(NOW))
    scores = {score["name"]: score for score in Snapshot.objects.get(current=True).content["scores"]}
    items = {item["name"]: item["points"] for item in scores["NEWS2"]["items"]}
    assert items.get("systolic blood pressure") == points
    assert ("systolic blood pressure" in scores["NEWS2"]["missing"]) is (points is None)


def test_an_episode_with_a_twin_does_not_change_its_patient():
    twin_after([Delivery("test", readings=tuple(vital_signs()))])
    send(Delivery("test", documents=(d.patient(0, "p2"),)))
    said = {"resourceType": "Procedure", "subject": "p2"}
    moved = replace(d.procedure(0, "p2"), fhir_id="p1-op", content=said)
    receipt = deliver(delivery=Delivery("test", documents=(moved,)), actor=ACTOR, now=NOW, atomic=False)
    assert receipt.outcomes[0].error == "Conflict"
    assert Episode.objects.get().patient.fhir_id == "p1"
