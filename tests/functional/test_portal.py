"""The portal in a real browser: light, never sideways, sent once offline and in two tabs, gone after sign-out."""

import re
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.browsing import visit

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
COUNT = (
    "from recovery.models import CheckInResponse as R; import pathlib;"
    " pathlib.Path({path!r}).write_text(str(R.objects.filter(slot={slot!r}).count()))"
)
IN_CHARGE = "navigator.serviceWorker.ready.then(() => true)"
FORGOTTEN = """async () => {
  const held = () => caches.has('portal-pages')
  for (let tries = 0; tries < 50 && await held(); tries += 1) await new Promise((go) => setTimeout(go, 100))
  return !(await held())
}"""
MOST_BYTES = 60 * 1024  # ux 5.5
WHAT_IS_HELD = """async () => {
  const answer = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result) })
  const db = await answer(indexedDB.open('portal', 1))
  const all = (name) => answer(db.transaction(name).objectStore(name).getAll())
  const [box, keys] = [await all('outbox'), await all('keys')]
  db.close()
  const plain = new TextDecoder().decode(box[0].sealed).includes('answered_at')
  return { count: box.length, plain, out: keys[0].extractable }
}"""


def responses(ward, slot: str) -> int:
    path = ward.data / "count.txt"
    ward.run(COUNT.format(path=str(path), slot=slot))
    return int(path.read_text())


def answer_all(page) -> None:
    """Every question of a check-in that stands one a page, by its first ordinary answer."""
    page.click("button:has-text('Start'), button:has-text('Go on')")
    while "/q/" in page.url:
        if page.locator("label:has-text('None of these')").count():
            page.click("label:has-text('None of these')")
        elif page.locator(".scale").count():
            page.click(".scale label:nth-child(3)")
        elif page.locator(".choices label").count():
            page.click(".choices label:first-child")
        else:
            page.click("button:has-text('I do not know')")
            continue
        page.click("button:has-text('Continue')")


