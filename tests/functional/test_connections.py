"""The integrator's page in a real browser: axe, narrow screens, and that it names nobody."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.browsing import visit

STATUS = "/connections/status/"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LETTER = r"""
from django.utils import timezone
from integrations.hl7v2.receiving import receive
text = 'MSH|^~\\&|LAB|SOUTH|||20260101||ADT^A01|browser-1|P|2.5\rPID|1||77^^^H^MR||Quill^Zed|||Z\r'
receive(text.encode(), peer='127.0.0.1', now=timezone.now())
"""


@pytest.fixture(scope="module")
def letter(ward):
    ward.run(LETTER)


def test_axe_finds_nothing_nothing_scrolls_sideways_and_nobody_is_named(ward, letter, browser):
    for width, scheme in ((1440, "light"), (320, "dark")):
        with visit(browser, ward, viewport={"width": width, "height": 800}, color_scheme=scheme) as seen:
            seen.sign_in("admin")
            seen.page.goto(ward.url + STATUS)
            assert "LAB|SOUTH" in seen.page.content() and "Quill" not in seen.page.content()
            seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            found = Axe().run(seen.page)
            assert found.violations_count == 0, found.generate_report()
            assert seen.complaints == []
            assert seen.page.evaluate(SIDEWAYS) == 0


def test_a_dead_letter_is_shown_to_whoever_says_why(ward, letter, browser):
    with visit(browser, ward) as seen:
        seen.sign_in("admin")
        seen.page.goto(ward.url + STATUS)
        seen.page.locator(".letter summary").first.click()
        seen.page.fill(".letter input[name=reason]", "the laboratory asks which field")
        seen.page.locator(".letter button:has-text('Show')").click()
        seen.page.wait_for_selector(".segments")
        assert "Quill" in seen.page.content()
        assert Axe().run(seen.page).violations_count == 0
