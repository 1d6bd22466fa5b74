"""The patient's page on a phone: who, how ill, why and what next on the first screen, and the rest within reach."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.functional.browsing import visit

pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
# Before its sections folded the page of the patient with four alerts was 12,500 px long.
THIRD = 4200
BOTTOM = "(one) => one.getBoundingClientRect().bottom"


def at_the_worst(seen) -> None:
    """Chen Wei has four open alerts."""
    seen.open("board")
    seen.page.locator("tbody th a:has-text('Chen Wei')").click()
    seen.page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))


def test_the_first_screen_says_who_how_ill_why_and_what_next(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        at_the_worst(seen)
        for part in (".banner h1", ".hero .chip", ".hero .sentence", ".hero li", ".hero .next"):
            assert seen.page.locator(part).first.evaluate(BOTTOM) <= PHONE["height"], part
        assert seen.page.locator(".jump a").nth(1).evaluate(BOTTOM) <= 1.3 * PHONE["height"]


def test_the_page_is_a_third_as_long_and_holds_all_that_the_wide_one_does(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        at_the_worst(seen)
        assert seen.page.evaluate("document.documentElement.scrollHeight") <= THIRD
        assert seen.page.locator("#m-heart_rate .plot").is_hidden()
        seen.page.set_viewport_size(DESK)
        assert seen.page.locator("#m-heart_rate .plot").is_visible()
        assert seen.page.locator(".fold > summary:visible").count() == 0
        drawn = (
            "(all) => all.filter((one) => getComputedStyle(one, '::details-content').contentVisibility !== 'visible')"
        )
        assert seen.page.locator(".fold").evaluate_all(drawn) == []


@pytest.mark.parametrize("script", [True, False])
def test_a_link_of_the_jump_list_opens_the_section_it_leads_to(ward, browser, script):
    with visit(browser, ward, viewport=PHONE, java_script_enabled=script) as seen:
        at_the_worst(seen)
        expect(seen.page.locator("#in-scores")).to_be_hidden()
        seen.page.locator(".jump a:has-text('Scores')").click()
        expect(seen.page.locator("#in-scores")).to_be_visible()
        expect(seen.page.locator("#in-scores")).to_be_in_viewport()
        # The list stays at the top, under it is the heading of the section.
        assert seen.page.locator(".jump").evaluate("(one) => one.getBoundingClientRect().top") == 0
        below = seen.page.locator(".jump").evaluate(BOTTOM)
        assert seen.page.locator("#scores").evaluate("(one) => one.getBoundingClientRect().top") >= below


def test_what_is_folded_on_the_phone_is_printed(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        at_the_worst(seen)
        seen.page.emulate_media(media="print")
        for part in ("#m-heart_rate .plot", "#in-scores .score", ".legend", "#alerts article:nth-child(2) li"):
            expect(seen.page.locator(part).first).to_be_visible()
        assert seen.page.locator(".jump, .mini").locator("visible=true").count() == 0


def test_an_explored_chart_never_makes_a_narrowed_window_scroll_sideways(ward, browser):
    with visit(browser, ward, viewport=DESK) as seen:
        at_the_worst(seen)
        seen.page.locator("[data-into=x-heart_rate]").click()
        plot = seen.page.locator("#x-heart_rate svg.main-svg").first
        plot.wait_for(timeout=60_000)
        seen.page.set_viewport_size(PHONE)
        assert seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        expect(plot).to_be_visible()
        room = seen.page.locator("#x-heart_rate").evaluate("(one) => one.clientWidth")
        deadline = time.monotonic() + 30  # asked from here: a page may not evaluate texts
        while plot.evaluate("(one) => one.getBoundingClientRect().width") > room:
            assert time.monotonic() < deadline, "the chart stays wider than its room"
            seen.page.wait_for_timeout(100)
        assert seen.complaints == []
