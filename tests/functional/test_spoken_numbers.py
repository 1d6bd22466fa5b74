"""On rendered pages every risk has its denominator, its horizon and its interval, and every reading its unit, its time
and its source (ux.md 2 and 8.7)."""

import re

import pytest

from tests.functional.browsing import visit

pytestmark = pytest.mark.browser
# The smallest block around each "… in 100", and the row, list item or section that it stands in.
SAID = r"""() => {
  const told = /(\d+|fewer than 1|more than 99) in 100/i
  const blocks = [...document.querySelectorAll('main p, main li, main td, main dd, main span, main div, main th')]
  const smallest = blocks.filter((one) => told.test(one.textContent)
    && ![...one.children].some((inner) => told.test(inner.textContent)))
  const around = (one) => one.closest('.riskline, tr, li, dl, table, section, article') ?? one
  const plain = (one) => one.textContent.replace(/\s+/g, ' ').trim()
  return smallest.map((one) => [plain(one), plain(around(one))])
}"""
READINGS = """() => [...document.querySelectorAll('main section.metric')].filter((one) => one.querySelector('.reading'))
  .map((one) => [one.id, one.querySelector('.reading').textContent, one.querySelector('.head').textContent]
    .map((text) => text.replace(/\\s+/g, ' ').trim()))"""
HORIZON = re.compile(
    r"within (\d+ (hours|days|h\b)|the pathway)|under way now|already diagnosed|by day \d+|last (three|\d+) days"
)
INTERVAL = re.compile(
    r"between \d+ and \d+|\((fewer than )?\d+ to (more than )?\d+\)|at (most|least) \d+|(likely |\()about \d+"
    r"|fewer than 1|more than 99"
    # a milestone is told as a distribution of its day
    r"|day \d+ to \d+ \(8 of 10 chances\)|day \d+, 8 of 10 chances|as likely before as after day \d+"
    r"|comes within the pathway",
    re.IGNORECASE,
)
# What is under way now is weighed between causes: a share of one whole, without a horizon or an interval of its own.
SHARES = re.compile(r"under way now|already diagnosed|Ordinary recovery|would have begun|causes weighed|is likelier:")
LONE_PERCENTAGE = re.compile(r"(risk|chance|probability)[^.]{0,30}\b\d+(\.\d+)? ?%", re.IGNORECASE)
NO_UNIT = re.compile(r"^(–|no reading|[\d.,]+)$", re.IGNORECASE)
TIME = re.compile(r"\d{1,2}:\d{2}|\d+ (min|h|days?) ago|just now|yesterday|no reading", re.IGNORECASE)


def paths(seen) -> list[str]:
    """Lists, and three patients with what is asked of them."""
    seen.sign_in("nurse")
    seen.page.goto(seen.ward.url + "/patients/")
    found = seen.page.eval_on_selector_all("tbody th a", "(all) => all.map((one) => one.getAttribute('href'))")
    return ["/patients/", "/alerts/", "/hand-over/", *found[:3], f"{found[0]}what-if/", f"{found[0]}send/"]


def test_every_risk_has_its_denominator_its_horizon_and_its_interval(ward, browser):
    count = 0
    with visit(browser, ward) as seen:
        for path in paths(seen):
            seen.page.goto(ward.url + path)
            assert not LONE_PERCENTAGE.search(seen.page.inner_text("main")), path
            for words, around in seen.page.evaluate(SAID):
                count += 1
                if not SHARES.search(around):
                    assert HORIZON.search(around), (path, words, around[:300])
                    assert INTERVAL.search(around), (path, words, around[:300])
    assert count >= 12, "the pages say risks at all"


def test_every_reading_has_its_unit_its_time_and_its_source(ward, browser):
    count = 0
    with visit(browser, ward) as seen:
        for path in paths(seen)[3:6]:
            seen.page.goto(ward.url + path)
            for name, value, head in seen.page.evaluate(READINGS):
                if not re.search(r"\d", value):
                    continue
                count += 1
                assert not NO_UNIT.match(value), (path, name, value)
                assert TIME.search(head), (path, name, head)
                assert "," in head and head.rpartition(",")[2].strip(), (path, name, "its source", head)
    assert count >= 12, "the pages show readings at all"
