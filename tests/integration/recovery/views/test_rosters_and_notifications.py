"""Who is on call is written by leads and read by the team; how one is told is one's own."""

from datetime import timedelta

import pytest
from django.urls import reverse

from recovery.models import AuditEvent, Notification, NotificationPreference, RosterShift, TeamHook
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(scene):
    scene.lead = factories.make_person("lead", "lead", scene.episode.team, first_name="Lea", last_name="Lind")
    return scene.client("lead")


def turn(scene, **fields):
    given = {"user": scene.own.pk, "level": "on_call_first"}
    start = scene.now.replace(second=0, microsecond=0)
    given |= {"start": f"{start:%Y-%m-%dT%H:%M}", "until": f"{start + timedelta(hours=8):%Y-%m-%dT%H:%M}"}
    return {**given, **fields}


def test_a_lead_puts_somebody_on_call_and_takes_them_off(scene, lead):
    url = reverse("roster_turn", args=["ward-7"])
    assert lead.post(url, turn(scene)).status_code == 302
    body = lead.get("/roster/").content.decode()
    assert "own" in body and "Nobody in the next 14 days" in body
    shift = RosterShift.objects.get()
    lead.post(reverse("roster_turn_remove", args=["ward-7", shift.pk]))
    assert not RosterShift.objects.exists()
    assert list(AuditEvent.objects.filter(action__startswith="roster").values_list("action", flat=True)) == [
        "roster_add",
        "roster_remove",
    ]


def test_a_turn_is_typed_in_the_hospitals_clock(scene, lead, settings):
    settings.HOSPITAL_TIME_ZONE = "Europe/Berlin"
    day = f"{scene.now + timedelta(days=1):%Y-%m-%d}"
    lead.post(reverse("roster_turn", args=["ward-7"]), turn(scene, start=f"{day}T08:00", until=f"{day}T16:00"))
    from zoneinfo import ZoneInfo

    assert RosterShift.objects.get().start.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") == "08:00"


@pytest.mark.parametrize(
    "fields", [{"until": "2020-01-01T00:00"}, {"start": "tomorrow"}, {"level": "boss"}, {"user": 0}]
)
def test_a_turn_that_cannot_be_is_refused(scene, lead, fields):
    assert lead.post(reverse("roster_turn", args=["ward-7"]), turn(scene, **fields)).status_code == 400
    assert not RosterShift.objects.exists()


def test_the_same_turn_twice_is_one(scene, lead):
    url = reverse("roster_turn", args=["ward-7"])
    assert [lead.post(url, turn(scene)).status_code for _ in range(2)] == [302, 409]


def test_only_leads_see_the_secret_of_a_webhook(scene, lead):
    hook = TeamHook.objects.create(
        team=scene.episode.team, url="https://pager.example/in", made_at=scene.now, made_by="lead"
    )
    assert "Signing secret" in lead.get("/roster/").content.decode()
    mine = scene.client("own").get("/roster/").content.decode()
    assert "Signing secret" not in mine and hook.url not in mine


def test_a_webhook_inside_the_house_is_refused(scene, lead):
    answer = lead.post(reverse("roster_hook", args=["ward-7"]), {"url": "https://127.0.0.1/in"})
    assert answer.status_code == 400 and not TeamHook.objects.exists()


def test_another_teams_roster_is_no_page(scene, lead):
    assert lead.get("/roster/", {"team": "ward-9"}).status_code == 404
    assert lead.post(reverse("roster_turn", args=["ward-9"]), turn(scene)).status_code == 404


def test_wishes_are_kept_as_they_were_typed(scene):
    client = scene.client("own")
    client.post(reverse("notifications_wish"), {"email": "on", "quiet_from": "22:00", "quiet_until": "07:00"})
    wish = NotificationPreference.objects.get(user=scene.own)
    assert (wish.email, wish.push, wish.high_anyway, wish.quiet_from.hour) == (True, False, False, 22)
    assert 'value="22:00"' in client.get("/notifications/").content.decode()


def test_half_of_quiet_hours_is_refused(scene):
    answer = scene.client("own").post(reverse("notifications_wish"), {"quiet_from": "22:00"})
    assert answer.status_code == 400


def test_nobody_reads_the_notifications_of_a_patient_who_is_no_longer_theirs(scene):
    Notification.objects.create(user=scene.own, alert=scene.foreign_alert, reason="raised", at=scene.now)
    assert "Quill" not in scene.client("own").get("/notifications/").content.decode()


def test_reading_all_reads_only_ones_own(scene):
    for person in (scene.own, scene.other):
        Notification.objects.create(user=person, alert=scene.alert, reason="raised", at=scene.now)
    scene.client("own").post(reverse("notifications_read"))
    assert list(Notification.objects.filter(read_at__isnull=True).values_list("user__username", flat=True)) == ["other"]


def test_an_export_of_the_service_figures_is_audited_and_names_no_patient(scene):
    answer = scene.client("own").get("/service/figures.csv", {"days": 7})
    body = answer.content.decode()
    assert answer["Content-Type"].startswith("text/csv") and "raised" in body and "Hartmann" not in body
    assert AuditEvent.objects.filter(action="export_service").count() == 1


def test_a_window_or_a_team_that_does_not_exist(scene):
    client = scene.client("own")
    assert client.get("/service/", {"days": "junk"}).context["days"] == 30
    assert client.get("/service/", {"team": "ward-9"}).status_code == 404


def test_the_catalogue_names_every_shipped_rule_with_its_source(scene):
    from recovery.models import Pathway
    from recovery.twin.alert_policy import DEFAULT_POLICY

    Pathway.objects.create(key="knee", name="Knee", policy=DEFAULT_POLICY.to_plain())
    Pathway.objects.create(key="hip", name="Hip", policy=DEFAULT_POLICY.to_plain())
    Pathway.objects.create(key="bad", name="Bad", policy={"version": "x"})
    answer = scene.client("own").get("/alerts/catalogue/")
    body = answer.content.decode()
    assert len(answer.context["policies"]) == 2 and "Hip v1, Knee v1" in body and "cannot be read" in body
    (shipped,) = (one for one in answer.context["policies"] if one.is_readable)
    assert len(shipped.rules) == len(DEFAULT_POLICY.rules)
    assert all(rule.title in body and "RCP 2017" in body for rule in shipped.rules)
