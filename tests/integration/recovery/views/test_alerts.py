"""Acting on alerts: one click, an owner, an undo, and no silent overwriting."""

import pytest
from django.urls import reverse

from recovery.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


def act(scene, action: str, who: str = "own", **fields):
    return scene.client(who).post(reverse(f"alert_{action}", args=[scene.alert.key]), {"version": 1, **fields})


def test_i_have_it_makes_me_the_owner_and_offers_an_undo(scene):
    answer = act(scene, "acknowledge", next=f"/patients/{scene.episode.key}/")
    scene.alert.refresh_from_db()
    assert scene.alert.owner == scene.own
    body = scene.client("own").get(answer["Location"]).content.decode()
    assert "You have it." in body and "Undo" in body and "own has it" in body


def test_the_undo_opens_it_again(scene):
    act(scene, "acknowledge")
    act(scene, "reopen", version=2)
    scene.alert.refresh_from_db()
    assert scene.alert.status == "open"


def test_the_second_of_two_people_learns_who_was_first(scene):
    colleague = factories.make_person("colleague", team=scene.episode.team)
    act(scene, "acknowledge")
    client = scene.client("own")
    client.force_login(colleague)
    answer = client.post(reverse("alert_acknowledge", args=[scene.alert.key]), {"version": 1})
    assert answer.status_code == 409 and "own took it" in answer.content.decode()


def test_a_snooze_needs_a_reason(scene):
    answer = act(scene, "snooze", hours=1, reason="")
    assert answer.status_code == 400 and "reason" in answer.content.decode()


def test_a_high_alert_cannot_sleep_for_a_day(scene):
    assert act(scene, "snooze", hours=24, reason="later").status_code == 400


def test_resolving_records_what_it_was(scene):
    act(scene, "resolve", outcome="false_alarm", useful="no", note="watch was loose")
    scene.alert.refresh_from_db()
    assert (scene.alert.status, scene.alert.outcome) == ("resolved", "false_alarm")
    assert AuditEvent.objects.filter(action="alert_resolve", patient=scene.episode.patient).exists()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_nobody_is_sent_elsewhere(scene, back):
    assert act(scene, "acknowledge", next=back)["Location"].startswith("/alerts/")


def test_a_form_without_its_token_is_refused(scene):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(scene.own)
    answer = client.post(reverse("alert_acknowledge", args=[scene.alert.key]), {"version": 1})
    assert answer.status_code == 403 and "The form was too old" in answer.content.decode()


VIEWS = (("team", 1), ("mine", 1), ("unowned", 0), ("snoozed", 0), ("resolved", 0), ("all", 1), ("junk", 1))


def test_the_views_of_the_inbox_are_counted_and_reachable(scene):
    act(scene, "acknowledge")
    client = scene.client("own")
    for view, shown in VIEWS:
        context = client.get("/alerts/", {"view": view}).context
        assert len(context["rows"]) == shown == context["inbox"].counts[context["inbox"].view]


def test_the_inbox_does_not_ask_once_a_row(scene, django_assert_max_num_queries):
    """Session, person, page events, counts, causes, rows, snapshots, two for small charts, colleagues, on call, sights
    (three), messages in the header, emergency access (two), and one row of audit with its transaction."""
    for number in range(20):
        factories.make_alert(scene.episode, scene.now, cause=f"cause-{number}")
    client = scene.client("own")
    with django_assert_max_num_queries(22) as few:
        assert len(client.get("/alerts/").context["rows"]) == 21
    for number in range(20, 40):
        factories.make_alert(scene.episode, scene.now, cause=f"cause-{number}")
    with django_assert_max_num_queries(len(few)):
        assert len(client.get("/alerts/").context["rows"]) == 41


def fetch(scene, action: str, who: str = "own", **fields):
    client = scene.client(who)
    url = reverse(f"alert_{action}", args=[scene.alert.key])
    return client.post(url, {"version": 1, **fields}, headers={"X-Requested-With": "fetch"})


def test_a_page_that_fetches_gets_the_changed_row_and_the_detail(scene):
    answer = fetch(scene, "acknowledge")
    body = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in body
    assert f'id="alert-{scene.alert.key}"' in body and 'id="detail"' in body and "You can undo this" in body


