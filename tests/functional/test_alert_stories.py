"""The alert inbox at a keyboard: triage one alert without a mouse, without a network, and beside a colleague."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.functional.browsing import visit

pytestmark = pytest.mark.browser
DETAIL = "#detail[data-for]"


def inbox(seen, ward, who: str = "nurse", address: str = "/alerts/") -> Page:
    seen.sign_in(who)
    seen.page.goto(ward.url + address)
    return seen.page


def test_one_alert_is_triaged_with_the_keyboard_only(ward, browser):
    with visit(browser, ward) as seen:
        page = inbox(seen, ward)
        page.keyboard.press("j")
        page.keyboard.press("j")
        row = page.locator(".alert-row.cursor")
        key = row.get_attribute("data-alert")
        page.keyboard.press("a")
        expect(page.locator(DETAIL)).to_have_attribute("data-for", key)
        expect(page.locator(f"#alert-{key}")).to_contain_text("Noor Haddad has it")
        expect(page.locator("#say")).to_have_text("You have it.")
        page.keyboard.press("s")
        expect(page.locator("#d-hours")).to_be_focused()
        expect(page.locator("#detail details[open]")).to_contain_text("Opens again sooner if it gets graver")
        page.keyboard.press("Tab")
        page.keyboard.type("seen at the bedside")
        page.keyboard.press("Enter")
        expect(page.locator("#detail")).to_contain_text("Snoozed until")
        page.locator("#detail [data-undo] button").click()
        expect(page.locator(f"#alert-{key}")).to_contain_text("Noor Haddad has it")
        page.locator("#detail button:has-text('Give back to all')").click()
        expect(page.locator(f"#alert-{key}")).to_contain_text("Nobody has it")
        assert seen.complaints == []


def test_an_answer_without_a_network_is_refused_and_not_kept(ward, browser):
    with visit(browser, ward) as seen:
        page = inbox(seen, ward)
        row = page.locator(".alert-row:has([data-key=a])").first
        key = row.get_attribute("data-alert")
        page.context.set_offline(True)
        row.locator("[data-key=a]").click()
        expect(page.locator("#trouble")).to_contain_text("Nothing was done")
        page.context.set_offline(False)
        page.goto(ward.url + "/alerts/")
        expect(page.locator(f"#alert-{key}")).to_contain_text("Nobody has it")


def test_who_comes_second_reads_who_won_where_they_clicked(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward) as theirs:
        page = inbox(mine, ward)
        other = inbox(theirs, ward, "colleague")
        key = page.locator(".alert-row:has([data-key=a])").first.get_attribute("data-alert")
        other.locator(f"#alert-{key} [data-key=a]").click()
        expect(other.locator(f"#alert-{key}")).to_contain_text("Emil Sand has it")
        page.locator(f"#alert-{key} [data-key=a]").click()
        expect(page.locator("#detail [role=alert]")).to_contain_text("Emil Sand took it")
        expect(page.locator(f"#alert-{key}")).to_contain_text("Emil Sand has it")
        other.locator("#detail [data-undo] button").click()
        expect(other.locator(f"#alert-{key}")).to_contain_text("Nobody has it")


def test_my_own_click_is_no_news_to_me_and_a_colleagues_is(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward) as theirs:
        page = inbox(mine, ward)
        rows = page.locator(".alert-row:has([data-key=a])")
        first = rows.first
        episode = first.get_attribute("data-episode")
        key = first.get_attribute("data-alert")
        another = page.locator(f".alert-row:has([data-key=a]):not([data-episode='{episode}'])").first
        other_key = another.get_attribute("data-alert")
        page.locator(f"#alert-{key} [data-key=a]").click()
        expect(page.locator(f"#alert-{key}")).to_contain_text("Noor Haddad has it")
        other = inbox(theirs, ward, "colleague")
        other.locator(f"#alert-{other_key} [data-key=a]").click()
        expect(page.locator("#updates")).to_have_text("1 change: reload the list")
        expect(page.locator("#say-list")).to_have_text("The list has changed")
        expect(page.locator("#say")).to_have_text("You have it.")
        for one, its in ((page, key), (other, other_key)):
            one.locator("#detail [data-undo] button").click()
            expect(one.locator(f"#alert-{its}")).to_contain_text("Nobody has it")


def test_the_same_works_without_javascript(ward, browser):
    with visit(browser, ward, java_script_enabled=False) as seen:
        page = inbox(seen, ward)
        page.locator("[data-open]").first.click()
        expect(page.locator("#detail")).to_contain_text("What happened")
        page.locator("#detail button:has-text('I have it')").click()
        expect(page.locator("main")).to_contain_text("You have it.")
        page.locator("[data-undo] button").first.click()
        expect(page.locator("main")).to_contain_text("Nobody has it")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_an_open_alert(ward, browser, scheme):
    for width in (320, 1440):
        with visit(browser, ward, viewport={"width": width, "height": 900}, color_scheme=scheme) as seen:
            page = inbox(seen, ward)
            page.locator("[data-open]").first.click()
            page.wait_for_selector(DETAIL)
            for one in page.locator("#detail details, #many details").all():
                one.evaluate("(part) => { part.open = true; }")
            found = Axe().run(page)
            assert found.response["violations"] == [], found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_title_counts_who_waits(ward, browser):
    with visit(browser, ward) as seen:
        page = inbox(seen, ward)
        expect(page).to_have_title(re.compile(r"^\(\d+\) Alerts"))
