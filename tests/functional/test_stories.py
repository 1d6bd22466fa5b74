"""Whole stories at a keyboard: find the first patient, look, take the alert, change one's mind; and see it live."""

import re

import pytest
from playwright.sync_api import expect

from tests.functional.browsing import FIRST_PATIENT, visit

pytestmark = pytest.mark.browser


def test_a_nurse_takes_the_first_alert_by_keyboard_and_undoes_it(ward, browser):
    with visit(browser, ward) as seen:
        page = seen.page
        seen.sign_in("nurse")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
        button = page.locator("#alerts button:has-text('I have it')").first
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("[data-undo]")).to_contain_text("You have it.")
        expect(page.locator("#alerts")).to_contain_text("Noor Haddad has it")
        page.locator("[data-undo] button").click()
        expect(page.locator("#alerts")).to_contain_text("Nobody has answered yet")


def test_a_colleagues_answer_appears_on_my_board_without_reloading(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward) as theirs:
        mine.sign_in("nurse")
        expect(mine.page.locator("#live-state")).to_have_text("Live")
        mine.page.evaluate("window.stayed = true")
        theirs.sign_in("colleague")
        theirs.page.goto(ward.url + "/alerts/")
        theirs.page.locator("button:has-text('I have it')").first.click()
        expect(mine.page.locator("#board tbody tr", has_text="Emil Sand has it")).to_have_count(1, timeout=30_000)
        assert mine.page.evaluate("window.stayed")
        theirs.page.locator("[data-undo] button").click()
        expect(mine.page.locator("#board tbody tr", has_text="Emil Sand has it")).to_have_count(0, timeout=30_000)


def test_a_row_does_not_change_under_the_pointer(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward) as theirs:
        mine.sign_in("nurse")
        expect(mine.page.locator("#live-state")).to_have_text("Live")
        mine.page.locator("#board tbody tr").first.hover()
        theirs.sign_in("colleague")
        theirs.page.goto(ward.url + "/alerts/")
        theirs.page.locator("button:has-text('I have it')").first.click()
        expect(mine.page.locator("#updates button")).to_have_text("1 update: show", timeout=30_000)
        assert mine.page.locator("#board tbody tr", has_text="Emil Sand has it").count() == 0
        theirs.page.locator("[data-undo] button").click()
        mine.page.mouse.move(5, 5)


def test_the_patient_page_renews_itself_and_stays_where_it_was(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward) as theirs:
        mine.open("patient")
        expect(mine.page.locator("#live-state")).to_have_text("Live")
        mine.page.evaluate("window.scrollTo(0, 600)")
        theirs.sign_in("colleague")
        theirs.page.goto(mine.page.url)
        theirs.page.locator("#alerts button:has-text('I have it')").first.click()
        expect(mine.page.locator("#alerts")).to_contain_text("Emil Sand has it", timeout=30_000)
        assert mine.page.evaluate("window.scrollY") == 600
        theirs.page.locator("[data-undo] button").click()


def test_the_interactive_chart_loads_on_request_without_breaking_the_policy(ward, browser):
    with visit(browser, ward) as seen:
        seen.open("patient")
        assert not seen.page.evaluate("Boolean(window.Plotly)")
        seen.page.locator("[data-explore]").first.click()
        expect(seen.page.locator(".js-plotly-plot .scatterlayer")).to_be_visible(timeout=20_000)
        assert seen.complaints == []


def test_arrow_keys_read_a_chart_day_by_day(ward, browser):
    with visit(browser, ward) as seen:
        seen.open("patient")
        seen.page.locator(".plot").first.focus()
        seen.page.keyboard.press("End")
        seen.page.keyboard.press("ArrowLeft")
        expect(seen.page.locator(".walk").first).to_contain_text("90 % band")


def test_the_second_of_two_people_is_told_who_was_first(ward, browser):
    with visit(browser, ward) as mine, visit(browser, ward, java_script_enabled=False) as theirs:
        mine.sign_in("nurse")
        mine.page.goto(ward.url + "/alerts/")
        theirs.sign_in("colleague")
        theirs.page.goto(ward.url + "/alerts/")
        mine.page.locator("button:has-text('I have it')").first.click()
        theirs.page.locator("button:has-text('I have it')").first.click()
        expect(theirs.page.locator("main")).to_contain_text("Noor Haddad took it")
        mine.page.locator("[data-undo] button").click()


def test_signing_out_leaves_nothing_behind_the_back_button(ward, browser):
    with visit(browser, ward) as seen:
        seen.sign_in("nurse", again=True)
        assert seen.page.locator(FIRST_PATIENT).count() > 0
        seen.page.click("button:has-text('Sign out')")
        seen.page.wait_for_url(re.compile("/login/"))
        seen.page.go_back()
        expect(seen.page.locator("h1")).to_have_text("Sign in")