def test_who_comes_second_gets_a_409_piece_that_says_who_won_and_how_it_stands(scene):
    colleague = factories.make_person("colleague", team=scene.episode.team, first_name="Cora", last_name="Lind")
    scene.colleague = colleague
    fetch(scene, "acknowledge", "colleague")
    answer = fetch(scene, "acknowledge")
    body = answer.content.decode()
    assert answer.status_code == 409 and "Cora Lind took it" in body and "Cora Lind has it" in body
    scene.alert.refresh_from_db()
    assert scene.alert.owner == colleague


def test_what_was_typed_wrongly_is_said_beside_the_alert(scene):
    answer = fetch(scene, "snooze", hours=24, reason="later")
    assert answer.status_code == 400 and "up to 4 hours" in answer.content.decode()


def test_the_detail_tells_the_whole_story(scene):
    alerts = scene.client("own").get("/alerts/", {"alert": str(scene.alert.key)})
    assert alerts.context["detail"].row.card.key == scene.alert.key
    fetch(scene, "escalate", reason="I am in theatre.")
    fetch(scene, "acknowledge", version=2)
    body = scene.client("own").get("/alerts/", {"alert": str(scene.alert.key)}).content.decode()
    for words in (
        "Seen by own",
        "Escalated by own",
        "I am in theatre.",
        "Told in the product",
        "Taken: “I have it” by own",
    ):
        assert words in body


def test_a_strangers_alert_in_the_address_is_no_page(scene):
    assert scene.client("own").get("/alerts/", {"alert": str(scene.foreign_alert.key)}).status_code == 404


def test_opening_an_alert_reads_its_notification(scene):
    from recovery.models import Notification

    Notification.objects.create(user=scene.own, alert=scene.alert, reason="raised", at=scene.now)
    client = scene.client("own")
    assert client.get("/alerts/pulse/").json() == {"open": 1, "high": 1, "unread": 1}
    client.get("/alerts/", {"alert": str(scene.alert.key)})
    assert client.get("/alerts/pulse/").json()["unread"] == 0


def many(scene, action: str, alerts, **fields):
    sent = [f"{one.key}:{one.version}" for one in alerts]
    return scene.client("own").post("/alerts/many/", {"action": action, "alerts": sent, **fields})


def test_several_are_taken_with_one_click(scene):
    more = [factories.make_alert(scene.episode, scene.now, cause=f"cause-{number}") for number in range(3)]
    assert many(scene, "acknowledge", [scene.alert, *more]).status_code == 302
    assert scene.episode.alerts.filter(owner=scene.own).count() == 4


def test_of_several_the_page_says_which_were_lost_and_to_whom(scene):
    other = factories.make_alert(scene.episode, scene.now, cause="pain", headline="Pain well above")
    scene.colleague = factories.make_person("colleague", team=scene.episode.team, first_name="Cora")
    fetch(scene, "acknowledge", "colleague")
    answer = many(scene, "acknowledge", [scene.alert, other])
    body = answer.content.decode()
    assert answer.status_code == 409 and "1 done, 1 not" in body and "Cora took it" in body


def test_several_of_a_stranger_are_not_even_told_apart(scene):
    answer = many(scene, "acknowledge", [scene.foreign_alert])
    scene.foreign_alert.refresh_from_db()
    assert answer.status_code == 400 and scene.foreign_alert.status == "open"


def test_only_one_cause_is_put_off_together(scene):
    other = factories.make_alert(scene.episode, scene.now, cause="pain", severity="low")
    answer = many(scene, "snooze", [scene.alert, other], hours=1, reason="seen")
    assert answer.status_code == 400 and "one cause" in answer.content.decode()


@pytest.mark.parametrize("junk", ["x", "1:2:3", ":", f"{'a' * 36}:1"])
def test_what_no_page_of_ours_sends_is_refused(scene, junk):
    answer = scene.client("own").post("/alerts/many/", {"action": "acknowledge", "alerts": [junk]})
    assert answer.status_code == 400


def test_a_colleague_is_given_an_alert_and_told(scene):
    colleague = factories.make_person("colleague", team=scene.episode.team)
    assert fetch(scene, "assign", user=colleague.pk).status_code == 200
    scene.colleague = colleague
    body = scene.client("colleague").get("/notifications/").content.decode()
    assert "Given to you" in body and "Hartmann" in body


def test_a_snoozed_alert_says_what_opens_it_again(scene):
    fetch(scene, "snooze", hours=1, reason="in theatre")
    body = scene.client("own").get("/alerts/", {"view": "snoozed", "alert": str(scene.alert.key)}).content.decode()
    assert "opens again sooner if it gets graver, heart rate is 131" in body and "no data for 12 h" in body
