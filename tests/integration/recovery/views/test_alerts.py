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


def test_the_views_of_the_inbox_are_counted_and_reachable(scene):
    act(scene, "acknowledge")
    client = scene.client("own")
    for view, shown in (("unanswered", 0), ("mine", 1), ("acknowledged", 1), ("resolved", 0), ("all", 1), ("junk", 0)):
        assert len(client.get("/alerts/", {"view": view}).context["cards"]) == shown


def test_the_inbox_does_not_ask_once_a_row(scene, django_assert_max_num_queries):
    for number in range(20):
        factories.make_alert(scene.episode, scene.now, cause=f"cause-{number}")
    client = scene.client("own")
    with django_assert_max_num_queries(8):
        assert len(client.get("/alerts/").context["cards"]) == 21
