"""The board as each person wants it: filters, views of their own, what changed since they were here, many at once."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse

from recovery.models import Alert, AlertSight, AuditEvent, Desk, Message, RosterShift, SavedView, Snapshot
from recovery.services import desks
from tests import factories
from tests.integration.recovery.views.test_board import more, names

pytestmark = pytest.mark.django_db
US, QUIET = "Ida Hartmann", "A on_track-0-0"


def board(scene, query: str = "", who: str = "own"):
    return scene.client(who).get("/patients/" + query)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?lane=clinical", [US]),
        ("?lane=silent", []),
        ("?owner=nobody", [US]),
        ("?owner=mine", []),
        ("?owner=somebody", []),
        ("?ward=ward-7", [US, QUIET]),
        ("?ward=ward-9", []),
        ("?first_day=0&last_day=0", []),
        ("?first_day=1&last_day=1", [US, QUIET]),
        ("?last_day=-1", []),
        ("?changed=on", []),
    ],
)
def test_each_filter_finds_what_it_names(scene, query, found):
    more(scene, 1)
    answer = board(scene, query)
    assert names(answer) == found
    assert (b"No patient fits these filters" in answer.content) == (not found)


def test_patients_of_one_surgeon_are_found_and_no_name_stands_in_the_address(scene):
    scene.episode.surgeon, scene.episode.surgeon_key = "Dr. Ada Lane", "n-12ab"
    scene.episode.save()
    body = scene.client("own").get("/patients/?surgeon=n-12ab")
    assert [row.name for row in body.context["view"].rows] == ["Ida Hartmann"]
    assert '<option value="n-12ab" selected>Dr. Ada Lane</option>' in body.content.decode()
    assert not scene.client("own").get("/patients/?surgeon=else").context["view"].rows


def test_an_alert_of_mine_is_found_as_mine(scene):
    Alert.objects.filter(pk=scene.alert.pk).update(owner=scene.own, status="acknowledged")
    assert names(board(scene, "?owner=mine")) == [US] and names(board(scene, "?owner=nobody")) == []


def test_lanes_are_counted_over_everyone(scene):
    (silent,) = more(scene, 1, "no_data")
    factories.make_alert(silent, scene.now, cause="data_stopped", kind="data_stopped", severity="low")
    lanes = {lane.key: lane.count for lane in board(scene, "?lane=silent").context["view"].lanes}
    assert lanes == {"clinical": 1, "silent": 1, "doubt": 0}


def test_what_changed_is_told_against_the_end_of_the_last_visit(scene):
    (other,) = more(scene, 1)
    board(scene)
    away = scene.now - timedelta(hours=2)
    Desk.objects.update(seen_at=away)
    Alert.objects.update(raised_at=away - timedelta(hours=1))
    assert names(board(scene, "?changed=on")) == []
    Desk.objects.update(seen_at=away)
    Snapshot.objects.filter(episode=other).update(
        content=factories.said("watch"), made_at=scene.now + timedelta(seconds=1)
    )
    assert names(board(scene, "?changed=on")) == [other.patient.name]
    assert names(board(scene, "?changed=on")) == [other.patient.name]  # looking again within the visit keeps it


def test_a_new_alert_is_a_change_even_when_the_state_is_the_same(scene):
    board(scene)
    Desk.objects.update(seen_at=scene.now - timedelta(hours=2))
    assert names(board(scene, "?changed=on")) == [US]


def test_columns_and_density_are_kept_for_the_person_and_nobody_else(scene):
    sent = {"density": "dense", "columns": ["risk", "owner"], "query": "state=watch&q=Hartmann"}
    answer = scene.client("own").post(reverse("board_settings"), sent)
    assert answer["Location"] == "/patients/?state=watch"
    assert board(scene).context["view"].classes == "dense no-trend no-age"
    factories.TeamMembership.objects.create(user=scene.other, team=scene.episode.team, since=factories.LONG_AGO)
    assert board(scene, who="other").context["view"].classes == "comfortable"


def test_the_trend_of_a_month_is_kept_for_the_person_and_reaches_the_live_row(scene):
    scene.episode.surgery_end = scene.now - timedelta(days=20)
    scene.episode.save()
    factories.make_reading(scene.episode, value=88.0, hour=24.0)
    url = reverse("board_row", args=[scene.episode.key])
    assert not board(scene).context["view"].rows[0].spark.dots
    scene.client("own").post("/patients/settings/", {"density": "dense", "columns": ["trend"], "trend": "month"})
    answer = board(scene)
    assert answer.context["view"].rows[0].spark.dots and "Last 30 days" in answer.content.decode()
    assert scene.client("own").get(url).context["row"].spark.dots


def test_a_view_is_saved_replaced_and_deleted_by_its_owner_only(scene):
    client = scene.client("own")
    for query in ("owner=mine&q=Hartmann", "state=act"):
        client.post(reverse("view_save"), {"name": "Mine", "query": query})
    view = SavedView.objects.get()
    assert view.query == "state=act"
    assert b"?state=act" in client.get("/patients/").content
    assert scene.client("other").post(reverse("view_delete", args=[view.key])).status_code == 404
    client.post(reverse("view_delete", args=[view.key]))
    assert not SavedView.objects.exists()


def test_a_view_without_a_filter_or_name_is_refused(scene):
    for sent in ({"name": "All", "query": "page=2"}, {"name": "  ", "query": "state=act"}):
        assert scene.client("own").post(reverse("view_save"), sent).status_code == 400


def test_a_name_never_gets_into_a_kept_address():
    assert desks.clean_query("?q=Hartmann&state=act&page=3&x=%00") == "state=act"


def test_the_export_holds_the_filtered_rows_and_is_audited(scene):
    more(scene, 60)
    scene.episode.patient.family_name = "=CMD()"
    scene.episode.patient.given_name = ""
    scene.episode.patient.save()
    answer = scene.client("own").get(reverse("board_csv") + "?ward=ward-7")
    rows = list(csv.reader(StringIO(answer.content.decode())))
    assert len(rows) == 62 and rows[1][1] == "'=CMD()"
    told = AuditEvent.objects.filter(action="export_board")
    assert {row.detail["rows"] for row in told} == {61}
    assert told.exclude(patient=None).values("patient").distinct().count() == told.count() == 61


def test_who_is_on_call_is_named(scene):
    for user, team in ((scene.own, scene.episode.team), (scene.other, scene.foreign.team)):
        RosterShift.objects.create(
            team=team, level="on_call_first", user=user, start=scene.now, until=scene.now + timedelta(hours=8)
        )
    (line,) = board(scene).context["view"].on_call
    assert line.startswith("First on call, Ward 7: own until")


def mark(alert: Alert) -> str:
    alert.refresh_from_db()
    return f"{alert.key}.{alert.version}"


def test_the_alerts_of_chosen_patients_are_listed_before_anything_is_done(scene):
    sent = {"episodes": [str(scene.episode.key), str(scene.foreign.key), "nonsense"]}
    answer = scene.client("own").post(reverse("bulk"), sent)
    assert answer.context["view"].total == 1 and mark(scene.alert).encode() in answer.content
    assert AlertSight.objects.filter(alert=scene.alert, user=scene.own).exists()
    scene.alert.refresh_from_db()
    assert scene.alert.status == "open"


def act(scene, action: str, alerts, **more_sent):
    sent = {"action": action, "alerts": [mark(one) for one in alerts], **more_sent}
    return scene.client("own").post(reverse("bulk_act"), sent)


def test_many_are_assigned_and_a_strangers_is_left_alone(scene):
    (other,) = more(scene, 1)
    second = factories.make_alert(other, scene.now)
    answer = act(scene, "assign", [scene.alert, second, scene.foreign_alert], user=scene.own.pk)
    assert answer["Location"] == "/patients/?done=2&refused=1"
    owners = list(Alert.objects.order_by("id").values_list("owner__username", flat=True))
    assert owners == ["own", None, "own"]


def test_what_a_colleague_was_quicker_with_is_left_as_it_is(scene):
    stale = mark(scene.alert)
    Alert.objects.filter(pk=scene.alert.pk).update(version=9, status="acknowledged", owner=scene.own)
    sent = {"action": "snooze", "hours": 1, "reason": "in theatre", "alerts": [stale]}
    assert scene.client("own").post(reverse("bulk_act"), sent)["Location"] == "/patients/?done=0&refused=1"


@pytest.mark.parametrize("sent", [{"action": "assign"}, {"action": "snooze"}, {"action": "resolve"}])
def test_half_an_action_is_refused_with_the_field(scene, sent):
    assert act(scene, sent["action"], [scene.alert]).status_code == 400


def test_one_message_reaches_each_chosen_patient_once_and_nobody_elses(scene):
    unreached = factories.make_episode(scene.episode.team, key="noportal", ended=scene.now, family_name="Silent")
    chosen = {"episodes": [str(one.key) for one in (scene.episode, unreached, scene.foreign)]}
    page = scene.client("own").post("/patients/alerts/", chosen)
    body = page.content.decode()
    assert "call instead:</strong> Ida Silent." in body and "Quill" not in body
    sent = {
        "to": chosen["episodes"],
        "key": str(page.context["key"]),
        "subject": "Your watch",
        "text": "Please charge it.",
    }
    for _ in range(2):
        answer = scene.client("own").post("/patients/write/", sent)
        assert answer["Location"] == "/patients/?written=1&unwritten=2"
    message = Message.objects.get()
    assert message.thread.patient == scene.episode.patient and message.from_team
    assert message.author_words.startswith("own") and message.text == "Please charge it."


def test_the_hand_over_says_state_alerts_owner_and_what_the_shift_did(scene):
    body = scene.client("own").get(reverse("handover")).content.decode()
    assert "Hand-over" in body and scene.alert.headline in body and "Nobody has answered yet" in body
    assert "Quill" not in body
    row = AuditEvent.objects.get(action="view_handover")
    assert row.detail["episodes"] == [str(scene.episode.key)]


NAMES = [("王", "小明"), ("محمد", "الراشد"), ("Żaneta <b>", "& Söhne"), ("Ελένη", "x" * 190)]


def test_the_hand_over_is_one_pdf_whatever_the_names(scene):
    for place, (given, family) in enumerate(NAMES):
        factories.make_episode(
            scene.episode.team, key=f"n{place}", ended=scene.now, given_name=given, family_name=family
        )
    answer = scene.client("own").get(reverse("handover_pdf"))
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF-1.")
    told = AuditEvent.objects.filter(action="export_handover")
    assert told.count() == told.exclude(patient=None).values("patient").distinct().count() == 1 + len(NAMES)


def test_an_unknown_shift_is_the_one_that_is_on(scene):
    answer = scene.client("own").get(reverse("handover") + "?shift=2099-01-01-tea&ward=nowhere")
    assert answer.status_code == 200 and answer.context["view"].patients == ()
