"""The scripts of ux.md 8.6, and a new nurse's first minutes, with keys alone: a page that feels a pointer says so."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.browsing import FIRST_PATIENT, PAGES, Seen, visit
from tests.functional.ward import PASSWORD, Ward

pytestmark = pytest.mark.browser
# A key that presses a button makes a click without a pointer; only a mouse or a finger makes this event.
FELT = "addEventListener('pointerdown', () => sessionStorage.setItem('felt', 'a pointer'), true)"
MOST_STEPS = 80
FOCUSED = "(wanted) => document.activeElement.matches(wanted)"
SHOWN = """() => {
  const one = document.activeElement
  const box = one.getBoundingClientRect()
  const at = document.elementFromPoint(box.x + Math.min(box.width, innerWidth) / 2, box.y + box.height / 2)
  const drawn = getComputedStyle(one)
  const ringed = drawn.outlineStyle !== 'none' || drawn.boxShadow !== 'none'
  return [one.tagName, box.height > 0 && (one.contains(at) || at?.contains(one)), ringed]
}"""


@contextmanager
def keys_only(browser: Browser, ward: Ward, **context) -> Iterator[Seen]:
    with visit(browser, ward, **context) as seen:
        seen.page.add_init_script(FELT)
        yield seen
        assert seen.page.evaluate("sessionStorage.getItem('felt')") is None
        assert seen.complaints == []


def tab_to(page: Page, wanted: str) -> None:
    """Along the page with Tab until `wanted` (a selector) has the focus."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, wanted):
            return
    raise AssertionError(f"{wanted} is not reached in {MOST_STEPS} steps of {page.url}")


def press(page: Page, wanted: str, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)


def sign_in(seen: Seen, who: str) -> Page:
    page = seen.page
    page.goto(seen.ward.url + "/login/")
    tab_to(page, "#id_username")
    page.keyboard.type(who)
    tab_to(page, "#id_password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(patients|me)/$"))
    return page


def test_a_nurse_signs_in_triages_one_alert_and_takes_it_back(own_ward, browser):
    with keys_only(browser, own_ward) as seen:
        page = sign_in(seen, "nurse")
        press(page, "header a[href='/alerts/'], nav a[href='/alerts/']")
        page.wait_for_url(re.compile("/alerts/"))
        page.keyboard.press("j")
        row = page.locator(".alert-row.cursor")
        card = page.locator(f"#{row.get_attribute('id')}")
        page.keyboard.press("a")
        expect(card).to_contain_text("Noor Haddad has it")
        page.keyboard.press("u")
        expect(card).to_contain_text("Nobody has it")
        page.keyboard.press("a")
        expect(card).to_contain_text("Noor Haddad has it")
        page.keyboard.press("r")
        expect(page.locator("#d-outcome")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        press(page, "#detail details[open] .btn")
        expect(card).to_contain_text("Resolved")
        page.keyboard.press("u")
        expect(card).to_contain_text("Noor Haddad has it")


def test_a_patient_completes_a_check_in(own_ward, browser):
    with keys_only(browser, own_ward, viewport={"width": 390, "height": 844}) as seen:
        page = sign_in(seen, "ida")
        page.goto(own_ward.url + "/me/check-in/extra-keys1/")
        press(page, "main form .btn")
        asked = 0
        while "/send/" not in page.url:
            page.wait_for_url(re.compile(r"/(q/\d+|send)/$|/care/$"))
            if "/care/" in page.url:
                raise AssertionError("an ordinary answer is no emergency")
            if "/send/" in page.url:
                break
            asked += 1
            before = page.url
            _answer(page)
            page.wait_for_url(lambda url, before=before: url != before)
        assert 3 <= asked <= 7
        press(page, "main form .btn.main")
        page.wait_for_url(re.compile("/done/"))
        assert "have been sent" in page.inner_text("main")


def _answer(page: Page) -> None:
    """One question: "none of these", the least of a scale, the first of a choice, or "I do not know"."""
    nothing = page.locator("label:has-text('None of these') input")
    if nothing.count():
        press(page, f"input[value='{nothing.get_attribute('value')}']", "Space")
        press(page, ".steps .btn.main")
    elif page.locator(".scale, .choices").count():
        press(page, "main input[type=radio], main input[type=checkbox]", "Space")
        press(page, ".steps .btn.main")
    else:
        press(page, "button[value=unknown]")


def test_a_new_nurse_walks_the_tour_and_answers_the_practice_alert(own_ward, browser):
    with keys_only(browser, own_ward) as seen:
        page = sign_in(seen, "colleague")
        page.keyboard.press("?")
        page.wait_for_url(re.compile("/help/"))
        press(page, "a[href='/tour/']")
        page.wait_for_url(re.compile("/tour/"))
        press(page, "button[name=answer]")
        expect(page.locator("main [role=status]")).to_contain_text("Nothing was stored")
        press(page, "form[action*='end'] .btn")
        page.wait_for_url(re.compile("/patients/$"))
        expect(page.locator("a[href='/tour/']")).to_have_count(0)


def test_help_is_one_key_away_on_every_page_of_staff(ward, browser):
    """Each page says where its help is; the key itself is tried on a list, a patient, and a page that is not there."""
    mine = [name for name, (who, _) in PAGES.items() if who == "nurse"]
    with visit(browser, ward) as seen:
        for name in mine:
            seen.open(name)
            assert seen.page.evaluate("document.body.dataset.help") == "/help/", name
            assert seen.page.locator("a[href='/help/']").count() >= 1, name
            if name in ("board", "patient", "not_found"):
                seen.page.keyboard.press("?")
                seen.page.wait_for_url(re.compile("/help/"))


def test_single_keys_can_be_switched_off_and_the_choice_is_kept(ward, browser):
    """WCAG 2.1.4: who dictates says letters without meaning them."""
    with keys_only(browser, ward) as seen:
        page = sign_in(seen, "nurse")
        page.keyboard.press("?")
        page.wait_for_url(re.compile("/help/"))
        press(page, "[data-letters]")
        expect(page.locator("[data-letters]")).to_have_attribute("aria-pressed", "false")
        for path in ("/alerts/", "/patients/"):
            page.goto(ward.url + path)
            for key in "jasr?":
                page.keyboard.press(key)
            assert page.locator(".cursor").count() == 0 and page.url == ward.url + path
        page.goto(ward.url + "/help/")
        press(page, "[data-letters]")
        page.keyboard.press("?")
        page.goto(ward.url + "/patients/")
        page.keyboard.press("j")
        expect(page.locator(".cursor")).to_have_count(1)


@pytest.mark.parametrize("path", ["/patients/", "/alerts/", "patient"])
def test_what_has_the_focus_is_seen_and_not_under_a_bar(ward, browser, path):
    with visit(browser, ward, viewport={"width": 1280, "height": 720}) as seen:
        seen.sign_in("nurse")
        if path == "patient":
            path = seen.page.locator(FIRST_PATIENT).first.get_attribute("href")
        seen.page.goto(ward.url + path)
        hidden, reached = [], 0
        for _ in range(MOST_STEPS):
            seen.page.keyboard.press("Tab")
            tag, in_sight, ringed = seen.page.evaluate(SHOWN)
            if tag == "BODY":  # past the end of the page
                break
            reached += 1
            if not (in_sight and ringed):
                hidden.append(seen.page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
        assert hidden == [] and reached > 20
