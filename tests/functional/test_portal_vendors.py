"""A watch connected in a real browser, by keyboard, over the maker's page and back; every state fits a small phone."""

import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.browsing import visit
from tests.functional.test_portal import PHONE
from tests.functional.ward import ROOT, environment

pytestmark = pytest.mark.browser
ASK = (
    "import django; django.setup()\n"
    "from datetime import timedelta; from django.utils import timezone; from recovery.services import vendor_links\n"
    "assert vendor_links.ask_due(clock=lambda: timezone.now() + timedelta(seconds={later})) == 1"
)
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOOKS = (("en", "light"), ("de", "dark"), ("ar", "light"), ("ar", "dark"))


def makers_are_asked(ward, later: int = 0) -> None:
    """The job's turn, in a process that knows at which port the demonstration's maker answers."""
    where = environment(ward.data, PORT=str(urlsplit(ward.url).port))
    subprocess.run([sys.executable, "-c", ASK.format(later=later)], cwd=ROOT, env=where, check=True)


def looks_well(seen, ward, path: str, *words: str) -> None:
    """In each language and theme at 390 px, and at 320 px with letters of twice the size: axe finds nothing, and
    nothing is wider than the screen."""
    page = seen.page
    for language, theme in LOOKS:
        page.context.set_extra_http_headers({"Accept-Language": language})
        page.emulate_media(color_scheme=theme)
        page.goto(ward.url + path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(WIDE) == 0, (path, language)
    page.set_viewport_size({"width": 320, "height": 700})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDE) == 0, (path, "320 px, 200 %")
    page.set_viewport_size(PHONE)
    page.context.set_extra_http_headers({"Accept-Language": "en"})
    page.goto(ward.url + path)
    for one in words:
        assert one in page.inner_text("main"), one


def press(page, name: str) -> None:
    """By keyboard alone: along the page with Tab until that link or button is in focus, then Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").strip() == name:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(name)


def test_a_watch_is_connected_by_keyboard_taken_back_and_disconnected(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page, devices, watch = seen.page, "/me/devices/", "/me/devices/with/example-watch/"
        looks_well(seen, ward, devices, "Not connected")
        press(page, "Connect")
        looks_well(seen, ward, watch, "Your care team will see", "Go to the maker's page")
        press(page, "Go to the maker's page")
        press(page, "Do not allow")
        assert "You said no on the maker's page" in page.inner_text("[role=alert]")
        press(page, "Go to the maker's page")
        press(page, "Allow")
        assert "Connected. The first readings come" in page.inner_text("main")
        looks_well(seen, ward, devices, "Waiting for the first reading")
        makers_are_asked(ward)
        looks_well(seen, ward, devices, "Working", "We last asked the maker")
        page.goto(ward.url + "/demo/example-watch/")
        press(page, "Take it back")
        makers_are_asked(ward, later=31)
        looks_well(seen, ward, devices, "access was taken back at the maker", "Connect again")
        looks_well(seen, ward, watch, "Disconnect it")
        page.click("label:has-text('Delete them')")
        page.click("button:has-text('Disconnect')")
        assert "The readings of this device are deleted" in page.inner_text("main")
        looks_well(seen, ward, "/me/reminders/", "Messages on this phone", "Also tell me when my team has written")
        assert seen.complaints == []
