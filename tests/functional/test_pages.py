"""Every page in a real browser: accessible, no scroll sideways, no policy violation, no "None"."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.functional.browsing import PAGES, visit

pytestmark = pytest.mark.browser
EXPECTED = ("status of 404",)  # the browser reports the page that is meant to be missing
SMALL_TARGETS = """(least) =>
    [...document.querySelectorAll('main button, main summary, main select, main input:not([type=hidden])')]
    .map((one) => [one.textContent, one.getBoundingClientRect()])
    .filter(([_, box]) => box.width && (box.height < least || box.width < 24))
    .map(([text]) => text)"""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def complaints(seen) -> list[str]:
    return [said for said in seen.complaints if not any(known in said for known in EXPECTED)]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_axe_finds_nothing(ward, browser, name, size, scheme):
    with visit(browser, ward, viewport=size, color_scheme=scheme) as seen:
        seen.open(name)
        seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        found = Axe().run(seen.page)
        assert found.violations_count == 0, found.generate_report()
        assert complaints(seen) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_at_320_px(ward, browser, name):
    with visit(browser, ward, viewport={"width": 320, "height": 700}) as seen:
        seen.open(name)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(wide) == 0


@pytest.mark.parametrize("width", [768, 1024, 1219, 1220, 1280])
def test_no_button_of_the_board_has_to_be_scrolled_for(ward, browser, width):
    with visit(browser, ward, viewport={"width": width, "height": 900}) as seen:
        seen.open("board")
        seen.page.locator("#board tbody tr").first.wait_for()
        assert (
            seen.page.evaluate(
                "(() => { const b = document.querySelector('#board'); return b.scrollWidth - b.clientWidth })()"
            )
            == 0
        )
        assert seen.page.locator("#board tbody .do .btn").first.bounding_box()["x"] + 40 < width


def test_the_printed_board_holds_every_column(ward, browser):
    with visit(browser, ward, viewport={"width": 794, "height": 1100}) as seen:
        seen.open("board")
        seen.page.emulate_media(media="print")
        box = seen.page.locator("#board tbody .age").first.bounding_box()
        assert box["x"] + box["width"] <= 794


@pytest.mark.parametrize("name", PAGES)
def test_no_page_says_none_or_normal_without_reference(ward, browser, name):
    with visit(browser, ward) as seen:
        seen.open(name)
        said = seen.page.inner_text("body")
        assert not re.search(r"\b(None|NaN|nan|undefined|null)\b", said)
        assert not re.search(r"\b(ab)?normal\b", said.lower().replace("log-normal", ""))


@pytest.mark.parametrize("name", ["board", "patient", "me", "alerts"])
def test_targets_are_large_enough(ward, browser, name):
    least = 44 if name == "me" else 24
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.open(name)
        small = seen.page.evaluate(
            SMALL_TARGETS,
            least,
        )
        assert small == []


def test_the_portal_is_light_enough_for_a_slow_phone(ward, browser):
    with visit(browser, ward, viewport=PHONE) as seen:
        seen.sign_in("ida")
        sizes: list[int] = []
        seen.page.on("response", lambda answer: sizes.append(len(answer.body())))
        seen.page.goto(ward.url + "/me/")
        seen.page.wait_for_load_state("networkidle")
        import gzip

        html = len(gzip.compress(seen.page.content().encode()))
        assert html < 30_000 and sum(sizes) < 200_000


@pytest.mark.parametrize(("name", "words"), [("board", "My patients"), ("patient", "Course"), ("me", "day")])
def test_pages_are_readable_without_scripts(ward, browser, name, words):
    with visit(browser, ward, java_script_enabled=False) as seen:
        seen.open(name)
        assert words in seen.page.inner_text("main")
        assert seen.page.locator("svg path.c-90").count() > 0


def test_the_printed_patient_page_keeps_its_charts(ward, browser):
    with visit(browser, ward) as seen:
        seen.open("patient")
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("header.top").is_visible()
        assert seen.page.locator(".chart").first.is_visible()


@pytest.mark.parametrize("who", ["Chen Wei", "Samuel Okafor"])
def test_the_printed_patient_page_fits_two_sheets_of_a4(ward, browser, who):
    """Chen has four open alerts; Samuel has an implant and blood values: sixteen charts."""
    with visit(browser, ward) as seen:
        seen.open("board")
        seen.page.locator(f"tbody th a:has-text('{who}')").click()
        seen.page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}/"))
        edge = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
        printed = seen.page.pdf(format="A4", margin=edge, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2
