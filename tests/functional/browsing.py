"""Debian's Chromium, a signed-in page, and what went wrong in it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from tests.functional.ward import PASSWORD, Ward

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FIRST_PATIENT = "tbody th a"
# page -> who looks at it, and its path ("patient" and "readings" are reached from the board)
PAGES = {
    "login": ("", "/login/"),
    "board": ("nurse", "/patients/"),
    "board_filtered_empty": ("nurse", "/patients/?procedure=cardiac"),
    "patient": ("nurse", ""),
    "readings": ("nurse", ""),
    "alerts": ("nurse", "/alerts/"),
    "alerts_resolved_empty": ("nurse", "/alerts/?view=resolved"),
    "notifications": ("nurse", "/notifications/"),
    "roster": ("nurse", "/roster/"),
    "service": ("nurse", "/service/"),
    "alert_catalogue": ("nurse", "/alerts/catalogue/"),
    "model": ("nurse", "/model/"),
    "help": ("nurse", "/help/"),
    "not_found": ("nurse", "/patients/00000000-0000-0000-0000-000000000000/"),
    "me": ("ida", "/me/"),
    "me_people": ("ida", "/me/people/"),
    "me_consent": ("ida", "/me/consent/"),
    "me_messages": ("ida", "/me/messages/"),
    "me_devices": ("ida", "/me/devices/"),
    "me_reminders": ("ida", "/me/reminders/"),
    "me_record": ("ida", "/me/record/"),
    "messages": ("nurse", "/messages/"),
    "erasures": ("admin", "/data/erasures/"),
    "unmapped": ("admin", "/data/unmapped/"),
    "backtests": ("admin", "/backtests/"),
    "models": ("admin", "/models/"),
    "model_card": ("nurse", "/model/hazard/"),
    "what_if": ("nurse", ""),
    "fhir": ("admin", "/fhir/"),
    "outcomes": ("nurse", "/outcomes/"),
    "data_quality": ("nurse", "/quality/"),
}


@dataclass
class Seen:
    """A page and what its console complained of."""

    page: Page
    ward: Ward
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, who: str, *, again: bool = False) -> None:
        """As `who`, on their first page; one real sign-in each serves the later visits, unless `again` or until the
        session has ended: staff are signed out after a quiet quarter of an hour."""
        if not again and who in self.ward.cookies:
            self.page.context.add_cookies(self.ward.cookies[who])
            self.page.goto(self.ward.url + "/")
            if "/login/" not in self.page.url:
                return
        self.page.goto(self.ward.url + "/login/")
        self.page.fill("#id_username", who)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("button:has-text('Sign in')")
        self.page.wait_for_url(re.compile(r"/(patients|me|data)/"))
        if not again:
            self.ward.cookies[who] = self.page.context.cookies()

    def open(self, name: str) -> None:
        who, path = PAGES[name]
        if who and not self.page.context.cookies():
            self.sign_in(who)
        if path:
            self.page.goto(self.ward.url + path)
            return
        self.page.goto(self.ward.url + "/patients/")
        self.page.locator(FIRST_PATIENT).first.click()
        self.page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
        if name == "readings":
            self.open_folds()
            self.page.locator("a:has-text('All readings')").first.click()
            self.page.wait_for_url(re.compile(r"/readings/"))
        if name == "what_if":
            self.page.locator("a:has-text('What if')").first.click()
            self.page.wait_for_url(re.compile(r"/what-if/"))

    def open_folds(self) -> None:
        """What a phone keeps folded is open, as it always is on a wide screen."""
        self.page.evaluate("document.querySelectorAll('details.fold').forEach((one) => { one.open = true })")


def launch(play: Playwright) -> Browser:
    return play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@contextmanager
def visit(browser: Browser, ward: Ward, **context: Any) -> Iterator[Seen]:
    """A fresh browser context with its page."""
    with browser.new_context(**context) as own:
        page = own.new_page()
        seen = Seen(page, ward)
        page.on(
            "console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        yield seen
