"""The board: who needs me first, and why."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from recovery.models import AuditEvent, User
from tests import factories

pytestmark = pytest.mark.django_db


def names(answer) -> list[str]:
    return [row.name for row in answer.context["view"].rows]


def more(scene, count: int, state: str = "on_track", **over):
    team = scene.episode.team
    rows = []
    for number in range(count):
        key = f"{state}-{number}-{len(over)}"
        episode = factories.make_episode(
            team, key=key, ended=scene.now - timedelta(hours=30), given_name="A", family_name=key
        )
        factories.make_snapshot(episode, scene.now, factories.said(state, **over))
        rows.append(episode)
    return rows


def test_an_unanswered_alert_comes_before_every_state(scene):
    more(scene, 1, "act")
    assert names(scene.client("own").get("/patients/"))[0] == "Ida Hartmann"


def test_without_alerts_the_upper_end_of_the_interval_decides(scene):
    sure = factories.said()["risks"][0] | {"probability": 0.15, "high": 0.16}
    unsure = factories.said()["risks"][0] | {"probability": 0.08, "high": 0.40}
    more(scene, 1, "on_track", risks=[sure], sentence="sure")
    (second,) = more(scene, 1, "on_track", risks=[unsure], sentence="unsure", reasons=[])
    assert names(scene.client("own").get("/patients/"))[1] == second.patient.name


def test_the_number_of_queries_does_not_grow_with_the_rows(scene, django_assert_max_num_queries):
    """Of a person at work: what a first visit sets up, and a snapshot read for the first time, come once."""
    client = scene.client("own")
    client.get("/patients/")
    with django_assert_max_num_queries(12):
        client.get("/patients/")
    more(scene, 60)
    client.get("/patients/")
    with django_assert_max_num_queries(12):
        assert len(client.get("/patients/").context["view"].rows) == 50


def test_a_lead_is_told_of_patients_in_recovery_whom_nobody_has(scene):
    """Sent over FHIR and taken by no team: their alerts are told to nobody."""
    lost = factories.make_episode(None, key="lost", ended=scene.now - timedelta(hours=30), family_name="Lost")
    factories.make_alert(lost, scene.now)
    factories.make_person("lead-7", "lead", scene.episode.team)
    pages = {who: scene.client(who).get("/patients/").content.decode() for who in ("own", "other")}
    assert all("no team" not in page for page in pages.values()), "a clinician cannot take them over"
    client = Client()
    client.force_login(User.objects.get(username="lead-7"))
    page = client.get("/patients/").content.decode()
    assert "1 patient in recovery belongs to no team, with 1 open alert that nobody was told of" in page
    assert "Lost" not in page
    lost.team = scene.episode.team
    lost.save()
    assert "no team" not in client.get("/patients/").content.decode()


def test_counters_count_everyone_whatever_the_filter(scene):
    more(scene, 3, "watch")
    answer = scene.client("own").get("/patients/?state=watch")
    assert [row.state for row in answer.context["view"].rows] == ["watch"] * 3
    assert {c.state: c.count for c in answer.context["view"].counters}["on_track"] == 1


def test_an_empty_result_names_the_filter_and_offers_to_clear_it(scene):
    body = scene.client("own").get("/patients/?procedure=cardiac").content.decode()
    assert "No patient fits these filters" in body and "Clear the filters" in body


def test_a_board_of_some_patients_says_so_above_its_rows(scene):
    """On a phone the filters are folded away, and the counters go on counting everyone."""
    client = scene.client("own")
    assert "Only some patients" not in client.get("/patients/").content.decode()
    assert "Only some patients: 0 patients" in client.get("/patients/?state=no_data").content.decode()


def test_nonsense_in_the_url_is_left_out(scene):
    for query in ("?page=-3", "?page=zzz", "?state=<b>", "?procedure=%00", "?page=99999", "?first_day=x", "?owner=zz"):
        assert scene.client("own").get("/patients/" + query).status_code == 200


def test_a_patient_without_snapshot_is_no_data_and_never_fine(scene):
    factories.make_episode(scene.episode.team, key="new", ended=scene.now, given_name="New", family_name="One")
    row = next(r for r in scene.client("own").get("/patients/").context["view"].rows if r.name == "New One")
    assert (row.state, row.risk, row.is_stale) == ("no_data", "No number", True)


def test_a_stale_board_says_so(scene):
    for snapshot in scene.episode.snapshots.all():
        snapshot.made_at = scene.now - timedelta(hours=5)
        snapshot.save()
    assert "estimates are not being renewed" in scene.client("own").get("/patients/").content.decode()


def test_a_view_leaves_an_audit_row_naming_the_episodes(scene):
    scene.client("own").get("/patients/")
    row = AuditEvent.objects.get(action="view_board")
    assert row.actor_name == "own" and row.detail["episodes"] == [str(scene.episode.key)]


def test_synthetic_people_and_imported_data_are_labelled(scene):
    scene.episode.patient.is_synthetic = False
    scene.episode.patient.origin = "LifeSnaps volunteers, CC BY 4.0"
    scene.episode.patient.save()
    assert "LifeSnaps volunteers, CC BY 4.0" in scene.client("own").get("/patients/").content.decode()


def test_the_live_row_is_the_same_row(scene):
    client = scene.client("own")
    row = client.get(reverse("board_row", args=[scene.episode.key])).content.decode()
    assert "".join(row.split()) in "".join(client.get("/patients/").content.decode().split())


def test_no_page_needs_inline_script_or_style(scene):
    for url in ("/patients/", f"/patients/{scene.episode.key}/", "/alerts/", "/help/", "/model/", "/nowhere/"):
        body = scene.client("own").get(url).content.decode()
        assert " style=" not in body and "<style" not in body and " onclick" not in body
        assert "<script>" not in body
