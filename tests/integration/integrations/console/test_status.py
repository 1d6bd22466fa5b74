"""The integrator's page: red within its limits, green again by itself, a next step everywhere, nobody's name."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.console import status as page
from integrations.console.urls import urlpatterns
from integrations.hl7v2.receiving import receive
from recovery import signs
from recovery.models import AuditEvent, Connection, Export, Hl7Message, PatientMerge, PausedPipe
from recovery.selectors import traffic
from recovery.services import exports
from recovery.signs import Sign, Signs
from tests import factories
from tests.integration.integrations.fhir.conftest import Door, token_for
from tests.integration.integrations.hl7v2.conftest import PID, adt, crp, message, oru

STATUS = "/connections/status/"
LETTERS = ("letter_open", "letter_retry", "letter_drop")


@pytest.fixture
def boss(db, client, settings, tmp_path):
    settings.EXPORT_FILES, settings.MLLP_PORT = tmp_path / "exports", 0
    client.force_login(factories.make_person("boss", "administrator"))
    return client


def send(raw):
    return receive(raw, peer="10.0.0.7", now=timezone.now())


def page_of(client):
    response = client.get(STATUS)
    assert response.status_code == 200
    return response.content.decode()


def seen_status():
    return page.status(timezone.now(), ZoneInfo("UTC"))


def card(key):
    return next(one for one in seen_status().cards if one.key == key)


@pytest.fixture
def parts():
    """What the wiring says of itself, for a test to change."""
    before, said = list(signs._plugged), {"worker": Sign("worker", True, {"age_seconds": 3.0})}
    signs.plug_in(Signs(lambda: list(said.values()), lambda role: None, lambda role: 1.0))
    yield said
    signs._plugged[:] = before


def test_a_part_that_stops_is_red_with_its_next_step_and_green_again_by_itself(boss, parts):
    assert "Nothing needs anybody now" in page_of(boss)
    parts["worker"] = Sign("worker", False, {"age_seconds": 25.0})
    text = page_of(boss)
    assert "1 needs" in text and "not working" in text and page.REMEDIES["worker"] in text
    parts["worker"] = Sign("worker", True, {"age_seconds": 1.0})
    assert "Nothing needs anybody now" in page_of(boss)


def test_the_real_parts_of_the_product_are_told_even_when_none_of_them_runs(boss):
    text = page_of(boss)
    for name in ("Database", "Worker", "Beat", "Broker", "Disk", "Clock", "Codes"):
        assert f'<th scope="row">{name}</th>' in text


def test_every_card_and_every_part_says_the_next_step(boss):
    Door(token_for("system/*.cruds")).put("Patient/p", {"resourceType": "Patient", "id": "p"})
    send(oru(crp()))
    seen = seen_status()
    assert len(seen.cards) >= 4 and all(one.next_step for one in (*seen.cards, *seen.parts))


def test_a_system_is_told_with_its_last_delivery_its_last_failure_and_its_hours(boss):
    door = Door(token_for("system/*.cruds"))
    assert door.put("Patient/p", {"resourceType": "Patient", "id": "p"}).status_code == 201
    found = card(f"system-{Connection.objects.get().pk}")
    assert (found.badge, found.word) == ("green", "in use") and "1 delivery in the last 24 hours" in found.bars_said
    assert door.put("Patient/p", {"resourceType": "Patient", "id": "q"}).status_code == 400
    found = card(f"system-{Connection.objects.get().pk}")
    assert found.badge == "amber" and any("update Patient was refused (400)" in value for _, value in found.facts)


@pytest.mark.parametrize(("days", "badge"), [(-1, "red"), (3, "amber"), (90, "green"), (None, "green")])
def test_a_token_that_ends_soon_or_has_ended_is_said(boss, days, badge):
    token_for("system/*.cruds")
    at = None if days is None else timezone.now() + timedelta(days=days)
    Connection.objects.update(expires_at=at, last_used_at=timezone.now())
    assert card(f"system-{Connection.objects.get().pk}").badge == badge


def test_revoked_connections_are_not_told(boss):
    token_for("system/*.cruds", "gone one")
    Connection.objects.update(revoked_at=timezone.now())
    assert "gone one" not in page_of(boss)


def test_an_export_that_no_worker_takes_is_red(boss, parts):
    door = Door(token_for("system/*.cruds"))
    assert door.get("$export").status_code == 202
    assert card("exports").badge == "green"
    parts["worker"] = Sign("worker", False)
    assert card("exports").badge == "red"


def test_a_paused_pipe_says_by_whom_and_why_and_does_nothing_until_resumed(boss):
    Door(token_for("system/*.cruds")).get("$export")
    assert boss.post(reverse("pipe_pause"), {"pipe": "exports", "reason": "no"}).status_code == 400
    assert boss.post(reverse("pipe_pause"), {"pipe": "exports", "reason": "moving the disk"}).status_code == 302
    assert "Paused by boss: moving the disk" in page_of(boss)
    assert exports.take_up(now=timezone.now()) is None and Export.objects.get().status == "queued"
    assert boss.post(reverse("pipe_resume"), {"pipe": "exports"}).status_code == 302
    assert exports.take_up(now=timezone.now()) is not None and not PausedPipe.objects.exists()
    actions = AuditEvent.objects.filter(entity="Pipe/exports").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["pause_pipe", "resume_pipe"]


@pytest.mark.parametrize("pipe", ["", "fhir", "system-1", "x" * 500])
def test_only_known_pipes_can_be_paused(boss, pipe):
    assert boss.post(reverse("pipe_pause"), {"pipe": pipe, "reason": "for no reason"}).status_code == 400
    assert not PausedPipe.objects.exists()


def test_testing_a_connection_says_what_would_happen(boss):
    token_for("system/*.cruds")
    key = f"system-{Connection.objects.get().pk}"
    said = boss.post(reverse("pipe_test"), {"pipe": key}, follow=True).content.decode()
    assert "The door is open to it" in said
    Connection.objects.update(scopes="nonsense")
    assert "Its scopes open nothing" in boss.post(reverse("pipe_test"), {"pipe": key}, follow=True).content.decode()


def test_testing_hl7_says_whether_its_port_answers(boss, settings):
    settings.MLLP_PORT = 9  # nothing listens there
    assert "takes no connection" in boss.post(reverse("pipe_test"), {"pipe": "hl7v2"}, follow=True).content.decode()


# ---- dead letters ---


def test_a_dead_letter_shows_its_cause_and_not_what_it_says(boss):
    send(adt().replace(b"|F|", b"|Q|"))
    text = page_of(boss)
    assert "PID-8" in text and "1 dead letter" in text and "berg" not in text and "19610402" not in text
    assert card("hl7v2").badge == "red"


def test_what_it_says_is_shown_to_whoever_says_why_and_noted(boss):
    send(adt(charset="8859/1").decode().encode("latin-1").replace(b"|F|", b"|Q|"))
    row = Hl7Message.objects.get().pk
    assert boss.post(reverse("letter_open"), {"letter": row, "reason": "short"}).status_code == 400
    answer = boss.post(reverse("letter_open"), {"letter": row, "reason": "the sender asks which field"})
    assert "Åberg" in answer.content.decode() and "no-store" in answer["Cache-Control"]
    note = AuditEvent.objects.get(action="open_dead_letter")
    assert (note.actor_name, note.detail) == ("boss", {"reason": "the sender asks which field"})


def test_letters_are_retried_in_the_order_in_which_they_came(boss):
    send(oru(crp(), mrn="1", control="o1"))
    send(oru(crp("x"), mrn="1", control="o2"))
    send(adt(mrn="1"))
    text = boss.post(reverse("letter_retry"), {"all": "yes"}, follow=True).content.decode()
    assert "1 of 2 taken" in text and Hl7Message.objects.get(control_id="o1").settled_as == "taken"
    assert Hl7Message.objects.get(control_id="o2").times == 2
    again = boss.post(reverse("letter_retry"), {"letter": Hl7Message.objects.get(control_id="o1").pk})
    assert again.status_code == 404


def test_a_dropped_letter_loses_its_text_and_stays_noted(boss):
    send(oru(crp()))
    row = Hl7Message.objects.get()
    assert boss.post(reverse("letter_drop"), {"letter": row.pk}).status_code == 302
    row.refresh_from_db()
    assert (row.text, row.settled_as) == ("", "dropped") and "No message is waiting" in page_of(boss)
    assert AuditEvent.objects.filter(action="drop_dead_letter").count() == 1
    for name in LETTERS:
        assert boss.post(reverse(name), {"letter": row.pk, "reason": "long enough a reason"}).status_code == 404


@pytest.mark.parametrize("letter", ["", "0", "abc", "-1", "9" * 30])
def test_a_letter_that_is_none_is_refused(boss, letter):
    for name in LETTERS:
        assert boss.post(reverse(name), {"letter": letter, "reason": "long enough a reason"}).status_code in (400, 404)


def test_a_merge_is_undone_from_the_page(boss):
    for mrn in ("1", "2"):
        send(adt(mrn=mrn, visit=mrn, control=mrn))
    send(message("ADT^A40", PID.format(mrn="1"), "MRG|2^^^HOSP^MR", control="m"))
    merge = PatientMerge.objects.get()
    assert f"Patient/{merge.gone.fhir_id}" in page_of(boss)
    assert boss.post(reverse("merge_undo"), {"merge": merge.pk}).status_code == 302
    merge.refresh_from_db()
    assert merge.undone_by == "boss" and "Merged patients" not in page_of(boss)
    assert boss.post(reverse("merge_undo"), {"merge": merge.pk}).status_code == 404


# ---- who ---


@pytest.mark.parametrize("role", ["clinician", "patient", "lead"])
@pytest.mark.parametrize("name", [one.name for one in urlpatterns])
def test_nobody_else_sees_or_does_any_of_it(boss, client, role, name):
    client.force_login(factories.make_person(f"a-{role}", role))
    method = client.get if name == "connections_status" else client.post
    assert method(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", [one.name for one in urlpatterns])
def test_strangers_are_sent_to_sign_in(db, client, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 302 and answer["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", [one.name for one in urlpatterns if one.name != "connections_status"])
def test_what_changes_something_is_never_a_link(boss, name):
    assert boss.get(reverse(name)).status_code == 405


def test_hours_are_laid_out_from_the_oldest_to_this_one(boss):
    now = timezone.now()
    send(adt())
    assert traffic.letters(now).taken[-1] == 1 and sum(traffic.letters(now).taken) == 1
    assert sum(traffic.letters(now + timedelta(hours=25)).taken) == 0


@pytest.mark.parametrize(
    ("ages", "badge", "word"),
    [
        ({"backup": None, "restore": None}, "amber", "none yet"),
        ({"backup": 3600.0, "restore": None}, "green", "1 h old"),
        ({"backup": 200_000.0, "restore": 86_400.0}, "amber", "2 days old"),
    ],
)
def test_backups_are_told_by_their_age_and_whether_one_was_ever_restored(boss, parts, ages, badge, word):
    parts["backups"] = Sign("backups", True, ages)
    line = next(one for one in seen_status().parts if one.name == "Backups")
    assert (line.badge, line.word) == (badge, word) and line.next_step


@pytest.mark.parametrize(("roles", "badge"), [([], "amber"), (["clinician"], "amber"), (["administrator"], "green")])
def test_administrators_without_a_second_factor_are_a_warning_with_its_remedy(boss, settings, roles, badge):
    settings.DEMO, settings.MFA_REQUIRED_ROLES = False, roles
    line = next(one for one in seen_status().parts if one.name == "Second factor")
    assert line.badge == badge and ("MFA_REQUIRED_ROLES=administrator" in line.next_step) == (badge == "amber")


def test_the_demonstration_is_not_told_to_ask_for_second_factors(boss, settings):
    settings.DEMO = True
    assert "Second factor" not in page_of(boss)