def test_home_is_light_on_a_first_visit(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        page = seen.page.context.new_page()
        sizes: dict[str, int] = {}
        page.on("response", lambda answer: sizes.__setitem__(answer.url, len(answer.body())))
        page.goto(ward.url + "/me/")
        page.wait_for_load_state("networkidle")
        shown = {url: size for url, size in sizes.items() if "/whole/" not in url}
        print("bytes of home on a first visit:", sum(shown.values()))
        assert sum(shown.values()) <= MOST_BYTES, shown


@pytest.mark.parametrize("path", ["/me/", "/me/readings/", "/me/settings/", "/me/check-in/extra-axe1/", "/invite/"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_in_either_direction(ward, browser, path, language):
    with visit(browser, ward, viewport={"width": 320, "height": 700}, locale=language) as seen:
        if path != "/invite/":
            seen.sign_in("ida")
        seen.page.goto(ward.url + path)
        found = Axe().run(seen.page)
        assert found.violations_count == 0, found.generate_report()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(wide) == 0
        seen.page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert seen.page.evaluate(wide) == 0
        assert seen.complaints == []


def test_the_daily_set_is_answered_in_two_minutes_on_large_enough_buttons(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        seen.page.goto(ward.url + "/me/check-in/extra-quick1/")
        begun = datetime.now(UTC)
        seen.page.click("button:has-text('Start')")
        seen.page.click("label:has-text('None of these')")
        seen.page.click("button:has-text('Continue')")
        boxes = seen.page.evaluate(
            "[...document.querySelectorAll('.scale label')].map((one) => one.getBoundingClientRect().toJSON())"
        )
        assert len(boxes) == 11 and all(one["width"] >= 44 and one["height"] >= 44 for one in boxes)
        seen.page.goto(ward.url + "/me/check-in/extra-quick1/")
        answer_all(seen.page)
        seen.page.click("button:has-text('Send')")
        assert "have been sent" in seen.page.inner_text("main")
        assert (datetime.now(UTC) - begun).total_seconds() < 120


def test_two_tabs_a_double_click_and_the_back_button_are_one_response(ward, browser):
    slot = "extra-tabs1"
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        first = seen.page
        first.goto(f"{ward.url}/me/check-in/{slot}/")
        answer_all(first)
        second = first.context.new_page()
        second.goto(f"{ward.url}/me/check-in/{slot}/send/")
        first.dblclick("button:has-text('Send')")
        first.wait_for_url(re.compile("/done/"))
        second.click("button:has-text('Send')")
        second.wait_for_url(re.compile("/done/"))
        first.go_back()
        first.reload()
        assert "have been sent" in first.inner_text("main")
    assert responses(ward, slot) == 1


def test_answers_without_a_connection_are_kept_sealed_and_sent_once(ward, browser):
    slot = "extra-off1"
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        page, context = seen.page, seen.page.context
        page.goto(ward.url + "/me/")
        assert page.evaluate(IN_CHARGE)
        page.goto(ward.url + "/me/")
        page.goto(f"{ward.url}/me/check-in/{slot}/whole/")
        context.set_offline(True)
        page.goto(ward.url + "/me/")
        assert page.locator("[data-offline-note]").is_visible() and "what we knew on" in page.inner_text("main")
        page.goto(f"{ward.url}/me/check-in/{slot}/whole/")
        page.click("label:has-text('Chest pain')")
        assert page.locator("[data-card=emergency]").is_visible()
        page.click("label:has-text('Chest pain')")
        page.click("label:has-text('None of these')")
        page.click("[data-number='2'] .scale label:nth-child(4)")
        page.click("button:has-text('Send')")
        page.wait_for_selector("[data-saved]:visible")
        held = page.evaluate(WHAT_IS_HELD)
        assert held == {"count": 1, "plain": False, "out": False}
        assert responses(ward, slot) == 0
        context.set_offline(False)  # the open page hands in by itself and says so
        page.wait_for_selector("[data-outbox-note]:has-text('have been sent')")
        page.goto(ward.url + "/me/")
        page.reload()
    assert responses(ward, slot) == 1


def test_after_signing_out_a_phone_shows_nothing_of_the_person(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page, context = seen.page, seen.page.context
        page.goto(ward.url + "/me/")
        assert page.evaluate(IN_CHARGE)
        page.goto(ward.url + "/me/")
        page.click("button:has-text('Sign out')")
        page.wait_for_url(re.compile("/login/"))
        assert page.evaluate(FORGOTTEN)
        context.set_offline(True)
        with pytest.raises(Exception, match="ERR_"):
            page.goto(ward.url + "/me/")


ASK_THROUGH_THE_WORKER = "(path) => { fetch(path, { keepalive: true }) }"


def test_a_page_that_arrives_after_signing_out_is_not_kept(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page, context, held = seen.page, seen.page.context, []
        page.goto(ward.url + "/me/")
        assert page.evaluate(IN_CHARGE)
        page.goto(ward.url + "/me/")
        page.wait_for_load_state("networkidle")
        context.route("**/me/check-in/*/whole/", lambda route: held.append((route, route.fetch())))
        page.evaluate(ASK_THROUGH_THE_WORKER, "/me/check-in/extra-off1/whole/")
        while not held:
            page.wait_for_timeout(50)
        page.click("button:has-text('Sign out')")
        page.wait_for_url(re.compile("/login/"))
        assert page.evaluate(FORGOTTEN)
        for route, answer in held:
            route.fulfill(response=answer)
        page.wait_for_timeout(1_000)
        assert page.evaluate(FORGOTTEN)


def test_a_session_that_ends_on_any_page_leaves_nothing_on_the_phone(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida", again=True)
        page, context = seen.page, seen.page.context
        page.goto(ward.url + "/me/")
        assert page.evaluate(IN_CHARGE)
        page.goto(ward.url + "/me/")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("caches.has('portal-pages')")
        context.clear_cookies()
        page.goto(ward.url + "/me/readings/")
        page.wait_for_url(re.compile("/login/"))
        assert page.evaluate(FORGOTTEN)
