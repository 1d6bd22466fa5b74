"""A watch is connected through its maker's page, asked, and ended: every state says so within a minute, every error
has one next step, and nobody comes back with what was not begun here."""

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recovery.models import (
    AuditEvent,
    Document,
    ErasureRequest,
    Patient,
    Sample,
    Series,
    SourceChoice,
    VendorAsk,
    VendorLink,
)
from recovery.services import vendor_links
from recovery.vendors import oauth
from recovery.vendors.providers import provider_named
from tests import factories
from tests.integration.recovery.test_alert_races import at_once, shared  # noqa: F401
from tests.integration.recovery.views.test_portal_pages import text_of
from tests.makers import running_maker

MAKER = "example-watch"
SHOW, CONNECT, BACK, END = (f"/me/devices/with/{MAKER}/{name}" for name in ("", "connect/", "back/", "end/"))


@pytest.fixture
def maker(scene, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(oauth, "TIMEOUT_S", 60.0)  # a busy test machine is no maker that is away
    with running_maker(tmp_path / "watch.sqlite3") as running:
        settings.WEARABLE_PROVIDERS = [running.provider()]
        settings.EMBEDDED = True  # loopback may be called
        yield running


@pytest.fixture
def ida(scene, maker) -> Client:
    content = '{"resourceType":"Patient","id":"ours"}'
    Document.objects.create(
        type="Patient", fhir_id="ours", content=content, updated_at=scene.now, patient_id=scene.episode.patient_id
    )
    return scene.client("patient")


def connected(client: Client, maker) -> VendorLink:
    answer = client.get(BACK, maker.say_yes(client.post(CONNECT)["Location"]))
    assert answer["Location"] == reverse("me_devices"), text_of(answer)
    return VendorLink.objects.get(status="connected")


def turn(later: timedelta = timedelta(0)) -> int:
    return vendor_links.ask_due(clock=lambda: timezone.now() + later)


def pages(client: Client) -> str:
    return text_of(client.get(reverse("me_devices")))


def own_samples() -> int:
    return Sample.objects.filter(series__source__startswith="Device/example-watch-").count()


def test_a_watch_is_connected_waits_and_then_gives_readings(ida, maker):
    assert "Not connected" in pages(ida)
    link = connected(ida, maker)
    assert "Waiting for the first reading" in pages(ida)
    assert turn() == 1 and own_samples() > 100
    page = pages(ida)
    newest = max(Sample.objects.values_list("at_ms", flat=True))
    assert "Example watch (synthetic) ✓ Working" in page and "pulse 7" in page or "steps" in page
    assert abs(newest / 1000 + 300 - timezone.now().timestamp()) < 600, "the newest sample, not the last contact"
    count = own_samples()
    assert turn() == 0 and turn(timedelta(seconds=31)) == 1 and own_samples() == count
    link.refresh_from_db()
    assert len(VendorLink.objects.all()) == 1 and link.attempts == 0


def test_tokens_are_sealed_and_neither_they_nor_the_verifier_stand_anywhere_in_the_open(ida, maker, caplog):
    link = connected(ida, maker)
    turn()
    access = vendor_links._unsealed(link.access_sealed)
    assert access and access not in link.access_sealed
    ask = VendorAsk.objects.get()
    assert vendor_links._unsealed(ask.verifier_sealed) not in ask.verifier_sealed
    said = " ".join(str(row) for row in AuditEvent.objects.values_list("detail", "entity")) + caplog.text
    assert access not in said and "code=" not in said


def test_taken_back_at_the_maker_it_is_told_within_a_minute_and_the_tokens_are_gone(ida, maker):
    connected(ida, maker)
    turn()
    maker.watch.take_back(maker.now())
    passes = [turn(timedelta(seconds=at)) for at in range(10, 60, 10)]  # as the clock of the jobs ticks
    assert sum(passes) == 1
    link = VendorLink.objects.get()
    assert (link.status, link.access_sealed, link.refresh_sealed) == ("revoked", "", "")
    assert "access was taken back at the maker" in pages(ida) and "Connect again" in pages(ida)
    assert own_samples() > 100 and turn(timedelta(hours=1)) == 0
    connected(ida, maker)
    assert "Ended" not in pages(ida)


@pytest.mark.parametrize("token", ["a\r\nHost: elsewhere", "ä", "", " ", 7])
def test_a_token_that_is_none_is_not_kept_and_the_maker_is_asked_again(ida, maker, token):
    connected(ida, maker)
    turn()
    maker.later, maker.more = timedelta(hours=2), {"access_token": token}
    before = VendorLink.objects.get().access_sealed
    assert turn(timedelta(hours=2)) == 1
    link = VendorLink.objects.get()
    assert (link.status, link.access_sealed) == ("connected", before) and "cannot be read" in link.last_error


def test_an_account_that_breaks_the_worker_keeps_no_other_from_its_turn(ida, maker, monkeypatch, caplog):
    link = connected(ida, maker)

    def break_down(*_args, **_more):
        raise RuntimeError("with the secret words of a maker")

    monkeypatch.setattr(vendor_links, "told_by", break_down)
    assert turn() == 1
    link.refresh_from_db()
    assert link.status == "connected" and link.claimed_until is None and link.not_before > timezone.now()
    assert "secret" not in caplog.text and "RuntimeError" in caplog.text


def test_an_access_token_that_ran_out_is_renewed_and_a_rotated_one_is_kept(ida, maker):
    connected(ida, maker)
    turn()
    before = VendorLink.objects.get().refresh_sealed
    maker.later = timedelta(hours=2)
    assert turn(timedelta(hours=2)) == 1
    link = VendorLink.objects.get()
    assert link.status == "connected" and link.refresh_sealed != before and link.last_error == ""


def test_a_permission_that_ended_by_itself_is_expired_and_not_revoked(ida, maker):
    link = connected(ida, maker)
    VendorLink.objects.filter(pk=link.pk).update(grant_until=timezone.now() + timedelta(days=1))
    assert turn(timedelta(days=2)) == 1 and VendorLink.objects.get().status == "expired"
    assert "ran out" in pages(ida)


DEEP = b'{"readings": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 302}, {"garbled": True}, {"body": DEEP}])
def test_a_maker_that_fails_is_tried_again_and_told_and_nothing_is_ended(ida, maker, fault):
    connected(ida, maker)
    turn()
    vars(maker).update(fault)
    assert turn(timedelta(minutes=1)) == 1 and "Working" in pages(ida)
    assert turn(timedelta(minutes=3)) == 1 and "the maker does not answer" in pages(ida)
    maker.status, maker.garbled, maker.body = 0, False, b""
    assert turn(timedelta(minutes=20)) == 1
    assert VendorLink.objects.get().status == "connected" and "does not answer" not in pages(ida)


def test_nothing_after_two_hours_is_told_with_help(ida, maker):
    maker.rows = []
    link = connected(ida, maker)
    turn()
    VendorLink.objects.filter(pk=link.pk).update(connected_at=timezone.now() - timedelta(hours=2, minutes=1))
    assert "no reading has come yet" in pages(ida) and "open its app on your phone once" in pages(ida)


def test_rows_that_cannot_be_read_are_left_out_and_do_not_keep_back_the_others(ida, maker):
    good = {"type": "pulse", "start": "2026-01-01T10:00:00Z", "value": 71}
    odd = [
        {"type": "mood"},
        {"value": float("nan")},
        {"value": 10**400},
        {"start": "yesterday"},
        {"start": "2999-01-01"},
    ]
    odd += [{"end": "2026-01-01T09:00:00Z"}, {"value": True}, {"value": "71"}, {"start": "2026-01-01T10:00:00"}]
    maker.rows = [good, *(good | one for one in odd), None, "x"]
    connected(ida, maker)
    assert turn() == 1 and own_samples() == 1 and VendorLink.objects.get().last_error == ""


# ---- the way back ---


def failed(answer, words: str, status: int = 400) -> None:
    assert answer.status_code == status and words in text_of(answer), text_of(answer)
    assert "Go to the maker's page" in text_of(answer), "one next step"
    assert not VendorLink.objects.exists()


@pytest.mark.parametrize("state", ["", "x", "A" * 43, "A" * 5_000])
def test_a_forged_state_is_refused(ida, maker, state):
    code = maker.say_yes(ida.post(CONNECT)["Location"])["code"]
    failed(ida.get(BACK, {"code": code, "state": state}), "did not start on this page")
    assert "token" not in maker.calls, "the maker is asked nothing"


def test_a_replayed_state_is_refused_and_changes_nothing(ida, maker):
    there = ida.post(CONNECT)["Location"]
    back = maker.say_yes(there)
    assert ida.get(BACK, back).status_code == 302
    before = VendorLink.objects.get().access_sealed
    for said in (back, maker.say_yes(there)):
        answer = ida.get(BACK, said)
        assert answer.status_code == 400 and "used before" in text_of(answer)
    assert VendorLink.objects.get().access_sealed == before


def test_a_state_is_good_in_the_session_that_began_and_for_that_person_alone(ida, scene, maker):
    back = maker.say_yes(ida.post(CONNECT)["Location"])
    failed(scene.client("patient").get(BACK, back), "did not start on this page")
    stranger = factories.make_person("stranger", "patient")
    Patient.objects.filter(pk=scene.foreign.patient_id).update(user=stranger)
    other = Client(headers={"host": "localhost"})
    other.force_login(stranger)
    failed(other.get(BACK, back), "did not start on this page")
    assert ida.get(BACK, back).status_code == 302, "what others tried did not use it up"


def test_too_late_said_no_wrong_code_and_a_maker_that_is_away_each_say_so(ida, maker):
    def back() -> dict[str, str]:
        return maker.say_yes(ida.post(CONNECT)["Location"])

    late = back()
    VendorAsk.objects.update(until=timezone.now() - timedelta(seconds=1))
    failed(ida.get(BACK, late), "more than 10 minutes")
    failed(ida.get(BACK, {"state": back()["state"], "error": "access_denied"}), "You said no", 200)
    failed(ida.get(BACK, {"state": back()["state"], "error": "server_error"}), "does not answer now")
    failed(ida.get(BACK, {"state": back()["state"]}), "cannot read")
    failed(ida.get(BACK, back() | {"code": "made-up"}), "did not accept")
    maker.status = 503
    failed(ida.get(BACK, back()), "does not answer now")
    maker.status, maker.garbled = 0, True
    failed(ida.get(BACK, back()), "does not answer now")


def test_the_code_is_bound_to_our_verifier(ida, maker, settings):
    asked = dict(parse_qsl(urlsplit(ida.post(CONNECT)["Location"]).query))
    assert asked["code_challenge_method"] == "S256" and len(asked["state"]) >= 43
    code = maker.say_yes("?" + "&".join(f"{key}={value}" for key, value in asked.items()))["code"]
    maker_said = maker.watch.token(
        {"grant_type": "authorization_code", "client_id": "twinweb-demo", "code": code, "code_verifier": "x" * 43}
        | {"redirect_uri": asked["redirect_uri"]},
        maker.now(),
    )
    assert maker_said == (400, {"error": "invalid_grant"})
    assert (
        oauth.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("shared")
def test_of_tabs_that_come_back_at_once_one_wins(ida, scene):
    begun = vendor_links.begin(
        patient_id=scene.episode.patient_id,
        user_id=scene.patient.pk,
        provider=provider_named(MAKER),
        session_mark="m" * 64,
        actor=vendor_links.ACTOR,
        now=scene.now,
    )
    came: list[str] = []

    def come(_number: int) -> None:
        try:
            vendor_links.come_back(
                state=begun.state,
                user_id=scene.patient.pk,
                provider=provider_named(MAKER),
                session_mark="m" * 64,
                now=scene.now,
            )
            came.append("in")
        except vendor_links.StateRefused:
            came.append("refused")

    at_once(6, come)
    assert sorted(came) == ["in", *["refused"] * 5]


# ---- the end ---


def test_disconnecting_keeps_the_readings_if_that_is_wished_and_tells_the_maker(ida, maker):
    connected(ida, maker)
    turn()
    count = own_samples()
    assert ida.post(END).status_code == 400 and VendorLink.objects.get().status == "connected"
    assert ida.post(END, {"readings": "keep"})["Location"] == reverse("me_devices")
    assert own_samples() == count and maker.watch.open_grants() == 0 and "revoke" in maker.calls
    assert "Not connected" in pages(ida) and turn(timedelta(hours=1)) == 0
    page = ida.get(reverse("me_devices")).content.decode()
    assert len(re.findall("<h2[^>]*><bdi>Example watch|<h2[^>]*>Example watch", page)) == 1, "one card, not two"
    assert VendorLink.objects.get().refresh_sealed == ""


def test_deleting_erases_what_came_from_this_device_and_from_no_other(ida, maker, scene):
    connected(ida, maker)
    turn()
    ida.post(reverse("me_type_in"), {"kind": "temperature", "value": "37,2"})
    source = Series.objects.filter(source__startswith="Device/example").first().source
    SourceChoice.objects.create(
        patient=scene.episode.patient, metric="heart_rate", source=source, chosen_at=timezone.now()
    )
    ida.post(END, {"readings": "delete"})
    assert not Series.objects.filter(source=source).exists() and own_samples() == 0
    assert Series.objects.filter(metric="temperature").exists() and not SourceChoice.objects.exists()
    connected(ida, maker)
    assert turn() == 1 and own_samples() > 0, "connecting anew begins anew"


def test_while_the_law_keeps_the_data_nothing_is_deleted_and_the_reason_is_pointed_to(ida, maker, scene):
    connected(ida, maker)
    turn()
    ErasureRequest.objects.create(
        patient=scene.episode.patient, asked_at=timezone.now(), status="held", reason="Ten years."
    )
    answer = ida.post(END, {"readings": "delete"})
    assert answer.status_code == 409 and "My record" in text_of(answer)
    assert own_samples() > 0 and VendorLink.objects.get().status == "connected"
    assert ida.post(END, {"readings": "keep"}).status_code == 302


def test_what_arrives_after_disconnecting_is_not_taken_in(ida, maker, monkeypatch):
    link = connected(ida, maker)
    asked = oauth.ask

    def slowly(*args, **more):
        said = asked(*args, **more)
        vendor_links.disconnect(
            patient_id=link.patient_id, key=link.key, keep=False, actor=vendor_links.ACTOR, now=timezone.now()
        )
        return said

    monkeypatch.setattr(oauth, "ask", slowly)
    assert turn() == 1 and own_samples() == 0 and VendorLink.objects.get().status == "ended"


def test_the_page_of_a_maker_lets_a_form_lead_there_and_nowhere_else(ida, maker):
    policy = ida.get(SHOW)["Content-Security-Policy"]
    assert f"form-action 'self' http://127.0.0.1:{maker.server_port};" in policy + ";"
    assert not re.search(r"form-action[^;]*127", ida.get(reverse("me_devices"))["Content-Security-Policy"])
