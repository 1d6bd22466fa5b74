"""kill -9 of the web server while a check-in is being sent: one response, none lost, and the person is told."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.functional.browsing import visit
from tests.functional.test_portal import PHONE, answer_all, responses
from tests.functional.ward import ROOT, Ward, environment, serve

pytestmark = [pytest.mark.browser, pytest.mark.faults]
ONCE = {"responses": 1, "documents": 1, "readings": 1, "audited": 1}
NOTHING = dict.fromkeys(ONCE, 0)
SIDES = ("before the commit", "after the commit")  # see tests/faults/dying.py
CLOCK_IS_OURS = (
    "from recovery.models import CheckInResponse as R; one = R.objects.get(slot={slot!r});"
    " assert one.answered_at == one.received_at, one.answered_at"
)


@pytest.fixture(scope="module")
def dying(ward) -> Iterator[Ward]:
    with serve(ward.data, "tests.faults.dying:application") as served:
        yield served


def test_killed_at_any_step_of_sending_a_retry_makes_it_exactly_one(ward):
    command = [sys.executable, "-m", "tests.faults.dying", "ida"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(ward.data), capture_output=True, text=True, timeout=600, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["whole"] == ONCE and len(found["rows"]) == found["steps"] > 30
    for row in found["rows"]:
        assert row["first"] == {"killed": True} and row["between"] in (NOTHING, ONCE)
        assert row["again"]["state"] == "sent" and row["kept"] == ONCE and row["told"] == 1
    between = [row["between"] for row in found["rows"]]
    assert NOTHING in between and between[-1] == ONCE, "it died on either side of the commit"


def outcome(page) -> None:
    """Until the browser has an answer or gave up; it may have sent again by itself on a fresh connection."""
    page.wait_for_url(re.compile("/done/|^chrome-error:"))


@pytest.mark.parametrize("at", SIDES)
def test_whoever_sends_again_after_the_server_died_has_sent_once(dying, browser, at):
    slot = f"extra-page{SIDES.index(at)}"
    with visit(browser, dying, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page = seen.page
        page.goto(f"{dying.url}/me/check-in/{slot}/")
        answer_all(page)
        (dying.data / "die-at").write_text(at)
        page.click("button:has-text('Send')", no_wait_after=True)
        outcome(page)
        page.goto(f"{dying.url}/me/check-in/{slot}/send/")
        if "/done/" not in page.url:
            page.click("button:has-text('Send')")
        assert "have been sent" in page.inner_text("main")
    assert responses(dying, slot) == 1 and not (dying.data / "die-at").exists()


@pytest.mark.parametrize("at", SIDES)
def test_an_outbox_whose_server_died_hands_in_again_by_itself(dying, browser, at):
    slot = f"extra-box{SIDES.index(at)}"
    with visit(browser, dying, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page = seen.page
        page.goto(f"{dying.url}/me/check-in/{slot}/whole/")
        page.click("label:has-text('None of these')")
        page.click("[data-number='2'] .scale label:nth-child(4)")
        (dying.data / "die-at").write_text(at)
        page.click("button:has-text('Send')")
        page.wait_for_selector("[data-saved]:visible, h1:has-text('sent')")
        if "/done/" not in page.url:
            page.goto(f"{dying.url}/me/")
            page.wait_for_selector("[data-outbox-note]:has-text('have been sent')")
    assert responses(dying, slot) == 1 and not (dying.data / "die-at").exists()


def test_a_phone_whose_clock_is_two_days_off_sends_once_with_the_time_of_arrival(ward, browser):
    slot = "extra-clock1"
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page = seen.page
        page.clock.install(time=datetime.now(UTC) + timedelta(days=2))
        page.goto(f"{ward.url}/me/check-in/{slot}/whole/")
        page.click("label:has-text('None of these')")
        page.click("[data-number='2'] .scale label:nth-child(4)")
        page.clock.set_system_time(datetime.now(UTC) - timedelta(days=30))
        page.click("button:has-text('Send')")
        page.wait_for_url(re.compile("/done/"))
    assert responses(ward, slot) == 1
    ward.run(CLOCK_IS_OURS.format(slot=slot))
